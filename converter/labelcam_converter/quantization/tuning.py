# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""`--effort max`: the constants of an int8 network, tuned until it answers as nearly like the float one as they allow.

Scales, zero points and operations stay what they are, so the result is as large and as fast as what it was made from.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from labelcam.preprocess import Preprocess, Size

from ..cost import count
from ..fidelity.scoring import Scorer
from ..flatbuffer import Graph
from ..pictures import Picture, prepare
from ..tensorflow_process import require_tensorflow, tensorflow_task
from .trial import best, distances

PICTURES = 1024
"""To tune on: images and, where they are fewer, random crops of them."""

TO_DECIDE = 100
"""Pictures of other photographs that decide whether the tuned network is kept."""

ROUNDS = (60, 600)
"""Fewest and most rounds, of 16 pictures each."""

_WORK = 75e9
"""Rounds times the multiplications of one inference: counted, not timed, so that the same network gets the same."""


@dataclass(frozen=True, slots=True)
class Tuned:
    """What tuning came to."""

    model: bytes
    """The better int8 network of the two."""

    kept: bool
    """False: on pictures that it was not tuned on, the tuned network was not clearly better, and `model` is the old."""

    before: float
    """KL(float || int8) in nats of the network that was given, mean over the deciding pictures."""

    after: float
    """The same of the tuned network."""

    photographs: int
    """Image files that were tuned on."""

    held_out: int
    """Image files that decided; 0 where there were too few to spare any, and the tuned ones decided."""

    rounds: int


def tune(
    float_model: bytes,
    quantised: bytes,
    pictures: Sequence[Picture],
    how: Preprocess,
    seed: int,
    *,
    blamed: str,
    rounds: int | None = None,
    verbose: bool = False,
) -> Tuned:
    """Return the quantised network with weights and biases that bring its answers nearer to the float network's.

    `pictures` name the photographs to tune on; one in eight of these is kept to decide. `rounds` None takes what suits
    the network's size. Errors name `blamed`. Raises LabelcamError where TensorFlow is missing, ModelFileError with the
    operation that cannot be tuned.
    """
    require_tensorflow("--effort max")
    graph = Graph(float_model)
    _, height, width, _ = graph.inputs[0].shape
    size = Size(width, height)
    learning, deciding = _divided([picture.path for picture in pictures], seed)
    seen, _ = prepare(learning, PICTURES, seed, size, how, "cutting pictures to tune on")
    rounds = rounds_for(count(graph, blamed).macs) if rounds is None else rounds
    request = {"rounds": rounds, "seed": seed, "mean": how.mean, "std": how.std}
    files = {"float.tflite": float_model, "int8.tflite": quantised, "pictures.npy": _packed(seen)}
    with tensorflow_task("distil", blamed, request, files, verbose=verbose) as answer:
        constants = np.load(io.BytesIO(answer.file("constants.npz")))
        tuned = Graph(quantised).with_constants({int(index): constants[index] for index in constants.files})
    judges, _ = prepare(deciding or learning, TO_DECIDE, seed + 1, size, how, "cutting pictures to decide by")
    scorer = Scorer(float_model, how)
    wanted = np.array([scorer.scores(picture.pixels) for picture in judges])
    better, found = best((quantised, tuned), lambda model: distances(model, judges, how, wanted))
    return Tuned(better, better is tuned, found[quantised], found[tuned], len(learning), len(deciding), rounds)


def rounds_for(macs: int) -> int:
    """Return the rounds for a network of so many multiplications: more for the small, so that all take minutes."""
    fewest, most = ROUNDS
    return int(min(max(_WORK / max(macs, 1), fewest), most))


def _divided(paths: Sequence[Path], seed: int) -> tuple[list[Path], list[Path]]:
    """The photographs to tune on and those to decide by: by photograph, for crops of one are too much alike."""
    every = sorted(set(paths))
    order = np.random.default_rng(seed).permutation(len(every))
    spare = max(1, len(every) // 8) if len(every) > 2 else 0
    chosen = set(order[:spare].tolist())
    return (
        [path for number, path in enumerate(every) if number not in chosen],
        [path for number, path in enumerate(every) if number in chosen],
    )


def _packed(pictures: Sequence[Picture]) -> bytes:
    file = io.BytesIO()
    np.save(file, np.stack([picture.pixels for picture in pictures]))
    return file.getvalue()
