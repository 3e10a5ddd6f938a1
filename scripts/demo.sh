#!/usr/bin/env bash
# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
# Runs the demonstration on $SOURCE until Ctrl-C, or for 15 s on the built-in clip; results go to $OUT. COMPOSED=0 runs
# the nodes as processes of their own. With --web the page of web_viewer_node shows them, until Ctrl-C.
set -euo pipefail
case "${COMPOSED:-1}" in
    1) composed=--composed ;;
    0) composed=--no-composed ;;
    *) echo "demo: COMPOSED=$COMPOSED is neither 0 nor 1" >&2; exit 2 ;;
esac
exec python -m emotion_perception.ros.demo "$composed" --source "${SOURCE:-}" --out "${OUT:-out/demo}" "$@"
