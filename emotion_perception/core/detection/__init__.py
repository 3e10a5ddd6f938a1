# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Face detectors behind one interface, and the filter that rejects non-faces."""
