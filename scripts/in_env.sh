#!/usr/bin/env bash
# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
# Runs a command inside the environment of $DISTRO:  scripts/in_env.sh COMMAND [ARGUMENT...]
set -e
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
if [ "${EMOTION_PERCEPTION_ROS:-}" = wheels ]; then # the shell has sourced env.sh, maybe for the other distribution
    unset AMENT_PREFIX_PATH CMAKE_PREFIX_PATH COLCON_PREFIX_PATH PYTHONPATH LD_LIBRARY_PATH EMOTION_PERCEPTION_ROS
    unset EMOTION_PERCEPTION_DISTRO
    if [ "${LAN:-0}" = 1 ]; then
        unset ROS_AUTOMATIC_DISCOVERY_RANGE
    fi
fi
. "$here/env.sh"
exec "$@"
