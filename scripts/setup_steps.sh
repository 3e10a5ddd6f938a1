# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
# The steps of scripts/setup.sh, which sources this. They read: root distro mode venv logs lock.

fail() { # TEXT: one line, status 1
    echo "emotion_perception: $*" >&2
    exit 1
}

say() { # TEXT: a progress line with the elapsed time
    printf '[%3ds] %s\n' "$SECONDS" "$*"
}

digest() { # TEXT...: prints the SHA-256 of the arguments and of standard input
    { printf '%s\n' "$@" && cat; } | sha256sum | cut -d' ' -f1
}

stamped() { # FILE HASH: returns 0 if the step was done with these inputs
    [ "$(cat "$1" 2> /dev/null)" = "$2" ]
}

step() { # LABEL LOG COMMAND...: runs a command with its output in the log; prints progress; fails with the log's last lines
    local label="$1" log="$logs/$2.log" next=$((SECONDS + 10))
    shift 2
    say "$label"
    set -m # a process group of its own, so that what the command has started ends with it
    "$@" < /dev/null > "$log" 2>&1 9>&- &
    local child=$!
    set +m
    trap 'kill -- "-$child" 2> /dev/null; wait "$child" 2> /dev/null || true; exit 130' INT TERM HUP
    while kill -0 "$child" 2> /dev/null; do
        sleep 0.2
        [ "$SECONDS" -lt "$next" ] && continue
        say "  ... $(grep -v WARNING "$log" | tail -n 1 | tr -d '\r' | cut -c1-100)"
        next=$((SECONDS + 10))
    done
    trap - INT TERM HUP
    wait "$child" && return 0
    explain_failure "$label" "$log"
}

explain_failure() { # LABEL LOG
    local unreachable='NewConnectionError|NameResolutionError|ConnectTimeoutError|ReadTimeoutError|ProxyError|URLError|unreachable'
    if grep -qE "$unreachable" "$2"; then
        fail "no network: $1: the package index cannot be reached (details: ${2#"$root"/})"
    fi
    if grep -q 'from versions: none' "$2"; then
        fail "no network, or the package index lacks $(sed -nE 's/.*requirement (\S+) \(from versions: none.*/\1/p' "$2" | head -n 1) (details: ${2#"$root"/})"
    fi
    tail -n 15 "$2" >&2
    fail "$1 failed (the whole log: ${2#"$root"/})"
}

check_folder() { # colcon's scripts fail at blanks, ROS's CMake files at other letters, and PATH at a colon
    case "$(printf %s "$root" | LC_ALL=C tr -d 'A-Za-z0-9/._+@,=~-')" in
        ?*) fail "ROS cannot be built in the folder $root: move it to one whose path has only ASCII letters, digits and / . _ + @ , = ~ -" ;;
    esac
}

check_machine() {
    [ "$(uname -s)" = Linux ] || fail "unsupported system $(uname -s): Linux only"
    [ "${mode:-wheels}" = apt ] || [ "$(uname -m)" = x86_64 ] || fail "unsupported processor $(uname -m): the ROS wheels are for x86_64; source a ROS from apt instead"
    command -v "${CC:-cc}" > /dev/null || fail "no C compiler (${CC:-cc}); on Debian and Ubuntu: apt install build-essential"
    command -v "${CXX:-c++}" > /dev/null || fail "no C++ compiler (${CXX:-c++}); on Debian and Ubuntu: apt install build-essential"
}

check_apt_packages() { # what package.xml has from apt, and pip must not bring beside it
    local missing
    missing="$("$venv/bin/python" -c 'import importlib.util as u, sys
print(*(name for name in sys.argv[1:] if u.find_spec(name) is None))' cv2 jinja2 matplotlib numpy sklearn tqdm yaml)"
    [ -z "$missing" ] || fail "this ROS lacks the Python packages $missing; run: rosdep install --from-paths . --ignore-src -y --skip-keys 'mcap-ros2-support python3-onnxruntime-pip python3-rosbags-pip'"
}

ros_mode() { # DISTRO: prints apt where this very ROS is sourced and works, else wheels
    # EMOTION_PERCEPTION_ROS is what env.sh left in a shell that uses the wheels.
    if [ -z "${ROS_DISTRO:-}" ] || [ "${EMOTION_PERCEPTION_ROS:-apt}" = wheels ]; then
        echo wheels
    elif [ "$ROS_DISTRO" != "$1" ]; then
        fail "ROS $ROS_DISTRO is sourced in this shell but DISTRO=$1 was asked for: use a shell without it"
    elif "${PYTHON:-python3}" -c 'import rclpy' 2> /dev/null; then
        command -v colcon > /dev/null || fail "no colcon; on Debian and Ubuntu: apt install python3-colcon-common-extensions"
        echo apt
    else
        fail "ROS_DISTRO is $ROS_DISTRO but ${PYTHON:-python3} cannot import rclpy: source its setup.bash again, or unset ROS_DISTRO"
    fi
}

make_venv() {
    local python identity
    # Without PYTHON the environment keeps the Python that made it.
    python="${PYTHON:-$(sed -n 3p "$venv/.identity" 2> /dev/null || true)}"
    if [ "$mode" = apt ]; then
        python="$("${PYTHON:-python3}" -c 'import os, sys; print(os.path.realpath(sys._base_executable))')"
    elif ! python="$(PYTHON="$python" scripts/find_python.sh 2> /dev/null)"; then
        python="$(scripts/find_python.sh)" || exit 1
    fi
    identity="$(printf '%s\n' "$root" "$mode" "$python" "$("$python" -c 'import sys; print(sys.version.split()[0])')")"
    if stamped "$venv/.identity" "$identity" && [ ! -e "$venv/.installing" ]; then
        return 0
    fi
    rm -rf "$venv" "build-$distro" "install-$distro"
    step "making .venv-$distro with $python" venv "$python" -m venv $([ "$mode" = apt ] && echo --system-site-packages) "$venv"
    echo "$identity" > "$venv/.identity"
}

make_docs_venv() { # LOCK
    local python hash
    python="$(scripts/find_python.sh)" || exit 1
    hash="$(digest docs "$python" < "$1")"
    stamped .venv-docs/.docs "$hash" && return 0
    rm -rf .venv-docs
    step "making .venv-docs with $python" docs-venv env -u PYTHONPATH "$python" -m venv .venv-docs
    install_lock pip-docs .venv-docs "$1"
    echo "$hash" > .venv-docs/.docs
}

install_lock() { # LOG VENV LOCK [OPTION...]: exactly the files whose hashes are in the lock; pip looks for nothing else
    local log="$1" python="$2/bin/python" lock="$3"
    shift 3
    local pip=(env -u PYTHONPATH "$python" -m pip install --disable-pip-version-check --no-input --retries 2 --require-hashes
        --no-deps --no-build-isolation "$@")
    if grep -q '^setuptools==' "$lock"; then # it builds what is published as source only; pip's own choice has no hash
        sed -n '/^setuptools==/,/[^\\]$/p' "$lock" > "$logs/$log-setuptools.txt"
        step "installing setuptools" "$log-setuptools" "${pip[@]}" -r "$logs/$log-setuptools.txt"
    fi
    step "installing the packages of $lock, $(grep -c '^[A-Za-z]' "$lock") of them" "$log" "${pip[@]}" -r "$lock"
}

install_packages() { # LEVEL LOCK [OPTION...]
    local level="$1" lock="$2" hash
    shift 2
    hash="$(cat "$lock" scripts/fix_wheel_paths.py | digest "$level")"
    stamped "$venv/.$level" "$hash" && return 0
    touch "$venv/.installing"
    install_lock "pip-$level" "$venv" "$lock" "$@"
    if [ "$mode" = wheels ]; then
        step "adapting the wheels' CMake files to this environment" fix "$venv/bin/python" scripts/fix_wheel_paths.py
    fi
    rm -f "$venv/.installing"
    echo "$hash" > "$venv/.$level"
}

install_torch() { # the build without CUDA where pip is configured for an index or folder that has it
    local hash
    hash="$(cat requirements/torch-cpu.txt requirements/torch-cuda.txt | digest torch)"
    stamped "$venv/.torch" "$hash" && return 0
    if ! (install_lock pip-torch-cpu "$venv" requirements/torch-cpu.txt --no-compile) 2> /dev/null; then
        say "no index offers torch without CUDA: several GB follow; CONTRIBUTING.md says how to avoid that"
        install_lock pip-torch-cuda "$venv" requirements/torch-cuda.txt --no-compile
    fi
    echo "$hash" > "$venv/.torch"
}

build_package() {
    local hash
    # Python files are linked, not copied: only a new or vanished one asks for a build. The programs are copied.
    hash="$({
        cat CMakeLists.txt package.xml msg/*.msg srv/*.srv "$venv/.identity" "$venv/.runtime"
        find scripts -maxdepth 1 -type f -not -name '*.*' | LC_ALL=C sort | xargs cat
        find emotion_perception scripts $(ls -d launch config rviz 2> /dev/null) -type f -not -path '*/__pycache__/*' | LC_ALL=C sort
    } | digest build)"
    stamped "build-$distro/.built" "$hash" && return 0
    mkdir -p "build-$distro"
    # CMake refuses numpy's headers inside the source tree, where the environment is; by this link they are outside.
    ln -sfn .. "build-$distro/source"
    if [ -d "install-$distro" ]; then
        find "install-$distro" -xtype l -delete # links to files that are gone
    fi
    step "building messages and package with colcon" colcon colcon_build
    ln -sfn ../../scripts/emotion-perception "$venv/bin/emotion-perception"
    echo "$hash" > "build-$distro/.built"
}

colcon_build() {
    export PATH="$venv/bin:$PATH"
    export MAKEFLAGS="-j$(nproc)" # colcon's own choice waits for a low load, which a busy machine does not have
    if [ "$mode" = wheels ]; then
        export AMENT_PREFIX_PATH="$venv" CMAKE_PREFIX_PATH="$venv"
    fi
    colcon --log-base "log-$distro" build --paths "build-$distro/source" --build-base "build-$distro" \
        --install-base "install-$distro" --merge-install --symlink-install \
        --cmake-args "-DPython3_EXECUTABLE=$venv/bin/python" -DCMAKE_BUILD_TYPE=Release
}

fetch_files() { # NAME...: A,B takes B where A cannot be had
    local names name
    for names in "$@"; do
        [ -n "${names//,/}" ] || fail "'$names' names no file to fetch"
        for name in ${names//,/ }; do
            fetch_file "$name" && continue 2
        done
        exit 1 # fetch has said why
    done
}

fetch_file() { # NAME
    PYTHONPATH="$root${PYTHONPATH:+:$PYTHONPATH}" \
        "$venv/bin/python" -m emotion_perception.fetch --quiet-when-present "$1" < /dev/null 9>&-
}
