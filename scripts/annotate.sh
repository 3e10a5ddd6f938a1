#!/usr/bin/env bash
# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
# Draws emotions on the video $SOURCE, or on the clip of the demonstration.
set -euo pipefail
source="${SOURCE:-$(emotion-perception fetch --print-path demo-clip)}"
exec emotion-perception annotate "$source" --out out/annotated.mp4 --csv out/annotated.csv --force
