#!/usr/bin/env bash
# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
# Runs pytest under coverage.py, also in the processes that the tests start, and writes out/coverage/index.html:
#
#   scripts/coverage.sh [PATH...]      arguments of pytest
#
# The settings are in pyproject.toml. The exit status is pytest's.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
rm -rf out/coverage
mkdir -p out/coverage
export COVERAGE_FILE="$PWD/out/coverage/.coverage"
status=0
coverage run -m pytest "$@" || status=$?
coverage combine --quiet || exit $((status ? status : 1))
coverage html --quiet --directory out/coverage
coverage report --sort=-cover | tail -n 25 # the files with the least coverage, and the total
echo "out/coverage/index.html has every line"
exit $status
