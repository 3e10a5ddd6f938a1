#!/usr/bin/env bash
# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
# Resolves requirements/*.in into the locks, requirements/*.txt, each with the SHA-256 of every file of every package. A
# version that is locked already stays where it still fits.
#
#   scripts/lock.sh [--upgrade] [peers]   --upgrade: the newest versions; peers: only those that scripts/bench_peers.sh measures
#
# DISTRO.txt is run time and build where ROS comes from wheels; DISTRO-bags.txt, DISTRO-web.txt, DISTRO-test.txt and
# DISTRO-bench.txt are the same and more. ros-apt.txt, ros-apt-web.txt and ros-apt-test.txt are for a ROS from apt,
# no-ros.txt is for pip without ROS, no-ros-training.txt the same with the training: Python 3.10 and later, any processor.
# torch is in none of them: torch-cpu.txt is its build without CUDA, torch-cuda.txt the other one.
# PIP_EXTRA_INDEX_URL names the index of the build without CUDA; without it torch-cpu.txt stays as it is.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/uv_environment.sh
cd requirements

upgrade=()
[ "${1:-}" = --upgrade ] && upgrade=(--upgrade) && shift
[ $# -eq 0 ] || [ "$*" = peers ] || { echo "usage: scripts/lock.sh [--upgrade] [peers]" >&2 && exit 2; }

compile() { # OUTPUT PYTHON INPUT... [OPTIONS]: OUTPUT is valid from this Python on
    local output="$1" python_version="$2"
    shift 2
    [ ! -e "$output" ] || cp "$output" "$tools/out.txt" # uv keeps its versions
    "$tools/bin/uv" pip compile --quiet --universal --python-version "$python_version" --generate-hashes --no-header \
        --no-annotate --output-file "$tools/out.txt" "${upgrade[@]}" "$@"
    { echo "# Made by 'make lock' from $*: do not edit." && filter < "$tools/out.txt"; } > "$output"
    rm "$tools/out.txt"
    echo "requirements/$output: $(grep -c == "$output") packages"
}

filter() { cat; }
drop() { # PATTERN [!]: leaves out the packages whose names match, with the lines of their hashes; with ! the others
    awk -v pattern="$1" -v others="${2:-}" '/^[a-z0-9]/ { dropped = ($0 ~ pattern) != (others != "") } !dropped'
}

for input in peer-*.in; do
    compile "${input%.in}.txt" 3.11 "$input"
done
[ "${1:-}" = peers ] && exit 0
compile tools.txt 3.11 tools.in
compile docs.txt 3.11 docs.in
compile video.txt 3.10 video.in
compile window.txt 3.10 window.in
compile no-ros.txt 3.10 ../pyproject.toml no-ros.in --extra bags

torch='^(torch==|nvidia-|cuda-|triton)'
filter() { drop "$torch"; }
compile no-ros-training.txt 3.10 ../pyproject.toml no-ros.in --extra bags --extra training -c no-ros.txt
compile ros-apt.txt 3.10 ros-apt.in
compile ros-apt-web.txt 3.10 ros-apt.in web.in -c ros-apt.txt
compile ros-apt-test.txt 3.10 ros-apt-test.in -c ros-apt-web.txt -c video.txt -c window.txt
for distro in jazzy kilted; do
    compile "$distro.txt" 3.11 "$distro.in"
    compile "$distro-bags.txt" 3.11 "$distro.in" bags.in -c "$distro.txt"
    compile "$distro-web.txt" 3.11 "$distro.in" web.in -c "$distro-bags.txt"
    compile "$distro-test.txt" 3.11 "$distro.in" test.in -c "$distro-bags.txt" -c "$distro-web.txt" -c video.txt -c window.txt
    compile "$distro-bench.txt" 3.11 "$distro.in" test.in bench.in -c "$distro-test.txt"
done

filter() { drop "$torch" !; }
compile torch-cuda.txt 3.10 torch-cuda.in
if [ -z "${PIP_EXTRA_INDEX_URL:-}" ]; then
    echo "requirements/torch-cpu.txt stays: PIP_EXTRA_INDEX_URL names no index that has the build without CUDA"
else
    compile torch-cpu.txt 3.11 torch-cpu.in --no-deps --index "$PIP_EXTRA_INDEX_URL"
fi
