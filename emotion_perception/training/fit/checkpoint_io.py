# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Writes Lightning checkpoints so that a kill at any moment leaves the last complete one.

Lightning writes to a file in the folder for temporary files first and moves it; between two file systems, as often with
/tmp, moving is copying, and a kill leaves half a checkpoint under the final name.
"""

from pathlib import Path
from typing import Any

import torch
from lightning.pytorch.plugins.io import TorchCheckpointIO

from emotion_perception.core.atomic_files import atomic_path


class AtomicCheckpointIO(TorchCheckpointIO):
    """Saves a checkpoint to a new file in the same folder and renames it."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any | None = None) -> None:
        """Writes a checkpoint.

        Args:
            checkpoint: state of the model and the trainer.
            path: the file.
            storage_options: not used.

        Raises:
            OSError: the file cannot be written, e.g. because the disk is full; the error names it.
        """
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_path(path) as part, open(part, "wb") as file:
            try:
                torch.save(checkpoint, file)
            except RuntimeError as e:  # of torch's archive, which cannot be completed where the file cannot be written
                raise e.__context__ if isinstance(e.__context__, OSError) else e from None
