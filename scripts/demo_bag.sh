#!/usr/bin/env bash
# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
# Records the demonstration on the built-in clip into out/demo_bag, writes the labels beside it, and evaluates the
# recording. A recording that is there already is replaced, so the folder cannot be chosen; not if somebody has
# corrected its labels.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
out=out/demo_bag
mkdir -p out
exec 9>> "$out.lock" # until the last process of this script ends
if ! flock --nonblock 9; then
    echo "demo-bag: process $(cat "$out.lock") is recording into $out already" >&2
    exit 1
fi
echo $$ > "$out.lock"
if [ -e "$out/labels.csv" ] && ! sha256sum --status --check "$out.labels.sha256" 2> /dev/null; then
    echo "demo-bag: $out/labels.csv is not as it was written; move $out away to record it again" >&2
    exit 1
fi
rm -rf "$out"
# framerate 30: the clip's 472 frames take 15.7 s. The deep queue keeps images for a recorder that is held up.
python -m emotion_perception.ros.demo --seconds 15 --out "${out}_run" --bag "$out" \
    --camera framerate:=30.0 --camera queue_depth:=100
python scripts/write_demo_labels.py "$out" --published "${out}_run/summary.json"
sha256sum "$out/labels.csv" > "$out.labels.sha256"
exec emotion-perception evaluate-bag "$out" --labels "$out/labels.csv" --out "${out}_report"
