# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import inspect

import numpy as np
import pytest
import torch

from emotion_perception.core.classification.model_spec import NORMALIZATIONS, ModelSpec
from emotion_perception.core.classification.preprocessing import gray_range, to_batch
from emotion_perception.core.errors import ConfigurationError
from emotion_perception.training.export.resting_statistics import relit
from emotion_perception.training.fit.augmentation import (
    FaceOcclusion,
    LowLight,
    ScarBoxes,
    SideLight,
    SmallFaces,
    augmentation_from,
    build_augmentation,
    mix_up,
)
from emotion_perception.training.recipe import Recipe

STILL = {"flip": 0.0, "degrees": 0.0, "shift": 0.0, "scale": [1.0, 1.0]}
EVERYTHING = {
    "degrees": 10.0,
    "brightness": 0.3,
    "contrast": 0.3,
    "small": 0.5,
    "blur": 0.5,
    "dark": 0.5,
    "side_light": 0.5,
    "noise": 0.1,
    "erase": 0.5,
    "scars": 1.0,
    "occlude": 0.5,
}


def spec_for(normalization):
    return ModelSpec(architecture="x", normalization=normalization, pixel_mean=100.0, pixel_deviation=50.0)


@pytest.fixture
def images():
    return list(np.random.default_rng(0).integers(0, 256, (8, 48, 48), dtype=np.uint8))


@pytest.mark.parametrize("normalization", NORMALIZATIONS)
def test_without_changes_the_inputs_stay_what_to_input_made(images, normalization):
    spec = spec_for(normalization)
    inputs = torch.from_numpy(to_batch(images, spec))
    assert torch.allclose(augmentation_from(STILL, spec)(inputs), inputs, atol=1e-4)


@pytest.mark.parametrize("normalization", NORMALIZATIONS)
def test_changed_inputs_are_normalized_as_the_network_expects(images, normalization):
    spec = spec_for(normalization)
    torch.manual_seed(0)
    inputs = torch.from_numpy(to_batch(images, spec))
    changed = augmentation_from(EVERYTHING, spec)(inputs)
    assert changed.shape == inputs.shape
    assert not torch.allclose(changed, inputs, atol=0.1)
    if normalization == "standardize":
        assert changed.mean(dim=(1, 2, 3)).abs().max() < 1e-4
        assert (changed.std(dim=(1, 2, 3)) - 1).abs().max() < 1e-2
    else:
        low, high = gray_range(spec) or (0.0, 1.0)
        assert low - 1e-5 <= changed.min() <= changed.max() <= high + 1e-5


def test_a_blank_image_survives():
    spec = spec_for("standardize")
    assert torch.isfinite(augmentation_from(EVERYTHING, spec)(torch.zeros(4, 1, 48, 48))).all()


def test_scars_are_those_of_system_b():
    torch.manual_seed(0)
    images = ScarBoxes(1.0)(torch.ones(2000, 1, 48, 48)) == 0
    rows, columns = images.any(3).sum(2).squeeze(1), images.any(2).sum(2).squeeze(1)  # heights and widths (N)
    assert set(torch.maximum(rows, columns).tolist()) == set(range(7))
    assert set(torch.minimum(rows, columns).tolist()) == {0, 1, 2}
    assert {int((rows > 2).any()), int((columns > 2).any())} == {1}, "some stand, some lie"
    where = images.any(0).squeeze(0).nonzero()
    assert where.min() == 12
    assert where.max() == 40, "a corner at 35 and a length of 6"


def test_scars_grow_with_the_image():
    torch.manual_seed(0)
    where = (ScarBoxes(1.0)(torch.ones(500, 1, 96, 96)) == 0).any(0).squeeze(0).nonzero()
    assert where.min() == 24
    assert where.max() > 70


def test_occlusion_covers_one_part_of_the_asked_share():
    torch.manual_seed(0)
    covered = (FaceOcclusion(0.5)(torch.full((400, 1, 48, 48), 2.0)) != 2).flatten(1).float().mean(1)
    assert 0.4 < float((covered > 0).float().mean()) < 0.6
    assert 0.05 < float(covered[covered > 0].min()) < float(covered.max()) < 0.6


def test_small_faces_lose_their_details_and_keep_their_mean():
    torch.manual_seed(0)
    images = (torch.arange(48) % 2).float().expand(200, 1, 48, 48)  # stripes of one pixel
    changed = SmallFaces(0.5)(images).flatten(1)
    small = changed.std(1) < 0.4
    assert 0.35 < float(small.float().mean()) < 0.65
    assert torch.equal(changed[~small], images.flatten(1)[~small])
    assert (changed[small].mean(1) - 0.5).abs().max() < 0.1


def test_low_light_keeps_the_stated_share_in_whole_gray_levels():
    torch.manual_seed(0)
    changed = LowLight(0.5)(torch.ones(2000, 1, 8, 8))
    light = changed.mean((1, 2, 3))
    dark = light < 1
    assert 0.45 < float(dark.float().mean()) < 0.55
    assert 0.01 < float(light[dark].min()) < 0.03
    assert 0.45 < float(light[dark].max()) < 0.51
    assert float(light[dark].median()) == pytest.approx(0.1, abs=0.02), "the middle of a logarithmic scale"
    assert torch.allclose(changed * 255, (changed * 255).round(), atol=1e-3)


def test_side_light_changes_faces_as_the_statistics_of_rest_do():
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    face = np.full((48, 48), 120, np.uint8)
    changed = SideLight(0.5)(torch.full((3000, 1, 48, 48), 120 / 255))[:, 0]
    lit = changed[(changed - 120 / 255).abs().amax((1, 2)) > 1e-3]
    expected = torch.from_numpy(np.stack([relit(face, rng) for _ in range(1500)]) / 255.0)
    assert 0.45 < len(lit) / len(changed) < 0.55

    def contrast(faces):  # of the brightest and the darkest column
        columns = faces.mean(1)
        return columns.amax(1) - columns.amin(1)

    for quantity in (contrast, lambda faces: faces.mean((1, 2)), lambda faces: faces.amax((1, 2))):
        for fraction in (0.1, 0.5, 0.9):
            assert float(quantity(lit).quantile(fraction)) == pytest.approx(
                float(quantity(expected).quantile(fraction)), abs=0.04
            )
    from_right = lit.mean(1)[:, 0] < lit.mean(1)[:, -1]
    assert 0.45 < float(from_right.float().mean()) < 0.55


def test_a_teacher_sees_the_same_view_without_what_degrades_it(images):
    spec = spec_for("standardize")
    inputs = torch.from_numpy(to_batch(images, spec))
    torch.manual_seed(1)
    clean = build_augmentation(spec)(inputs)
    torch.manual_seed(1)
    views, degraded = build_augmentation(spec, occlude=1.0).views_and_inputs(inputs, 0.0)
    assert torch.equal(views, clean)
    changed = (views - degraded).abs().amax((1, 2, 3))
    assert (changed > 0.1).all(), "a face was not covered"


def test_mixup_mixes_inputs_and_targets_by_the_same_share():
    torch.manual_seed(0)
    targets = torch.eye(6)
    inputs, mixed = mix_up((targets.clone(), targets), 0.5)
    assert torch.equal(inputs, mixed)
    assert torch.allclose(mixed.sum(1), torch.ones(6))
    assert not torch.equal(mixed, targets)
    assert mix_up((targets,), 0.0)[0] is targets


def test_a_recipe_takes_every_option():
    options = {name: 0.2 for name in inspect.signature(build_augmentation).parameters if name not in ("spec", "scale")}
    assert Recipe(architecture="compact_vgg", augmentation=options).augmentation == options


@pytest.mark.parametrize("options", [{"glitter": 1}, {"scale": 3}])
def test_a_wrong_option_is_refused(options):
    with pytest.raises(ConfigurationError, match="augmentation: "):
        augmentation_from(options, spec_for("standardize"))
