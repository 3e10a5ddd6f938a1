# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Ends a training on SIGTERM after the step that runs, in all of its processes at the same step."""

import signal
import threading
from types import FrameType
from typing import Any

import lightning as L
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.utilities.exceptions import SIGTERMException


class StopOnSigterm(Callback):
    """Raises SIGTERMException in every process of a training once one of them has received SIGTERM.

    Lightning's own handler starts a collective operation wherever the process is. Where another process is inside a
    different one, both wait for ever; so this handler only notes the signal, and the processes agree after each step.
    Lightning restores the handler of before when the training has ended.
    """

    def __init__(self) -> None:
        super().__init__()
        self._received = False

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Takes the place of Lightning's handler, which is installed just before."""
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, self._note)

    def on_train_batch_end(self, trainer: L.Trainer, *_: Any) -> None:
        """Ends the training after this step if any process has received the signal."""
        self._end_if_received(trainer)

    def on_validation_batch_end(self, trainer: L.Trainer, *_: Any) -> None:
        """Ends the training after this step if any process has received the signal."""
        self._end_if_received(trainer)

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        self._received = True

    def _end_if_received(self, trainer: L.Trainer) -> None:
        received = self._received
        if trainer.world_size > 1:
            received = trainer.strategy.reduce_boolean_decision(received, all=False)
        if received:
            raise SIGTERMException
