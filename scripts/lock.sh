#!/usr/bin/env bash
# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
# Resolves requirements/*.in into the locks of every distribution: DISTRO.txt (run time and build), DISTRO-bags.txt (the
# same and what recordings need), DISTRO-test.txt (the same and what tests, checks and training need) and
# DISTRO-bench.txt (the same and what is compared with), and docs.in into docs.txt. Python 3.11 and 3.12, x86-64 Linux.
# Before that those of the peers that scripts/bench_peers.sh measures, each for itself:
#
#   scripts/lock.sh [peers]   only those
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../requirements"

python="$(../scripts/find_python.sh)"
tools="$(mktemp -d)"
trap 'rm -rf "$tools"' EXIT
"$python" -m venv "$tools"
"$tools/bin/pip" install --quiet --disable-pip-version-check uv

compile() { # OUTPUT INPUT... [OPTIONS]
    local output="$1"
    shift
    {
        echo "# Made by 'make lock' from $*: do not edit."
        "$tools/bin/uv" pip compile --quiet --universal --python-version 3.11 --no-header --no-annotate "$@" | filter
    } > "$tools/out"
    cp "$tools/out" "$output"
    echo "requirements/$output: $(grep -c == "$output") packages"
}

filter() { cat; } # a peer's lock keeps them: its old torch exists only as CUDA build, which does not start without them
for input in peer-*.in; do
    compile "${input%.in}.txt" "$input"
done
[ "${1:-}" = peers ] && exit 0
compile docs.txt docs.in

# The other locks leave out the CUDA libraries: pip adds them where it installs the CUDA build of torch.
filter() { sed -E '/^(nvidia-|cuda-|triton)/d; s/^(torch==[0-9.]+)\+[a-z0-9]+/\1/'; }
for distro in jazzy kilted; do
    compile "$distro.txt" "$distro.in"
    compile "$distro-bags.txt" "$distro.in" bags.in -c "$distro.txt"
    compile "$distro-test.txt" "$distro.in" test.in -c "$distro-bags.txt"
    compile "$distro-bench.txt" "$distro.in" test.in bench.in -c "$distro-test.txt"
done
