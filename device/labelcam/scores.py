# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""What a network's scores say: the best labels, what 0.8 means, and how sure they are as a whole.

The converter fits temperature and thresholds with these very functions, on scores as a device gets them.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from .records import Label

HALF_A_STEP = 1 / 512
"""A byte of a softmax, whose steps are 1/256, tells less than this as 0."""

Scores = NDArray[np.float32]
"""One score per label, in the order of the outputs."""

FEW = 8
"""Up to so many best labels are picked one by one."""


@dataclass(frozen=True, slots=True)
class UnknownThresholds:
    """What a frame must reach for anything to enter."""

    score: float = 0.0
    """Of the best label, at least; 0 asks for nothing."""

    margin: float = 0.0
    """Between the best label and the next, at least; 0 asks for nothing."""

    entropy: float = 1.0
    """Of all scores, at most, from 0 (one label has all) to 1 (all are equal); 1 asks for nothing."""

    def __post_init__(self) -> None:
        if not all(0 <= value <= 1 for value in (self.score, self.margin, self.entropy)):
            raise ValueError(f"{self} is out of range; each is from 0 to 1")


@dataclass(frozen=True, slots=True)
class DecisionConstants:
    """What was fitted on held-out images, as it stands in the manifest; the defaults change nothing."""

    temperature: float = 1.0
    """Scores are raised to 1 by this, so that a score is the chance of being right."""

    unknown: UnknownThresholds | None = None
    images: int = 0
    """Held-out images that were fitted on."""

    method: str = ""
    """How, in words."""

    def __post_init__(self) -> None:
        if not 0.01 <= self.temperature <= 100:
            raise ValueError(f"temperature {self.temperature} is out of range; it is from 0.01 to 100")


def scaled(scores: Scores, temperature: float) -> Scores:
    """Return p ** (1 / temperature), normalised: what a softmax of the logits divided by the temperature gives.

    Guo et al. 2017, 'On Calibration of Modern Neural Networks'. What the scores lack to 1, too little for each label
    to show in a byte, counts as shared by the labels that have none: a temperature near 1 changes little.
    """
    if temperature == 1.0:
        return scores
    powers = np.power(_whole(scores), np.float32(1 / temperature))
    powers /= np.float32(_sum(powers) or 1.0)
    return powers


def ranking(scores: Scores, count: int) -> list[int]:
    """Return the indices of the `count` best scores, best first; of equal ones the first comes first."""
    if count > FEW:
        return [int(index) for index in np.argsort(-scores, kind="stable")[:count]]
    # A few passes for the greatest value are quicker than any sort.
    rest, best = scores.copy(), []
    for _ in range(min(count, len(rest))):
        best.append(rest.argmax().item())
        rest[best[-1]] = -np.inf
    return best


def named(scores: Scores, ranked: Sequence[int], names: Sequence[str]) -> tuple[Label, ...]:
    """Return the labels at the given indices with their scores."""
    return tuple(Label(names[index], round(scores.item(index), 4)) for index in ranked)


def margin(scores: Scores, best: int) -> float:
    """Return how far the score at index `best` is above the best of the others; 0 is the least that counts for one."""
    others = max(float(part.max(initial=0.0)) for part in (scores[:best], scores[best + 1 :]))
    return scores.item(best) - others


def entropy(scores: Scores) -> float:
    """Return Shannon's entropy as a share of the greatest possible: 0 where one label has all, 1 where all are equal.

    What the scores lack to 1 counts as shared by the labels that have none.
    """
    if len(scores) < 2:
        return 0.0
    shown = np.maximum(_whole(scores), 1e-12)
    nats = -float(np.dot(shown, np.log(shown)))
    return min(max(nats / math.log(len(scores)), 0.0), 1.0)


def _whole(scores: Scores) -> Scores:
    """Return the scores with what they lack to 1 shared by the labels that have none: a byte could not tell it."""
    missing = 1 - _sum(scores)
    silent = len(scores) - int(np.count_nonzero(scores))
    share = min(missing / silent, HALF_A_STEP) if missing > 0 and silent else 0.0
    return np.maximum(scores, np.float32(share))  # an array's own kind of number: others are converted every time


def _sum(scores: Scores) -> float:
    """The sum as a dot product: between two invokes, when the caches are cold, sum() takes three times as long."""
    return float(scores.dot(_ones(len(scores))))


@cache
def _ones(count: int) -> Scores:
    return np.ones(count, np.float32)
