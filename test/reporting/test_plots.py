# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import cv2
import numpy as np
import pytest
from matplotlib import pyplot as plt
from model_predictions import FIVE

from emotion_perception.reporting.metrics import confusion_matrix, coverage, reliability
from emotion_perception.reporting.plots import as_data_url, as_png, draw_confusion, draw_coverage, draw_reliability


@pytest.fixture(autouse=True)
def _no_figure_stays():
    yield
    plt.close("all")


def test_a_figure_becomes_an_image_and_is_closed():
    figure = draw_coverage(coverage(FIVE, 0.5))
    png = as_png(figure)
    assert cv2.imdecode(np.frombuffer(png, np.uint8), 0).std() > 5
    assert not plt.fignum_exists(figure.number)
    assert as_data_url(png).startswith("data:image/png;base64,iVBOR")


def test_the_confusion_shows_share_and_count_of_every_cell():
    figure = draw_confusion(confusion_matrix(FIVE), FIVE.labels, title="five\nimages")
    axes = figure.axes[0]
    cells = [text.get_text() for text in axes.texts]
    assert len(cells) == 16
    assert cells[:6] == ["100%\n2", "0%\n0", "0%\n0", "0%\n0", "0%\n0", "50%\n1"]
    assert figure.get_suptitle() == "five\nimages"
    assert [label.get_text() for label in axes.get_yticklabels()] == [
        f"{label}\n(n = {n})" for label, n in zip("abcd", (2, 2, 1, 0), strict=True)
    ]


def test_a_long_title_stays_within_the_image():
    title = "gender_mini_xception on utkface64.npz, test (4006 images)\naccuracy 94.2%"
    figure = draw_confusion([[9, 1], [2, 8]], ("woman", "man"), title=title)
    figure.draw_without_rendering()
    drawn = next(text for text in figure.texts if "accuracy" in text.get_text()).get_window_extent()
    assert figure.bbox.x0 <= drawn.x0
    assert drawn.x1 <= figure.bbox.x1


@pytest.mark.parametrize("titles", [["all"], ["before", "after"], ["a", "b", "c"]])
def test_every_reliability_has_its_panel(titles):
    axes = draw_reliability(dict.fromkeys(titles, reliability(FIVE)), unit="faces").axes
    upper, lower = axes[: len(titles)], axes[len(titles) :]
    assert [panel.get_title() for panel in upper] == titles
    assert [panel.patches[10].get_height() for panel in upper] == pytest.approx([0.6] * len(titles))
    assert [panel.patches[10].get_height() for panel in lower] == [5] * len(titles)
    assert lower[0].get_ylabel() == "faces"


@pytest.mark.parametrize(("threshold", "marked"), [(0.5, True), (0.9, False)])
def test_the_rule_is_marked_where_it_keeps_a_prediction(threshold, marked):
    (axes,) = draw_coverage(coverage(FIVE, threshold), unit="faces").axes
    assert axes.get_xlabel() == "coverage: fraction of faces that are not uncertain"
    assert (axes.get_legend() is not None) is marked


@pytest.mark.guarantee("A name with $ in a plot is shown as it is.", section="Programs")
def test_a_name_with_dollar_signs_is_no_formula():
    labels = ["$\\frac{$", "a$b$c", "$", "\\$x_1$"]
    png = as_png(draw_confusion(confusion_matrix(FIVE), labels, title="data of $5 and $\\frac{$"))
    assert cv2.imdecode(np.frombuffer(png, np.uint8), 0).std() > 5
