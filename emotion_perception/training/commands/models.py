# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""`emotion-perception models`."""

import argparse
import json
from typing import TYPE_CHECKING, Any

from emotion_perception.core.classification.model_bundle import load_model_bundle, shipped_models

if TYPE_CHECKING:
    from emotion_perception.training.architectures import Network


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describes the options."""
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(arguments: argparse.Namespace) -> int:
    """Lists the networks that `train` knows and the models that are shipped, after checking their files."""
    listing = {"networks": _networks(), "models": [_model(name) for name in shipped_models()]}
    if arguments.json:
        print(json.dumps(listing, indent=2))
        return 0
    print("networks (for the architecture of a recipe)")
    for network in listing["networks"] or ():
        size = f"{network['parameters']:,} parameters"
        print(f"  {network['name']:<15}{network['system']:<6}{size:>22}  {network['input']:<14}{network['source']}")
    if listing["networks"] is None:
        print("  pip install emotion_perception[training] to list and train them")
    print("models (for --model and the node's parameter `model`)")
    for model in listing["models"] or ():
        figure = "" if model["accuracy"] is None else f"  {model['accuracy']:.1%} on {model['measured_on']}"
        print(f"  {model['name']:<18}{model['architecture']}{figure}  sha256 {model['sha256'][:12]}...")
    if not listing["models"]:
        print("  none shipped")
    return 0


def _networks() -> list[dict[str, Any]] | None:
    try:
        from emotion_perception.training.architectures import networks
    except ModuleNotFoundError as e:
        if e.name != "torch":
            raise
        return None
    return [_network(name, entry) for name, entry in networks().items()]


def _network(name: str, entry: "Network") -> dict[str, Any]:
    import torch

    from emotion_perception.training.architectures import create_network, keras_count

    with torch.device("meta"):  # counts without memory
        network = create_network(name)
    height, width = entry.input_hw
    return {
        "name": name,
        "system": entry.system,
        "parameters": sum(parameter.numel() for parameter in network.parameters()),
        "keras_count": keras_count(network),
        "input": f"{width}x{height} gray",
        "source": entry.source,
    }


def _model(name: str) -> dict[str, Any]:
    checkpoint = load_model_bundle(name)
    measured = checkpoint.spec.metadata.get("measured", {})
    return {
        "name": name,
        "architecture": checkpoint.spec.architecture,
        "labels": list(checkpoint.spec.labels),
        "sha256": checkpoint.sha256,
        "accuracy": measured.get("accuracy"),
        "measured_on": measured.get("split"),
        "parameters": checkpoint.spec.metadata.get("parameters"),
    }
