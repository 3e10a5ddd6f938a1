"""`emotion-perception export`."""

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describes the options."""
    parser.add_argument("--run", type=Path, required=True, help="folder that `emotion-perception train` wrote")
    parser.add_argument("--name", required=True, help="of the model's files")
    parser.add_argument("--out", type=Path, required=True, help="folder for NAME.safetensors, NAME.json and NAME.onnx")
    parser.add_argument("--data", type=Path, help="the run's data file, where it has moved since")


def run(arguments: argparse.Namespace) -> int:
    """Exports and prints what a person should check."""
    from emotion_perception.training.export import export

    done = export(arguments.run, arguments.name, arguments.out, data_path=arguments.data)
    measured, calibration = done.figures["measured"], done.figures["calibration"]
    print(f"{done.checkpoint.weights}: weights stored as {done.figures['weights']['precision']}")
    print(f"torch and onnxruntime differ by at most {done.parity:.1e} in a logit (limit 1e-4)")
    if calibration:
        print(
            f"temperature {calibration['temperature']:.4f} from {calibration['n']} pictures kept apart: "
            f"ECE {calibration['ece_before']:.2%} -> {calibration['ece_after']:.2%}"
        )
    print(f"accuracy on {measured['n']} pictures of {measured['split']}: {measured['accuracy']:.2%}")
    return 0
