# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Distributed training by processes of one machine, of which no other machine can reach a socket."""

import atexit
import os
import shutil
import sys
import tempfile
from pathlib import Path

import torch
from lightning.pytorch.strategies import DDPStrategy

_STORE = "EMOTION_PERCEPTION_PROCESS_STORE"  # environment variable: the file, for the processes that Lightning starts
_INTERFACES = ("GLOO_SOCKET_IFNAME", "NCCL_SOCKET_IFNAME")


def of_a_launcher() -> bool:
    """Returns whether torchrun or SLURM has started this process, and not Lightning or a user."""
    return _STORE not in os.environ and bool({"MASTER_ADDR", "SLURM_JOB_ID"} & os.environ.keys())


class OneMachineStrategy(DDPStrategy):
    """Lightning's DDP whose processes meet through a file and talk on the loopback interface.

    The store that torch uses otherwise listens on every interface, whatever address it is given.
    """

    def __init__(self) -> None:
        super().__init__()
        if _STORE not in os.environ:
            folder = tempfile.mkdtemp(prefix="emotion_perception_")
            atexit.register(shutil.rmtree, folder, ignore_errors=True)
            os.environ[_STORE] = str(Path(folder, "store"))
        if sys.platform == "linux":
            os.environ.update(dict.fromkeys(_INTERFACES, "lo"))

    def setup_distributed(self) -> None:
        """Joins the processes."""
        if not torch.distributed.is_initialized():
            self.set_world_ranks()
            torch.distributed.init_process_group(
                self._get_process_group_backend(),
                store=torch.distributed.FileStore(os.environ[_STORE], self.world_size),  # type: ignore[attr-defined]
                rank=self.global_rank,
                world_size=self.world_size,
                device_id=None if self.root_device.type == "cpu" else self.root_device,
            )
        super().setup_distributed()
