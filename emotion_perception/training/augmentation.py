"""Random changes to a batch of network inputs, on the device that trains.

They act on *normalised* inputs, after `to_input`: changes of brightness and contrast are already removed by the
`standardise` normalisation, so what is left to learn is geometry and occlusion.
"""

import kornia.augmentation as K
from torch import nn


def build_augmentation(
    *,
    flip: float = 0.5,
    degrees: float = 12.0,
    shift: float = 0.1,
    scale: tuple[float, float] = (0.85, 1.15),
    erase: float = 0.25,
) -> nn.Module:
    """Builds a module that maps float32 (N, 1, S, S) to the same shape, each picture changed on its own.

    Args:
        flip: probability of the mirror image.
        degrees: rotation is uniform within +-degrees.
        shift: shift is uniform within +-shift of the side, in both axes.
        scale: zoom is uniform between the two factors.
        erase: probability that one rectangle of 2 to 15 % of the area becomes 0, the mean gray
            (Zhong et al. 2020, "Random Erasing Data Augmentation").
    """
    steps: list[nn.Module] = [
        K.RandomHorizontalFlip(p=flip),
        K.RandomAffine(degrees=degrees, translate=(shift, shift), scale=scale, padding_mode="border", p=1.0),
    ]
    if erase:
        steps.append(K.RandomErasing(p=erase, scale=(0.02, 0.15), value=0.0))
    return nn.Sequential(*steps)
