# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Random changes to a batch of network inputs, on the device that trains.

They act on inputs as `to_input` made them. Inside, each image runs from 0, its black, to 1, its white; at the end it
is normalized again as the network expects, so that a covered or darkened face looks in training as it will on a robot.
"""

from collections.abc import Mapping
from typing import Any

import kornia.augmentation as K
import torch
from torch import Tensor, nn

from emotion_perception.core.classification.preprocessing import ModelSpec
from emotion_perception.core.errors import ConfigurationError

_SCAR_SIDE = 48  # pixels: the side that system B's numbers are meant for
_LENGTH, _WIDTH, _CORNER = (0, 6), (0, 2), (12, 35)  # pixels at that side, both ends included
_REGIONS = ((0.05, 0.24, 0.95, 0.48), (0.2, 0.62, 0.8, 0.92), (0.0, 0.55, 1.0, 1.0))  # eye band, mouth, lower face
_JITTER = 0.06  # share of the side by which each edge of a region moves


class ScarBoxes(nn.Module):
    """Puts one thin black box into each image, so that a network does not rely on one feature (system B).

    At a side of 48 pixels its length is 0..6, its width 0..2, its corner at 12..35 in both axes, all uniform and whole;
    it lies or stands with equal chance. Other sides are scaled.

    Args:
        probability: share of the images that get one.
    """

    def __init__(self, probability: float) -> None:
        super().__init__()
        self.probability = probability

    def forward(self, images: Tensor) -> Tensor:
        """Maps (N, 1, S, S) in 0..1 to the same."""
        count, scale = len(images), images.shape[-1] / _SCAR_SIDE
        length, width, left, top = (
            torch.randint(low, high + 1, (count,), device=images.device)
            for low, high in (_LENGTH, _WIDTH, _CORNER, _CORNER)
        )
        lies = _chosen(count, 0.5, images)
        box = torch.stack((left, top, left + torch.where(lies, length, width), top + torch.where(lies, width, length)))
        inside = _inside(box * scale, images) & _chosen(count, self.probability, images).view(-1, 1, 1, 1)
        return images.masked_fill(inside, 0.0)


class FaceOcclusion(nn.Module):
    """Covers the eye band, the mouth or the lower face, as glasses, a hand or a mask do.

    Half of the covers are black, which is the worst case for a network that standardizes its input; the others have
    one random gray.

    Args:
        probability: share of the images of which one of the three is covered.
    """

    def __init__(self, probability: float) -> None:
        super().__init__()
        self.probability = probability

    def forward(self, images: Tensor) -> Tensor:
        """Maps (N, 1, S, S) in 0..1 to the same."""
        count = len(images)
        regions = torch.tensor(_REGIONS, device=images.device)
        box = regions[torch.randint(len(regions), (count,), device=images.device)]  # (N, 4)
        box = box + (torch.rand(count, 4, device=images.device) * 2 - 1) * _JITTER
        inside = _inside(box.T * images.shape[-1], images)
        inside = inside & _chosen(count, self.probability, images).view(-1, 1, 1, 1)
        gray = torch.rand(count, 1, 1, 1, device=images.device, dtype=images.dtype) * 2 - 1
        gray = gray.clamp_min(0)
        return torch.where(inside, gray, images)


class Augmentation(nn.Module):
    """Runs steps on images within 0..1 and gives back inputs normalized as the spec says.

    Args:
        steps: modules that map (N, 1, S, S) within 0..1 to the same.
        spec: says how the inputs are normalized.
    """

    def __init__(self, steps: nn.Module, spec: ModelSpec) -> None:
        super().__init__()
        self.steps = steps
        self.spec = spec

    def forward(self, inputs: Tensor) -> Tensor:
        """Maps float32 (N, 1, S, S) to the same shape, each image changed on its own."""
        low, high = self._range(inputs)
        span = (high - low).clamp_min(1e-6)
        images = self.steps((inputs - low) / span).clamp(0, 1)
        if self.spec.normalization == "standardize":
            deviation, mean = torch.std_mean(images, dim=(1, 2, 3), keepdim=True, correction=0)
            return (images - mean) / deviation.clamp_min(1 / 255)
        if self.spec.normalization == "min_max":
            low, high = images.amin((1, 2, 3), True), images.amax((1, 2, 3), True)
            return (images - low) / (high - low).clamp_min(1 / 255)
        return images * span + low

    def _range(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """Returns what stands for black and white: the image's own extremes, or the ends of a fixed scale."""
        if ends := self.spec.gray_range():
            low, high = ends
            return inputs.new_tensor(low), inputs.new_tensor(high)
        return inputs.amin((1, 2, 3), keepdim=True), inputs.amax((1, 2, 3), keepdim=True)


def build_augmentation(
    spec: ModelSpec,
    *,
    flip: float = 0.5,
    degrees: float = 12.0,
    shift: float = 0.1,
    scale: tuple[float, float] = (0.85, 1.15),
    brightness: float = 0.0,
    contrast: float = 0.0,
    blur: float = 0.0,
    noise: float = 0.0,
    erase: float = 0.0,
    scars: float = 0.0,
    occlude: float = 0.0,
) -> nn.Module:
    """Builds a module that maps float32 (N, 1, S, S) to the same shape, each image changed on its own.

    Args:
        spec: how the inputs are normalized.
        flip: probability of the mirror image.
        degrees: rotation is uniform within +-degrees.
        shift: shift is uniform within +-shift of the side, in both axes.
        scale: zoom is uniform between the two factors.
        brightness: what is added is uniform within +-brightness, of an image that runs from 0 to 1.
        contrast: what the grays are multiplied by is uniform within 1 +- contrast.
        blur: probability of a Gaussian blur of 3x3 pixels, sigma 0.3 to 1.2.
        noise: deviation of Gaussian noise that half of the images get, of an image that runs from 0 to 1.
        erase: probability that one rectangle of 2 to 15 % of the area becomes mid-gray
            (Zhong et al. 2020, "Random Erasing Data Augmentation").
        scars: probability of a scar box, see `ScarBoxes`.
        occlude: probability that eyes, mouth or lower face are covered, see `FaceOcclusion`.
    """
    steps: list[nn.Module] = [
        K.RandomHorizontalFlip(p=flip),
        K.RandomAffine(degrees=degrees, translate=(shift, shift), scale=tuple(scale), padding_mode="border", p=1.0),
    ]
    if brightness:
        steps.append(K.RandomBrightness((1 - brightness, 1 + brightness), p=1.0))
    if contrast:
        steps.append(K.RandomContrast((1 - contrast, 1 + contrast), p=1.0))
    if blur:
        steps.append(K.RandomGaussianBlur((3, 3), (0.3, 1.2), p=blur))
    if noise:
        steps.append(K.RandomGaussianNoise(std=noise, p=0.5))
    if erase:
        steps.append(K.RandomErasing(p=erase, scale=(0.02, 0.15), value=0.5))
    if scars:
        steps.append(ScarBoxes(scars))
    if occlude:
        steps.append(FaceOcclusion(occlude))
    return Augmentation(nn.Sequential(*steps), spec)


def augmentation_from(options: Mapping[str, Any], spec: ModelSpec) -> nn.Module:
    """Builds the augmentation of a recipe.

    Raises:
        ConfigurationError: an option is unknown or has the wrong type.
    """
    try:
        return build_augmentation(spec, **options)
    except TypeError as e:
        raise ConfigurationError(f"recipe: augmentation: {e}") from e


def mix_up(values: tuple[Tensor, ...], alpha: float) -> tuple[Tensor, ...]:
    """Mixes each row with another one of the batch, all tensors by the same share.

    Zhang et al. 2018, "mixup: Beyond Empirical Risk Minimization".

    Args:
        values: tensors (N, ...) of floating type: inputs, target distributions.
        alpha: of the Beta distribution that the share is drawn from; 0 leaves the batch as it is.
    """
    if not alpha:
        return values
    share = torch.distributions.Beta(alpha, alpha).sample().to(values[0].device)
    other = torch.randperm(len(values[0]), device=values[0].device)
    return tuple(value * share + value[other] * (1 - share) for value in values)


def _chosen(count: int, probability: float, like: Tensor) -> Tensor:
    return torch.rand(count, device=like.device) < probability


def _inside(box: Tensor, images: Tensor) -> Tensor:
    """Returns bool (N, 1, S, S): the pixels of boxes (4, N) left, top, right, bottom; right and bottom excluded."""
    side = torch.arange(images.shape[-1], device=images.device)
    left, top, right, bottom = (edge.view(-1, 1) for edge in box)
    columns, rows = (side >= left) & (side < right), (side >= top) & (side < bottom)  # (N, S) each
    return (rows.unsqueeze(2) & columns.unsqueeze(1)).unsqueeze(1)
