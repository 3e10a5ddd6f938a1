# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Augmentation: random transforms of a batch of network inputs, on the device that trains.

The inputs are those of `to_input`. They are scaled to 0 (black) .. 1 (white) for the transforms and normalized again
afterwards, so that a covered or darkened face gives the same input in training as on a robot.
"""

import math
from collections.abc import Mapping
from functools import partial
from typing import Any

import kornia.augmentation as K
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from emotion_perception.core.classification import ModelSpec, gray_range
from emotion_perception.core.errors import ConfigurationError

_SCAR_SIDE = 48  # pixels, to which the numbers of system B refer
_LENGTH, _WIDTH, _CORNER = (0, 6), (0, 2), (12, 35)  # pixels at that side, both limits included
_REGIONS = ((0.05, 0.24, 0.95, 0.48), (0.2, 0.62, 0.8, 0.92), (0.0, 0.55, 1.0, 1.0))  # eye band, mouth, lower face
_SMALL, _LIGHT = (12 / 48, 40 / 48), (0.02, 0.5)  # share of the side, and of the light
_GAMMA = 2.2  # of the images
_JITTER = 0.06  # share of the side by which each edge of a region moves


class _RandomTransform(nn.Module):
    """Changes a random share of the images of a batch.

    Args:
        probability: that an image is changed.
    """

    def __init__(self, probability: float) -> None:
        super().__init__()
        self.probability = probability

    def _chosen(self, images: Tensor) -> Tensor:
        """Draws which of (N, 1, S, S) images are changed: bool (N, 1, 1, 1)."""
        return torch.rand(len(images), 1, 1, 1, device=images.device) < self.probability


class ScarBoxes(_RandomTransform):
    """Draws one thin black box into an image, so that a network does not rely on a single feature (system B).

    At a side of 48 pixels its length is 0..6, its width 0..2 and its corner at 12..35 in both axes, all integers drawn
    uniformly; it is horizontal or vertical with equal probability. Other sides are scaled.

    Args:
        probability: that an image gets a box.
    """

    def forward(self, images: Tensor) -> Tensor:
        """Maps (N, 1, S, S) in 0..1 to the same."""
        count, scale = len(images), images.shape[-1] / _SCAR_SIDE
        length, width, left, top = (
            torch.randint(low, high + 1, (count,), device=images.device)
            for low, high in (_LENGTH, _WIDTH, _CORNER, _CORNER)
        )
        lies = torch.rand(count, device=images.device) < 0.5
        box = torch.stack((left, top, left + torch.where(lies, length, width), top + torch.where(lies, width, length)))
        inside = _inside(box * scale, images) & self._chosen(images)
        return images.masked_fill(inside, 0.0)


class FaceOcclusion(_RandomTransform):
    """Covers the eyes, the mouth or the lower face, as glasses, a hand or a mask do.

    Half of the covers are black, which is the worst case for a network that standardizes its input; the others have
    one random gray value.

    Args:
        probability: that one of the three regions of an image is covered.
    """

    def forward(self, images: Tensor) -> Tensor:
        """Maps (N, 1, S, S) in 0..1 to the same."""
        count = len(images)
        regions = torch.tensor(_REGIONS, device=images.device)
        box = regions[torch.randint(len(regions), (count,), device=images.device)]  # (N, 4)
        box = box + (torch.rand(count, 4, device=images.device) * 2 - 1) * _JITTER
        inside = _inside(box.T * images.shape[-1], images)
        inside = inside & self._chosen(images)
        gray = torch.rand(count, 1, 1, 1, device=images.device, dtype=images.dtype) * 2 - 1
        gray = gray.clamp_min(0)
        return torch.where(inside, gray, images)


class SmallFaces(_RandomTransform):
    """Scales faces down and up again, as those that are far from the camera.

    The side is drawn once for a batch, uniformly within 12/48..40/48 of the images' side.

    Args:
        probability: that an image is changed.
    """

    def forward(self, images: Tensor) -> Tensor:
        """Maps (N, 1, S, S) in 0..1 to the same."""
        side = images.shape[-1]
        low, high = _SMALL
        small_side = max(1, round(side * float(low + torch.rand(1) * (high - low))))
        small = F.interpolate(images, size=(small_side, small_side), mode="area")
        small = F.interpolate(small, size=(side, side), mode="bilinear", align_corners=False)
        return torch.where(self._chosen(images), small, images)


class LowLight(_RandomTransform):
    """Darkens faces, with a sensor noise of one gray level, and rounds the result to whole gray levels.

    The share of the light that is left is drawn for each image, uniformly on a logarithmic scale within 0.02..0.5.

    Args:
        probability: that an image is changed.
    """

    def forward(self, images: Tensor) -> Tensor:
        """Maps (N, 1, S, S) in 0..1 to the same."""
        low, high = _LIGHT
        light = low * (high / low) ** torch.rand(len(images), 1, 1, 1, device=images.device)
        dark = ((images * light * 255 + torch.randn_like(images)).round() / 255).clamp(0, 1)
        return torch.where(self._chosen(images), dark, images)


class SideLight(_RandomTransform):
    """Lights faces from one side, with another exposure: the changes of `resting_statistics.relit`, for a batch.

    The light comes from the left or the right, up to 29 degrees above or below, and falls off exponentially or at a
    shadow's edge. It is applied to linear intensities (gamma 2.2).

    Args:
        probability: that an image is changed.
    """

    def forward(self, images: Tensor) -> Tensor:
        """Maps (N, 1, S, S) in 0..1 to the same."""
        uniform = partial(_uniform, images)
        side = torch.linspace(-1, 1, images.shape[-1], device=images.device)
        y, x = torch.meshgrid(side, side, indexing="ij")
        angle = uniform(-0.5, 0.5) + math.pi * (uniform(0, 1) < 0.5)
        across = x * angle.cos() + y * angle.sin()  # (N, 1, S, S)
        least = uniform(0.1, 0.5)
        edge = least + (1 - least) * torch.sigmoid(uniform(2, 8) * (across - uniform(-0.2, 0.2)))
        light = torch.where(uniform(0, 1) < 0.5, (uniform(0.3, 1.3) * across).exp(), edge)
        lit = images.clamp_min(0) ** _GAMMA * light
        brightness = images.mean((1, 2, 3), keepdim=True) / lit.mean((1, 2, 3), keepdim=True).clamp_min(1e-3)
        lit = (lit * brightness * uniform(0.6, 1.2)).clamp(0, 1) ** (1 / _GAMMA)
        return torch.where(self._chosen(images), lit, images)


class Augmentation(nn.Module):
    """Applies transforms to inputs scaled to 0..1 and normalizes the result as the spec requires.

    Args:
        views: transforms that map (N, 1, S, S) in 0..1 to the same shape: where a face lies and how it is lit.
        degradations: transforms of the same kind that take something away from what can be seen.
        spec: normalization of the inputs.
    """

    def __init__(self, views: nn.Module, degradations: nn.Module, spec: ModelSpec) -> None:
        super().__init__()
        self.views, self.degradations = views, degradations
        self.spec = spec

    def forward(self, inputs: Tensor) -> Tensor:
        """Maps normalized inputs, float32 (N, 1, S, S), to the same shape; each image is transformed independently."""
        scaled, low, span = self._scaled(inputs)
        return self._normalized(self.degradations(self.views(scaled)), low, span)

    def views_and_inputs(self, inputs: Tensor, mixup: float) -> tuple[Tensor, Tensor]:
        """Returns what a teacher sees and what the network gets instead: the same views, without and with degradations.

        Args:
            inputs: normalized, float32 (N, 1, S, S).
            mixup: see `mix_up`, for the views.

        Returns:
            Two tensors as of `forward`.
        """
        scaled, low, span = self._scaled(inputs)
        (views,) = mix_up((self.views(scaled).clamp(0, 1),), mixup)
        return self._normalized(views, low, span), self._normalized(self.degradations(views), low, span)

    def _scaled(self, inputs: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Returns the inputs in 0..1, and the value of 0 and the difference of 1 and 0 before."""
        low, high = self._range(inputs)
        span = (high - low).clamp_min(1e-6)
        return (inputs - low) / span, low, span

    def _normalized(self, images: Tensor, low: Tensor, span: Tensor) -> Tensor:
        """Normalizes images in 0..1 as the spec requires; the other arguments are as of `_scaled`."""
        images = images.clamp(0, 1)
        if self.spec.normalization == "standardize":
            deviation, mean = torch.std_mean(images, dim=(1, 2, 3), keepdim=True, correction=0)
            return (images - mean) / deviation.clamp_min(1 / 255)
        if self.spec.normalization == "min_max":
            low, high = images.amin((1, 2, 3), True), images.amax((1, 2, 3), True)
            return (images - low) / (high - low).clamp_min(1 / 255)
        return images * span + low

    def _range(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """Returns the input values of black and white: fixed ones, or the extremes of each image."""
        if ends := gray_range(self.spec):
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
    small: float = 0.0,
    blur: float = 0.0,
    dark: float = 0.0,
    side_light: float = 0.0,
    noise: float = 0.0,
    erase: float = 0.0,
    scars: float = 0.0,
    occlude: float = 0.0,
) -> Augmentation:
    """Builds the augmentation: maps normalized inputs, float32 (N, 1, S, S), to the same shape.

    Args:
        spec: normalization of the inputs.
        flip: probability of a horizontal flip.
        degrees: rotation is uniform within +-degrees.
        shift: shift is uniform within +-shift of the side, in both axes.
        scale: zoom is uniform between the two factors.
        brightness: a value uniform within +-brightness is added to an image in 0..1.
        contrast: an image in 0..1 is multiplied by a factor uniform within 1 +- contrast.
        small: probability of a face of few pixels, see `SmallFaces`.
        blur: probability of a Gaussian blur, sigma 0.3 to 2.0 pixels.
        dark: probability of little light, see `LowLight`.
        side_light: probability of light from one side, see `SideLight`.
        noise: standard deviation of the Gaussian noise that is added to half of the images, in 0..1.
        erase: probability that a rectangle of 2 to 15 % of the area becomes mid-gray
            (Zhong et al. 2020, "Random Erasing Data Augmentation").
        scars: probability of a black box, see `ScarBoxes`.
        occlude: probability of a covered region, see `FaceOcclusion`.
    """
    views: list[nn.Module] = [
        K.RandomHorizontalFlip(p=flip),
        K.RandomAffine(degrees=degrees, translate=(shift, shift), scale=tuple(scale), padding_mode="border", p=1.0),
    ]
    if brightness:
        views.append(K.RandomBrightness((1 - brightness, 1 + brightness), p=1.0))
    if contrast:
        views.append(K.RandomContrast((1 - contrast, 1 + contrast), p=1.0))
    degradations: list[nn.Module] = []
    if side_light:
        degradations.append(SideLight(side_light))
    if small:
        degradations.append(SmallFaces(small))
    if blur:
        degradations.append(K.RandomGaussianBlur((9, 9), (0.3, 2.0), p=blur))
    if dark:
        degradations.append(LowLight(dark))
    if noise:
        degradations.append(K.RandomGaussianNoise(std=noise, p=0.5))
    if erase:
        degradations.append(K.RandomErasing(p=erase, scale=(0.02, 0.15), value=0.5))
    if scars:
        degradations.append(ScarBoxes(scars))
    if occlude:
        degradations.append(FaceOcclusion(occlude))
    return Augmentation(nn.Sequential(*views), nn.Sequential(*degradations), spec)


def augmentation_from(options: Mapping[str, Any], spec: ModelSpec) -> Augmentation:
    """Builds the augmentation of a recipe.

    Raises:
        ConfigurationError: an option is unknown or has the wrong type.
    """
    try:
        return build_augmentation(spec, **options)
    except TypeError as e:
        raise ConfigurationError(f"recipe: augmentation: {e}") from e


def mix_up(values: tuple[Tensor, ...], alpha: float) -> tuple[Tensor, ...]:
    """Mixes each row with another row of the batch, all tensors with the same weight (mixup).

    Zhang et al. 2018, "mixup: Beyond Empirical Risk Minimization".

    Args:
        values: tensors (N, ...) of floating type: inputs, targets.
        alpha: of the Beta distribution from which the weight is drawn; 0 leaves the batch unchanged.
    """
    if not alpha:
        return values
    share = torch.distributions.Beta(alpha, alpha).sample().to(values[0].device)
    other = torch.randperm(len(values[0]), device=values[0].device)
    return tuple(value * share + value[other] * (1 - share) for value in values)


def _uniform(images: Tensor, low: float, high: float) -> Tensor:
    """Draws a number for each of (N, 1, S, S) images: (N, 1, 1, 1)."""
    return low + (high - low) * torch.rand(len(images), 1, 1, 1, device=images.device)


def _inside(box: Tensor, images: Tensor) -> Tensor:
    """Returns a mask, bool (N, 1, S, S), of boxes (4, N): left, top, right, bottom; right and bottom are excluded."""
    side = torch.arange(images.shape[-1], device=images.device)
    left, top, right, bottom = (edge.view(-1, 1) for edge in box)
    columns, rows = (side >= left) & (side < right), (side >= top) & (side < bottom)  # (N, S) each
    return (rows.unsqueeze(2) & columns.unsqueeze(1)).unsqueeze(1)
