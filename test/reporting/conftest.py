# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The tests of what reports share need the packages of the extra `bags`, which the extra `training` has, too."""

import pytest

for package in ("jinja2", "matplotlib", "sklearn", "tqdm"):
    pytest.importorskip(package, reason="the bags extra is not installed: pip install emotion_perception[bags]")
