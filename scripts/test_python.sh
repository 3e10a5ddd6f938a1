#!/usr/bin/env bash
# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
# Runs the tests that need no ROS on any Python from 3.10 on, with the locked packages; `make test-python`.
#
#   PYTHON=python3.14 scripts/test_python.sh [TESTS...]     without TESTS: core, bags and reporting
#
# The environment is .venv-python3.14. Tests of the training also get their packages, and torch of the default index.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

export EMOTION_PERCEPTION_PYTHONS="3.10 3.11 3.12 3.13 3.14"
python="$(scripts/find_python.sh)"
version="$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')"
venv=".venv-python$version"
[ $# -gt 0 ] || set -- test/core test/bags test/reporting
unset PYTHONPATH VIRTUAL_ENV AMENT_PREFIX_PATH # of a shell with a ROS
export PATH="$PWD/$venv/bin:$PATH"              # tests start the installed program

[ -e "$venv/bin/python" ] || "$python" -m venv "$venv"
pip=("$venv/bin/python" -m pip install --quiet --disable-pip-version-check)
"${pip[@]}" --require-hashes --no-deps -r requirements/no-ros.txt
case "$*" in
    *training*)
        "${pip[@]}" --require-hashes --no-deps -r requirements/no-ros-training.txt
        "${pip[@]}" --require-hashes --no-deps -r requirements/torch-cuda.txt
        ;;
esac
"${pip[@]}" --no-deps --no-build-isolation .
"$venv/bin/python" -m emotion_perception.fetch yunet astronaut
"$venv/bin/python" -m pytest -m "not slow and not browser and not window" "$@"
