# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Trains a whole network, or its last layers, on freshly altered pictures in every epoch: slow, and the most exact."""

from typing import Any

import numpy as np

from .early_stop import early_stop
from .keras_files import flat
from .lessons import Lessons, augmentation
from .reporting import Reporter

BATCH = 16
PATIENCE = 4

LEFT_ALONE = 0.5
"""The part of the weights, from the input on, that fine-tuning leaves as they are: edges and textures serve anyone."""

SLOW, FAST = 5e-5, 1e-3
"""Learning rates: to better what is good already, and to begin from random weights."""


def tune(
    model: Any,
    features: Any,
    learned: Lessons,
    judged: Lessons,
    request: dict[str, Any],
    to_beat: float,
    title: str,
    reporter: Reporter,
) -> Any:
    """Train the model in place and return the early stop that tells how it went.

    `features` is the network inside it. Unless the request wants `scratch`, only its last layers learn, and its batch
    norms keep the statistics that they have.
    """
    import keras

    if not request["scratch"]:
        _thaw_the_end(features)
    model.compile(
        optimizer=keras.optimizers.Adam(FAST if request["scratch"] else SLOW),
        loss="sparse_categorical_crossentropy",
        weighted_metrics=[],
        metrics=["accuracy"],
    )
    watch = early_stop(reporter, PATIENCE, to_beat)
    reporter.begin(title, request["epochs"])
    model.fit(
        _batches(learned, request["seed"]),
        validation_data=(judged.pixels, judged.targets, judged.weights),
        validation_batch_size=BATCH,
        epochs=request["epochs"],
        callbacks=[watch],
        verbose=0,
    )
    return watch


def _thaw_the_end(features: Any) -> None:
    from keras.layers import BatchNormalization

    layers = [layer for layer in flat(features) if layer.weights]
    total, passed = sum(layer.count_params() for layer in layers), 0
    features.trainable = True
    for layer in layers:
        layer.trainable = passed >= LEFT_ALONE * total and not isinstance(layer, BatchNormalization)
        passed += layer.count_params()


def _batches(learned: Lessons, seed: int) -> Any:
    import keras

    class Altered(keras.utils.PyDataset):  # type: ignore[misc]
        """Shuffled anew for every epoch, and every picture altered anew."""

        def __init__(self) -> None:
            super().__init__()
            self._rng = np.random.default_rng(seed)
            self._alter = augmentation(seed)
            self.on_epoch_end()

        def __len__(self) -> int:
            return -(-len(learned) // BATCH)

        def __getitem__(self, number: int) -> Any:
            which = self._order[number * BATCH : (number + 1) * BATCH]
            return self._alter(learned.pixels[which]), learned.targets[which], learned.weights[which]

        def on_epoch_end(self) -> None:
            self._order = self._rng.permutation(len(learned))

    return Altered()
