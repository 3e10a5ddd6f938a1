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
TRAINED = {"data": {"sha256": "d" * 64, "train_split": "Training", "epoch_selected_on": "PublicTest"}}
TRAINED_EARLIER = {"data": {"sha256": "d" * 64, "learnt_from": "Training", "epoch_chosen_on": "PublicTest"}}


def rows(**counts):
    return {label: {"n": n, "recall": recall} for label, (n, recall) in counts.items()}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "not what the person felt"),
        ({}, "4 of the images are also in another split"),
        ({}, "Covered, blurred, dark, small and rotated faces were not measured"),
        ({}, "Whether subgroups of people are recognized equally well was not measured"),
        ({"left_out": {"corrupt image": 3}}, "Left out when the dataset was read: 3 x corrupt image."),
        ({"per_class": rows(anger=(29, 0.1), fear=(30, 0.5))}, "Fewer than 30 images: anger (29);"),
        ({"per_class": rows(anger=(0, 0), fear=(30, 0.5))}, "Classes without images: anger."),
        (
            {"per_class": rows(anger=(29, 0.1), fear=(30, 0.5), neutral=(30, 0.6))},
            "Lowest recall: fear, 50.0% of 30 images.",
        ),
        (
            {"robustness": ROBUSTNESS},
            "Largest loss of accuracy: small face, from 70.0% to 5.0% at the highest severity.",
        ),
        ({"subgroups": GROUPS}, "tone: too few images to compare: dark (12)."),
    ],
)
def test_the_limitations_come_from_the_metrics(make_report, changes, words):
    assert any(words in limit for limit in make_report(**changes)["limitations"])


@pytest.mark.parametrize(
    ("split", "data_sha256", "words"),
    [
        ("Training", "d" * 64, "was trained on these images"),
        ("PublicTest", "d" * 64, "epoch was selected on this split"),
        ("PrivateTest", "d" * 64, None),
        ("Training", "e" * 64, None),
    ],
)
@pytest.mark.parametrize("metadata", [TRAINED, TRAINED_EARLIER])
def test_the_use_of_the_images_in_training_is_a_limitation(make_report, metadata, split, data_sha256, words):
    limits = " ".join(make_report(metadata, split=split, data_sha256=data_sha256)["limitations"])
    found = [text for text in ("was trained on these images", "epoch was selected on this split") if text in limits]
    assert found == ([words] if words else [])
