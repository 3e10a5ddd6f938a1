# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The device that a network runs on: one rule for all nodes and commands.

`auto` takes the first GPU if there is one that torch can use, otherwise the CPU. `cuda` is `cuda:0`. A GPU that is
named and cannot be used is an error; it is never replaced by the CPU at start.
"""

import re
from pathlib import Path

from emotion_perception.core.errors import ConfigurationError

_NVIDIA_DEVICES = ("/dev/nvidiactl", "/dev/nvhost-gpu", "/dev/nvgpu", "/dev/dxg")  # PC, two kinds of Jetson, WSL 2


def check_device(device: str) -> None:
    """Checks the form of a device, not whether it is there.

    Raises:
        ConfigurationError: it is none of auto, cpu, cuda, cuda:N.
    """
    if not re.fullmatch(r"auto|cpu|cuda(:\d{1,3})?", device, re.ASCII):
        raise ConfigurationError(f"device '{device}' is none of auto, cpu, cuda, cuda:N")


def choose_device(device: str) -> tuple[str, str]:
    """Returns the device to use, `cpu` or `cuda:N`, and why it is the CPU; an empty reason for a GPU.

    torch takes seconds to import, so it is imported only if there is an NVIDIA device.

    Raises:
        ConfigurationError: the device is unknown, or a GPU is named that cannot be used.
    """
    check_device(device)
    if device == "cpu":
        return "cpu", "device is 'cpu'"
    index = int(device.partition(":")[2] or 0)
    if problem := _cuda_problem(index):
        if device != "auto":
            raise ConfigurationError(f"device is '{device}', but {problem}; 'auto' takes the CPU then")
        return "cpu", problem
    return f"cuda:{index}", ""


def _cuda_problem(index: int) -> str:
    """Returns why a GPU cannot be used, empty where it can."""
    if not any(Path(path).exists() for path in _NVIDIA_DEVICES):
        return "there is no NVIDIA device"
    try:
        import torch
    except ImportError as e:
        return f"torch cannot be imported ({e})" if e.name != "torch" else "torch is not installed"
    if not torch.cuda.is_available():
        return "torch finds no CUDA"
    count = torch.cuda.device_count()
    return "" if index < count else f"torch finds {count} CUDA device(s), counted from 0"
