#!/usr/bin/env bash
# Runs the demonstration on $SOURCE until Ctrl-C, or for 15 s on the built-in clip; results go to $OUT.
# Where the clip could not be fetched, a photograph moved in front of a virtual camera stands in.
set -euo pipefail
seconds=0
source="${SOURCE:-}"
if [ -z "$source" ]; then
    seconds=15
    source="$(python -m emotion_perception.fetch --print-path demo-clip)"
    [ -e "$source" ] || source=synthetic
fi
exec python -m emotion_perception.ros.demo --source "$source" --seconds "$seconds" --out "${OUT:-out/demo}"
