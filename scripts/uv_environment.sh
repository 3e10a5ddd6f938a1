# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
# Sourced in the folder of the package: makes a temporary environment with the locked uv, $tools, which is removed at the
# end of the script.

python="$(scripts/find_python.sh)"
tools="$(mktemp -d)"
trap 'rm -rf "$tools"' EXIT
"$python" -m venv "$tools"
"$tools/bin/pip" install --quiet --disable-pip-version-check --require-hashes --no-deps --only-binary=:all: \
    -r requirements/tools.txt
