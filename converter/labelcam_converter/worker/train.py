# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Trains a new last layer on a network that is trained already, then, where asked, that network's last layers.

The network itself runs over each picture only a few times, over altered views of it; the last layer learns from what
it says of them. That makes the training on hundreds of pictures a matter of seconds.
"""

from pathlib import Path
from typing import Any

import numpy as np

from labelcam.preprocess import Size

from .backbone import Backbone, open_backbone
from .early_stop import early_stop
from .lessons import Floats, Lessons, augmentation, in_batches, read_lessons
from .refusal import Refused
from .reporting import Reporter
from .tuning import tune

MODEL, SCORES = "model.keras", "scores.npy"
"""The trained network; what it answers for each validation picture, pictures x labels."""

BATCH = 32
VIEWS = 1500
"""Views that features are computed of, of all pictures together, where the pictures are fewer."""

MOST_VIEWS = 8
"""Of one picture."""

DROPOUT = 0.2
RATE = 1e-3
PATIENCE = 6
"""Epochs without a better validation loss before the training of the last layer ends."""


def run(request: dict[str, Any], folder: Path, reporter: Reporter) -> dict[str, Any]:
    """Write the trained network and its validation scores; the reply has its size, its scaling and the epochs.

    The request has what `open_backbone` takes, `files`, their `targets` (the number of the label), `validation`
    (whether a file only judges), `fit`, `epochs` (at most, of each phase), `fine_tune`, and `scratch`: learn
    everything, from random weights.
    """
    import keras
    import tensorflow as tf

    keras.utils.set_random_seed(request["seed"])
    tf.config.experimental.enable_op_determinism()
    backbone = open_backbone(request)
    learned, judged = read_lessons(request, Size(backbone.width, backbone.height), reporter)
    decide = [keras.layers.Dropout(DROPOUT), keras.layers.Dense(int(learned.targets.max()) + 1, activation="softmax")]
    model = _assembled(backbone, decide, frozen=not request["scratch"])
    epochs: list[dict[str, float]] = []
    best = 0
    if request["scratch"]:
        watch = tune(model, backbone.features, learned, judged, request, np.inf, "training", reporter)
        epochs, best = watch.epochs, watch.best
    else:
        watch = _train_last(backbone, decide, learned, judged, request, reporter)
        epochs, best = watch.epochs, watch.best
        if request["fine_tune"]:
            watch = tune(model, backbone.features, learned, judged, request, watch.loss, "fine-tuning", reporter)
            best = len(epochs) + watch.best if watch.best else best
            epochs = epochs + watch.epochs
    if not best:
        raise Refused("the training came to no numbers; give what the network is fed by --preprocess")
    reporter.begin("judging", -(-len(judged) // BATCH))
    np.save(folder / SCORES, in_batches(model.predict_on_batch, judged.pixels, BATCH, reporter))
    model.save(folder / MODEL)
    return {
        "size": [backbone.width, backbone.height],
        "scaling": [backbone.mean, backbone.std],
        "epochs": epochs,
        "best": best,
    }


def _assembled(backbone: Backbone, decide: list[Any], *, frozen: bool) -> Any:
    """The network that is saved: 0 to 255 in, one probability per label out."""
    import keras

    seen = keras.Input((backbone.height, backbone.width, 3), name="pixels")
    x = _scaled(backbone, seen)
    x = backbone.features(x, training=False) if frozen else backbone.features(x)
    for layer in decide:
        x = layer(x)
    return keras.Model(seen, x, name="trained")


def _scaled(backbone: Backbone, seen: Any) -> Any:
    import keras

    if (backbone.mean, backbone.std) == (0.0, 1.0):
        return seen
    return keras.layers.Rescaling(1 / backbone.std, offset=-backbone.mean / backbone.std, name="scaling")(seen)


def _train_last(
    backbone: Backbone,
    decide: list[Any],
    learned: Lessons,
    judged: Lessons,
    request: dict[str, Any],
    reporter: Reporter,
) -> Any:
    import keras

    known, asked = _features(backbone, learned, judged, request["seed"], reporter)
    views = len(known) // len(learned)
    middle, spread = _scales(known)
    last = keras.Sequential([keras.Input(known.shape[1:]), *decide])
    last.compile(
        optimizer=keras.optimizers.Adam(RATE),
        loss="sparse_categorical_crossentropy",
        weighted_metrics=[],
        metrics=["accuracy"],
    )
    watch = early_stop(reporter, PATIENCE)
    reporter.begin("training the last layer", request["epochs"])
    last.fit(
        (known - middle) / spread,
        np.tile(learned.targets, views),
        sample_weight=np.tile(learned.weights, views),
        validation_data=((asked - middle) / spread, judged.targets, judged.weights),
        batch_size=BATCH,
        epochs=request["epochs"],
        callbacks=[watch],
        verbose=0,
    )
    kernel, bias = decide[-1].get_weights()
    decide[-1].set_weights([kernel / spread[:, None], bias - (middle / spread) @ kernel])
    return watch


def _scales(known: Floats) -> tuple[Floats, Floats]:
    """The mean of every feature, and what to divide it by.

    Around 0 and of one scale the features are learned from in far fewer epochs (a validation loss of 0.45 instead of
    0.63 after 30). One that hardly ever varies must not be blown up: the steps of int8 would be as well, and decide.
    """
    return known.mean(axis=0), known.std(axis=0) + 0.3 * known.std()


def _features(
    backbone: Backbone, learned: Lessons, judged: Lessons, seed: int, reporter: Reporter
) -> tuple[Floats, Floats]:
    """What the network says of every view of what is learned (the pictures as they are first), and of the judged."""
    import keras

    seen = keras.Input((backbone.height, backbone.width, 3))
    extract = keras.Model(seen, backbone.features(_scaled(backbone, seen), training=False)).predict_on_batch
    alter = augmentation(seed)
    views = min(max(round(VIEWS / len(learned)), 2), MOST_VIEWS)
    reporter.begin("computing features", views * -(-len(learned) // BATCH) + -(-len(judged) // BATCH))
    known = [in_batches(extract, learned.pixels, BATCH, reporter)]
    known += [
        in_batches(lambda batch: extract(alter(batch)), learned.pixels, BATCH, reporter) for _ in range(views - 1)
    ]
    return np.concatenate(known), in_batches(extract, judged.pixels, BATCH, reporter)
