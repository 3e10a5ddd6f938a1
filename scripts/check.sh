#!/usr/bin/env bash
# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
# All of `make check`: every tool runs, the status says whether any complained.
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
status=0
check() {
    echo "== $*"
    scripts/in_env.sh "$@" || status=1
}
check ruff format --check .
check ruff check .
check mypy
check lint-imports
exit $status
