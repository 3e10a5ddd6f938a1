# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The fixtures of the tests in a real browser; see `web_page`."""

from web_page import chromium, domain, nodes, open_page, ros, viewer

__all__ = ["chromium", "domain", "nodes", "open_page", "ros", "viewer"]
