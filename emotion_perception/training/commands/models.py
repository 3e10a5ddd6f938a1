# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""`emotion-perception models`."""

import argparse
import json
from typing import TYPE_CHECKING, Any

from emotion_perception.core.classification import load_model_bundle, shipped_models

if TYPE_CHECKING:
    from emotion_perception.training.architectures import Network


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the command."""
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(arguments: argparse.Namespace) -> int:
    """Lists the networks that can be trained and the shipped models, whose files are checked."""
    listing = {"networks": _networks(), "models": [_model(name) for name in shipped_models()]}
    if arguments.json:
        print(json.dumps(listing, indent=2))
        return 0
    print("networks (values of the key architecture of a recipe)")
    for network in listing["networks"] or ():
        size = f"{network['parameters']:,} parameters"
        print(f"  {network['name']:<15}{network['system']:<6}{size:>22}  {network['input']:<14}{network['source']}")
    if listing["networks"] is None:
        print("  to list and train them: pip install emotion_perception[training]")
    print("models (values of --model and of the node parameter model)")
    width = max((len(model["name"]) for model in listing["models"] or ()), default=0) + 2
    for model in listing["models"] or ():
        accuracy = "" if model["accuracy"] is None else f"  {model['accuracy']:.1%} on {model['measured_on']}"
        print(f"  {model['name']:<{width}}{model['architecture']}{accuracy}  sha256 {model['sha256'][:12]}...")
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

    with torch.device("meta"):  # no memory is allocated
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
    bundle = load_model_bundle(name)
    measured = bundle.spec.metadata.get("measured", {})
    return {
        "name": name,
        "architecture": bundle.spec.architecture,
        "labels": list(bundle.spec.labels),
        "sha256": bundle.sha256,
        "accuracy": measured.get("accuracy"),
        "measured_on": measured.get("split"),
        "parameters": bundle.spec.metadata.get("parameters"),
    }
