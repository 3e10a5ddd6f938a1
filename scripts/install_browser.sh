#!/usr/bin/env bash
# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
# Installs Chromium where there is none, with apt and as root; otherwise says what is missing. The exit status is 0 in
# both cases: the tests that need a browser are then skipped with their reason.
for name in chromium chromium-browser google-chrome; do
    command -v "$name" > /dev/null && exit 0
done
if [ "$(id -u)" = 0 ] && command -v apt-get > /dev/null; then
    echo "installing Chromium with apt"
    if apt-get install -y --no-install-recommends chromium > /dev/null 2>&1 ||
        { apt-get update > /dev/null 2>&1 && apt-get install -y --no-install-recommends chromium > /dev/null 2>&1; }; then
        exit 0
    fi
    echo "apt cannot install Chromium; its tests are skipped" >&2
else
    echo "no Chromium is installed, so its tests are skipped; on Debian: apt install chromium" >&2
fi
