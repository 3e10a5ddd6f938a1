#!/usr/bin/env bash
# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
# Prints a Python that can make the environment: $PYTHON, else the first of python3.12, python3.11 and python3 that
# really runs (a pyenv shim may exist and fail) and is complete. One line on stderr and status 1 where there is none.
set -u

probe='
import importlib.util, os, sys, sysconfig
wanted = os.environ.get("EMOTION_PERCEPTION_PYTHONS", "3.11 3.12").split()
version = "%d.%d" % sys.version_info[:2]
header = os.path.join(sysconfig.get_path("include"), "Python.h")
if version not in wanted:
    sys.exit("is Python %s; supported are %s" % (version, " and ".join(wanted)))
if sys.maxsize < 2**32:
    sys.exit("is a 32-bit Python; supported are 64-bit ones")
if not all(importlib.util.find_spec(name) for name in ("venv", "ensurepip")):
    sys.exit("has no venv module; on Debian and Ubuntu: apt install python%s-venv" % version)
if not os.path.exists(header):
    sys.exit("has no %s, which the messages need to compile; on Debian and Ubuntu: apt install python%s-dev" % (header, version))
print(os.path.realpath(sys._base_executable))  # not that of an environment that is active here, maybe the one to be made anew
'

first_reason=""
if [ -n "${PYTHON:-}" ]; then # one program, whatever its path
    set -- "$PYTHON"
else
    set -- python3.12 python3.11 python3
fi
for candidate in "$@"; do
    command -v "$candidate" > /dev/null 2>&1 || continue
    if answer="$("$candidate" -c "$probe" 2>&1)"; then
        echo "$answer"
        exit 0
    fi
    case "$answer" in # anything else is a shim that does not run
        "is "* | "has "*) first_reason="${first_reason:-$candidate $answer}" ;;
    esac
done
if [ -n "${PYTHON:-}" ]; then
    echo "emotion_perception: PYTHON=$PYTHON ${first_reason:+cannot be used: $first_reason}${first_reason:-does not run}" >&2
else
    echo "emotion_perception: no usable Python 3.11 or 3.12${first_reason:+: $first_reason}; name one with PYTHON=/path/to/python3.12" >&2
fi
exit 1
