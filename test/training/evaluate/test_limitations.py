# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import pytest

ROBUSTNESS = {
    "min_confidence": 0.5,
    "unchanged": {"accuracy": 0.7, "abstention": 0.1},
    "changes": {
        "blur": {"severity": "sigma", "steps": [{"severity": 1, "accuracy": 0.1, "abstention": 0.2}] * 2},
        "small_face": {"severity": "side", "steps": [{"severity": 1, "accuracy": 0.05, "abstention": 0.2}]},
    },
}
GROUPS = {"file": "g.csv", "columns": {"tone": {"groups": {"light": {"n": 50}, "dark": {"n": 12}}}}}
LEARNT = {"data": {"sha256": "d" * 64, "learnt_from": "Training", "epoch_chosen_on": "PublicTest"}}


def rows(**counts):
    return {label: {"n": n, "recall": recall} for label, (n, recall) in counts.items()}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "not what the person felt"),
        ({}, "4 of the images also stand in another split"),
        ({}, "Covered, blurred, dark, small and turned faces were not examined"),
        ({}, "Whether groups of people are recognized equally well was not examined"),
        ({"left_out": {"corrupt image": 3}}, "Left out when the data was read: 3 x corrupt image."),
        ({"per_class": rows(anger=(29, 0.1), fear=(30, 0.5))}, "Fewer than 30 images: anger (29);"),
        ({"per_class": rows(anger=(0, 0), fear=(30, 0.5))}, "No image: anger."),
        (
            {"per_class": rows(anger=(29, 0.1), fear=(30, 0.5), neutral=(30, 0.6))},
            "Least often recognized: fear, 50.0% of 30 images.",
        ),
        ({"robustness": ROBUSTNESS}, "Hurts most: small face, from 70.0% to 5.0% at the strongest step."),
        ({"groups": GROUPS}, "tone: too few images for a claim: dark (12)."),
    ],
)
def test_the_limits_are_made_from_the_figures(make_report, changes, words):
    assert any(words in limit for limit in make_report(**changes)["limits"])


@pytest.mark.parametrize(
    ("split", "data_sha256", "words"),
    [
        ("Training", "d" * 64, "has learnt from these images"),
        ("PublicTest", "d" * 64, "chose the epoch of the model"),
        ("PrivateTest", "d" * 64, None),
        ("Training", "e" * 64, None),
    ],
)
def test_it_is_said_where_the_model_met_the_images_before(make_report, split, data_sha256, words):
    limits = " ".join(make_report(LEARNT, split=split, data_sha256=data_sha256)["limits"])
    found = [text for text in ("has learnt from these images", "chose the epoch of the model") if text in limits]
    assert found == ([words] if words else [])
