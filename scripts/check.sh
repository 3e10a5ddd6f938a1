#!/usr/bin/env bash
# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
# The checks of `make check`: all of them, or those that are named. The tools are taken from PATH.
#
#   scripts/check.sh [ruff-format|ruff-check|mypy|import-linter|docs]...
#
# Every check runs, even after one has failed; the exit status is 1 if any failed, 2 for an unknown name.
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
status=0

check() { # COMMAND...
    echo "== $*"
    "$@" || status=1
}

for name in "${@:-all}"; do
    case "$name" in
        all) exec scripts/check.sh ruff-format ruff-check mypy import-linter docs ;;
        ruff-format) check ruff format --check . ;;
        ruff-check) check ruff check . ;;
        mypy) check mypy ;;
        import-linter) check lint-imports ;;
        docs) check scripts/docs.sh ;;
        *) echo "scripts/check.sh: no check is called $name" >&2 && exit 2 ;;
    esac
done
exit $status
