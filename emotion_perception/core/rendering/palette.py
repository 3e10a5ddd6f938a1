# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The colors of the emotions, the same in the overlay, markers, plots, reports and pages.

The seven emotions have the colors of Okabe and Ito, "Color Universal Design" (https://jfly.uni-koeln.de/color/, 2008),
which people with protanopia, deuteranopia and tritanopia can tell apart; contempt has "wine" of Paul Tol's muted scheme
(https://sronpersonalpages.nl/~pault/). The color is never the only cue: a label stands beside it.
"""

from types import MappingProxyType

EMOTION_COLORS = MappingProxyType(
    {
        "anger": "#D55E00",  # vermillion
        "disgust": "#009E73",  # bluish green
        "fear": "#CC79A7",  # reddish purple
        "happiness": "#F0E442",  # yellow
        "sadness": "#0072B2",  # blue
        "surprise": "#E69F00",  # orange
        "neutral": "#56B4E9",  # sky blue
        "contempt": "#882255",  # wine
    }
)
OTHER_COLOR = "#775533"
UNCERTAIN_COLOR = "#DDDDDD"
DARK_TEXT, LIGHT_TEXT = "#191919", "#F5F5F5"


def label_color(label: str, *, uncertain: bool = False) -> str:
    """Returns the color of a label as `#RRGGBB`.

    Args:
        label: of an emotion; any other one has `OTHER_COLOR`.
        uncertain: whether the prediction is below the confidence threshold, which has `UNCERTAIN_COLOR` for each label.
    """
    return UNCERTAIN_COLOR if uncertain else EMOTION_COLORS.get(label, OTHER_COLOR)


def text_color(ground: str) -> str:
    """Returns the color of text on a ground of that color, dark or light, whichever has the higher contrast (WCAG)."""
    light, dark, own = (_luminance(color) for color in (LIGHT_TEXT, DARK_TEXT, ground))
    return LIGHT_TEXT if (light + 0.05) / (own + 0.05) > (own + 0.05) / (dark + 0.05) else DARK_TEXT


def rgb(color: str) -> tuple[int, int, int]:
    """Returns red, green and blue, 0..255, of a color `#RRGGBB`."""
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)


def bgr(color: str) -> tuple[int, int, int]:
    """Returns blue, green and red, 0..255, of a color `#RRGGBB`: the order of OpenCV."""
    red, green, blue = rgb(color)
    return blue, green, red


def rgb_fractions(color: str) -> tuple[float, float, float]:
    """Returns red, green and blue, 0..1, of a color `#RRGGBB`."""
    red, green, blue = rgb(color)
    return red / 255, green / 255, blue / 255


def _luminance(color: str) -> float:
    """Returns the relative luminance, 0..1, as the WCAG define it."""
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in rgb_fractions(color)
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
