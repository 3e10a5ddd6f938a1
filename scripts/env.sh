# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
# To be sourced by bash or zsh, from any folder:  source scripts/env.sh
#
# Makes this package, its messages and its ROS usable in this shell. Reads, and leaves alone where set:
#   DISTRO                                 jazzy (default) or kilted: which environment
#   LAN=1                                  lets other machines see the nodes; otherwise their sockets are bound to
#                                          127.0.0.1 (Fast DDS with this package's profile)
#   EMOTION_PERCEPTION_NO_FASTDDS_PROFILE=1   leaves Fast DDS at its defaults (or at a profile of your own)
#   ROS_DOMAIN_ID, ROS_AUTOMATIC_DISCOVERY_RANGE, FASTRTPS_DEFAULT_PROFILES_FILE, FASTDDS_DEFAULT_PROFILES_FILE

_ep_prepend() { # NAME FOLDER: puts FOLDER first in the list NAME, once
    eval "_ep_list=\${$1-}"
    case ":$_ep_list:" in
        *":$2:"*) ;;
        *) export "$1=$2${_ep_list:+:$_ep_list}" ;;
    esac
}

_ep_without_empty() { # NAME: removes the empty entries of a list, which stand for the current folder
    eval "_ep_list=:\${$1-}:"
    while case "$_ep_list" in *::*) true ;; *) false ;; esac; do
        _ep_list="${_ep_list%%::*}:${_ep_list#*::}"
    done
    _ep_list="${_ep_list#:}"
    if [ -n "$_ep_list" ]; then export "$1=${_ep_list%:}"; else unset "$1"; fi
}

_ep_forget() { # ROOT: unsets what an earlier sourcing of this file has set for the middleware
    case "${FASTDDS_DEFAULT_PROFILES_FILE:-}" in
        "$1/config/fastdds.xml") unset FASTDDS_DEFAULT_PROFILES_FILE FASTRTPS_DEFAULT_PROFILES_FILE ;;
        "$1/config/fastdds_loopback.xml")
            unset FASTDDS_DEFAULT_PROFILES_FILE FASTRTPS_DEFAULT_PROFILES_FILE ROS_AUTOMATIC_DISCOVERY_RANGE
            ;;
    esac
    return 0
}

_ep_may_set_profile() { # whether nodes will read a profile that this file names
    [ "${EMOTION_PERCEPTION_NO_FASTDDS_PROFILE:-0}" != 1 ] || return 1
    [ -z "${FASTDDS_DEFAULT_PROFILES_FILE:-}${FASTRTPS_DEFAULT_PROFILES_FILE:-}" ] || return 1
    case "${RMW_IMPLEMENTATION:-rmw_fastrtps_cpp}" in
        rmw_fastrtps*) return 0 ;;
        *) return 1 ;;
    esac
}

_ep_defaults() { # ROOT: how the middleware behaves
    _ep_forget "$1"
    _ep_profile="$1/config/fastdds.xml"
    if [ "${LAN:-0}" != 1 ]; then
        [ "${ROS_DISTRO:-}" = humble ] && export ROS_LOCALHOST_ONLY="${ROS_LOCALHOST_ONLY:-1}"
        export ROS_AUTOMATIC_DISCOVERY_RANGE="${ROS_AUTOMATIC_DISCOVERY_RANGE:-LOCALHOST}"
        if [ "$ROS_AUTOMATIC_DISCOVERY_RANGE" = LOCALHOST ] && _ep_may_set_profile; then
            _ep_profile="$1/config/fastdds_loopback.xml"
            export ROS_AUTOMATIC_DISCOVERY_RANGE=SYSTEM_DEFAULT # see the profile
        fi
    fi
    if _ep_may_set_profile; then
        export FASTDDS_DEFAULT_PROFILES_FILE="$_ep_profile"
        case "$DISTRO" in # Fast DDS 2 knows this name only, Fast DDS 3 complains of it
            humble | iron | jazzy) export FASTRTPS_DEFAULT_PROFILES_FILE="$_ep_profile" ;;
        esac
    fi
    return 0
}

_ep_main() { # ROOT
    DISTRO="${DISTRO:-${EMOTION_PERCEPTION_DISTRO:-${ROS_DISTRO:-jazzy}}}"
    _ep_venv="$1/.venv-$DISTRO"
    _ep_install="$1/install-$DISTRO"
    if [ "${EMOTION_PERCEPTION_DISTRO:-$DISTRO}" != "$DISTRO" ]; then
        echo "emotion_perception: this shell is set up for $EMOTION_PERCEPTION_DISTRO: use another one for $DISTRO" >&2
        return 1
    fi
    case "${LAN:-0}" in
        0 | 1) ;;
        *) echo "emotion_perception: LAN=$LAN is neither 0 nor 1" >&2; return 1 ;;
    esac
    if [ ! -e "$_ep_venv/bin/activate" ] || [ ! -e "$_ep_install/local_setup.sh" ]; then
        echo "emotion_perception: no environment for $DISTRO yet: run 'make env DISTRO=$DISTRO' first" >&2
        return 1
    fi
    . "$_ep_venv/bin/activate"
    export EMOTION_PERCEPTION_DISTRO="$DISTRO" EMOTION_PERCEPTION_ROS=apt
    if [ -d "$_ep_venv/share/ament_index" ]; then # ROS from wheels
        export EMOTION_PERCEPTION_ROS=wheels
        unset _ROS_WHEELS_BOOTSTRAP_COMPLETE # their Python finds its libraries anew
        _ep_prepend AMENT_PREFIX_PATH "$_ep_venv"
        _ep_prepend CMAKE_PREFIX_PATH "$_ep_venv"
    fi
    COLCON_CURRENT_PREFIX="$_ep_install"
    _ep_nounset=""
    case "$-" in *u*) _ep_nounset=1 ;; esac
    set +u # colcon's files read variables that may not be set
    if [ "$EMOTION_PERCEPTION_ROS" = apt ] && [ -z "${ROS_DISTRO:-}" ]; then
        . "$_ep_install/setup.sh" # also the ROS that it was built with
    else
        . "$_ep_install/local_setup.sh"
    fi
    [ -z "$_ep_nounset" ] || set -u
    unset COLCON_CURRENT_PREFIX
    _ep_without_empty LD_LIBRARY_PATH # as colcon's hooks may leave them: libraries would load from any folder
    _ep_without_empty PYTHONPATH
    _ep_defaults "$1"
}

if [ -n "${BASH_SOURCE:-}" ]; then
    _ep_here="${BASH_SOURCE[0]}"
elif [ -n "${ZSH_VERSION:-}" ]; then
    eval '_ep_here="${(%):-%x}"'
else
    echo "emotion_perception: source scripts/env.sh from bash or zsh" >&2
    return 1
fi
_ep_main "$(cd "$(dirname "$_ep_here")/.." && pwd)"
_ep_status=$?
unset -f _ep_prepend _ep_without_empty _ep_forget _ep_may_set_profile _ep_defaults _ep_main
unset _ep_here _ep_list _ep_venv _ep_install _ep_profile _ep_nounset
return $_ep_status
