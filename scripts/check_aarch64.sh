#!/usr/bin/env bash
# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
# Runs check_aarch64.py with the locked uv in a temporary environment; `make check-arm`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/uv_environment.sh
"$tools/bin/python" scripts/check_aarch64.py --uv "$tools/bin/uv" "$@"
