# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Ends a training that no longer gets better on the validation pictures, and goes back to where it was best."""

import math
from typing import Any

from .reporting import Reporter

ENOUGH = 1e-3
"""Nats by which a validation loss must be lower to count as better."""


def early_stop(reporter: Reporter, patience: int, to_beat: float = math.inf) -> Any:
    """Return a Keras callback; it ends after `patience` epochs without a validation loss below the best, or `to_beat`.

    It ends at once where a loss is no number any more, and says nothing of that epoch.

    Afterwards the model has the weights of the best epoch (those it began with if none was better), and the callback's
    `epochs` tell of every epoch, `best` the number of the best one (0: none), `loss` its validation loss.
    """
    import keras

    class EarlyStop(keras.callbacks.Callback):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.epochs: list[dict[str, float]] = []
            self.best, self.loss = 0, to_beat
            self._weights: list[Any] = []

        def on_train_begin(self, _logs: Any = None) -> None:
            self._weights = self.model.get_weights()

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            if not (math.isfinite(logs["loss"]) and math.isfinite(logs["val_loss"])):
                self.model.stop_training = True  # it has run away, and does not come back
                return
            names = {
                "loss": "loss",
                "accuracy": "accuracy",
                "validation_loss": "val_loss",
                "validation_accuracy": "val_accuracy",
            }
            self.epochs.append({ours: float(logs[theirs]) for ours, theirs in names.items()})
            reporter.advance()
            if logs["val_loss"] < self.loss - ENOUGH:
                self.best, self.loss, self._weights = epoch + 1, float(logs["val_loss"]), self.model.get_weights()
            self.model.stop_training = epoch + 1 - self.best >= patience

        def on_train_end(self, _logs: Any = None) -> None:
            self.model.set_weights(self._weights)

    return EarlyStop()
