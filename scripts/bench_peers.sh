#!/usr/bin/env bash
# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
# Measures this package and comparable packages on the same frames:
#
#   scripts/bench_peers.sh [NAME...]      names of the list below (default: all)
#
# DATA is fer2013.npz, for the accuracy on PublicTest, which is not measured without it. Each peer has its own environment,
# .venv-peer-*, which is made again when its lock file changes. The results are JSON files in out/bench/peers, one for each
# peer and number of threads; the file of a peer that cannot be installed or run holds the last line of its error. Run
# nothing else on the machine meanwhile.
set -uo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
cd "$root"
. scripts/setup_steps.sh
out="$root/out/bench/peers"
logs="$out/log"
mkdir -p "$logs"

# name, environment, program with options
peers="
ours            project    measure_ours.py
ours-every-frame project   measure_ours.py --detection-interval 1
ours-float32    project    measure_ours.py --detection-interval 1 --precision float32
ours-centerface project    measure_ours.py --detection-interval 1 --precision float32 --detector centerface --detection-size 320
fer             fer        measure_fer.py
fer-keras       fer        measure_fer.py --network keras
fer-mtcnn       fer        measure_fer.py --detector mtcnn
facial          facial     measure_facial.py
deepface        deepface   measure_deepface.py
mediapipe       mediapipe  measure_mediapipe.py
plain-keras     fer        measure_plain_keras.py
plain-torch     project    measure_plain_torch.py
"

project() { # ARGUMENTS...: Python with this package
    PYTHONPATH="$root" "${PROJECT_PYTHON:-python}" "$@"
}

make_environment() { # NAME; returns 1 if it cannot be installed
    local venv="$root/.venv-peer-$1" lock="requirements/peer-$1.txt" python hash
    python="$(PYTHON="" EMOTION_PERCEPTION_PYTHONS=3.11 scripts/find_python.sh)" || return 1
    hash="$(digest "$python" < "$lock")"
    stamped "$venv/.lock" "$hash" && return 0
    rm -rf "$venv"
    (step "making .venv-peer-$1" "venv-$1" "$python" -m venv "$venv") || return 1
    (install_lock "pip-$1" "$venv" "$lock" --no-compile) || return 1
    echo "$hash" > "$venv/.lock"
}

measure() { # NAME ENVIRONMENT THREADS PROGRAM [OPTIONS...]
    local name="$1" environment="$2" threads="$3" python file log
    shift 3
    python="$root/.venv-peer-$environment/bin/python"
    [ "$environment" = project ] && python="${PROJECT_PYTHON:-python}"
    file="$out/$name.json"
    [ "$threads" != 0 ] && file="$out/$name-$threads-threads.json"
    log="$logs/$name-$threads.log"
    say "$name, threads: $([ "$threads" = 0 ] && echo default || echo "$threads")"
    local program="scripts/peers/$1" data=()
    shift
    [ -n "${DATA:-}" ] && [ "$threads" = 0 ] && data=(--data "$DATA")
    # PYTHONPATH is for the two programs that import this package
    if PYTHONPATH="$root" TF_CPP_MIN_LOG_LEVEL=2 "$python" -W ignore "$program" "$@" --frames "$out/frames" \
        --threads "$threads" --out "$file" "${data[@]}" 2>&1 | tee "$log"; then
        return 0
    fi
    report_error "$file" "$(tr '\r' '\n' < "$log" | grep -v '^[[:space:]]*$' | tail -n 1)"
}

report_error() { # FILE TEXT
    "${PROJECT_PYTHON:-python}" -c 'import json, sys; print(json.dumps({"error": sys.argv[1]}, indent=2))' "$2" > "$1"
    echo "${1#"$root"/}: $2" >&2
}

if [ -z "${DATA:-}" ]; then
    echo "accuracy is not measured: set DATA (make bench-peers DATA=fer2013.npz)"
elif [ ! -f "$DATA" ]; then
    fail "DATA=$DATA: no such file"
fi
project scripts/peers/export_frames.py --out "$out/frames" --count 300 || exit 1

while read -r name environment command; do
    [ -z "$name" ] && continue
    [ $# -gt 0 ] && [[ " $* " != *" $name "* ]] && continue
    if [ "$environment" != project ] && ! make_environment "$environment"; then
        report_error "$out/$name.json" "not installed: $(tail -n 1 "$logs/pip-$environment.log" 2> /dev/null)"
        continue
    fi
    # shellcheck disable=SC2086 # the program and its options are words
    measure "$name" "$environment" 0 $command < /dev/null
    # shellcheck disable=SC2086
    [ -e "$out/$name.json" ] && ! grep -q '"error"' "$out/$name.json" && measure "$name" "$environment" 2 $command < /dev/null
done <<< "$peers"

project scripts/peers/write_peers_table.py "$out" --document "${DOCUMENT:-docs/peers.md}"
