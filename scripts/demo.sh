#!/usr/bin/env bash
# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
# Runs the demonstration on $SOURCE until Ctrl-C, or for 15 s on the built-in clip; results go to $OUT. COMPOSED=0 runs
# the nodes as processes of their own.
set -euo pipefail
composed=--composed
[ "${COMPOSED:-1}" != 0 ] || composed=--no-composed
exec python -m emotion_perception.ros.demo "$composed" --source "${SOURCE:-}" --out "${OUT:-out/demo}"
