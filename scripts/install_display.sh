#!/usr/bin/env bash
# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
# Installs what the tests of a window need, by apt and as root: a display in memory (Xvfb) and xdotool, which presses
# keys. Otherwise it says so, and the tests skip.
set -euo pipefail
missing=()
for package in xvfb xdotool; do
    program="${package/xvfb/Xvfb}"
    command -v "$program" > /dev/null || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get > /dev/null; then
    echo "installing ${missing[*]} (apt)"
    apt-get update -qq > /dev/null 2>&1 || true
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" > /dev/null 2>&1 &&
        exit 0
fi
echo "the tests of the window are skipped: ${missing[*]} cannot be installed here (apt-get install ${missing[*]})" >&2
