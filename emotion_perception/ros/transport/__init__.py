# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Subscriptions and publishers of the nodes; nodes of one process exchange messages by `ros.intra_process`."""
