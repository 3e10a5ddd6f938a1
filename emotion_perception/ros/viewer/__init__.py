# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""What web_viewer_node takes from the graph, and what it sends to other nodes."""
