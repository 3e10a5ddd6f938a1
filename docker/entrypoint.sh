#!/usr/bin/env bash
# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
# Runs a command with the ROS of the image and with this package.
set -e
source "/opt/ros/$ROS_DISTRO/setup.bash"
source /opt/emotion_perception/install/local_setup.bash
exec "$@"
