"""The networks by name, and `create_network`, which builds one.

A network that nodes run with torch is defined in `core.networks`, because the nodes may not import this module; a
network that exists for comparison has its file here. Both are listed in one table.
"""

from dataclasses import dataclass

from torch import nn

from emotion_perception.core.errors import CheckpointError
from emotion_perception.core.networks import CompactVGG, MirrorAverage, construct

__all__ = ["MirrorAverage", "Network", "create_network", "network_names", "networks"]


@dataclass(frozen=True, kw_only=True)
class Network:
    """One entry of the table.

    Attributes:
        factory: class of the network; maps float32 (N, 1, S, S) to logits (N, num_classes).
        input_size: side of the input it is meant for, in pixels.
        source: where its design comes from.
    """

    factory: type[nn.Module]
    input_size: int
    source: str


_NETWORKS: dict[str, Network] = {
    "compact_vgg": Network(
        factory=CompactVGG,
        input_size=48,
        source="this package: a narrow VGG (Simonyan and Zisserman 2015) with batch normalisation",
    ),
}


def network_names() -> tuple[str, ...]:
    """Returns the names that `create_network` understands."""
    return tuple(_NETWORKS)


def networks() -> dict[str, Network]:
    """Returns the table: name -> network."""
    return dict(_NETWORKS)


def create_network(name: str, **options: object) -> nn.Module:
    """Builds a network that maps float32 (N, 1, S, S) to logits (N, num_classes).

    Raises:
        CheckpointError: no network has that name, or it has no such option.
    """
    if name not in _NETWORKS:
        raise CheckpointError(f"no architecture '{name}'; known: {', '.join(_NETWORKS)}")
    return construct(_NETWORKS[name].factory, name, **options)
