# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Subscriptions and publishers, between processes and within one.

Nothing is exported here: `lifecycle_node` needs `intra_process`, which the other modules build on.
"""
