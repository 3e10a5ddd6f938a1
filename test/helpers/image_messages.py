# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Image messages of any encoding."""

import array

from encoded_images import fields
from sensor_msgs.msg import Image


def image_message(pixels, encoding, **options):
    """Returns an Image of encoded pixels, see `encoded_images.fields`."""
    values = vars(fields(pixels, encoding, **options))
    return Image(**{**values, "data": array.array("B", values["data"])})
