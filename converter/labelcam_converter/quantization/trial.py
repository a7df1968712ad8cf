# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Trials: which of several quantised networks answers most like the float one, on photographs that made none."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from labelcam.preprocess import Preprocess

from ..fidelity.divergence import Distribution, are_probabilities, kl, quantised_probabilities, softmax
from ..fidelity.scoring import Scorer
from ..pictures import Picture

FEWEST = 4
"""Photographs; half of fewer says nothing about the other half."""

Choice = TypeVar("Choice")
Distances = NDArray[np.float64]
"""KL(float || quantised) in nats of every deciding picture."""


def halves(pictures: Sequence[Picture], seed: int) -> list[list[Picture]]:
    """Return two halves of the pictures, each to decide what was learned from the other; one where too few.

    By photograph and not by picture: crops of one photograph are much alike.
    """
    paths = sorted({picture.path for picture in pictures})
    order = np.random.default_rng(seed).permutation(len(paths))
    half = len(paths) // 2 if len(paths) >= FEWEST else 0
    chosen: set[Path] = {paths[number] for number in order[:half]}
    parts = [[picture for picture in pictures if (picture.path in chosen) is within] for within in (False, True)]
    return [part for part in parts if part]


def distances(quantised: bytes, pictures: Sequence[Picture], how: Preprocess, wanted: Distribution) -> Distances:
    """Return how far a network's answers are from the float network's, which are `wanted`: pictures x labels."""
    scorer = Scorer(quantised, how)
    got = np.array([scorer.scores(picture.pixels) for picture in pictures])
    have_them = are_probabilities(wanted)
    p = wanted if have_them else softmax(wanted)
    return np.array([kl(*pair) for pair in zip(p, quantised_probabilities(got, have_them), strict=True)])


def best(choices: Iterable[Choice], judge: Callable[[Choice], Distances]) -> tuple[Choice, dict[Choice, float]]:
    """Return the best of the choices and the mean distance of each; an earlier one stays unless clearly worse.

    Clearly: by more than one standard error of the difference, picture by picture.
    """
    measured = {choice: judge(choice) for choice in choices}
    (leader, held), *others = measured.items()
    for choice, found in others:
        gain = held - found
        if gain.mean() > gain.std() / np.sqrt(len(gain)):
            leader, held = choice, found
    return leader, {choice: float(found.mean()) for choice, found in measured.items()}
