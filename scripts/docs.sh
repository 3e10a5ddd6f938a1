#!/usr/bin/env bash
# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
# Builds the documentation site into out/site; a broken link or an unknown page is an error.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# The variable switches off an announcement of mkdocs-material at every build.
exec env -u PYTHONPATH NO_MKDOCS_2_WARNING=1 .venv-docs/bin/mkdocs build --strict --quiet
