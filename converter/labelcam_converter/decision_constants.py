# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Fits what a device decides by: the temperature that makes 0.8 mean 0.8, and what it takes not to be unknown.

Both on held-out images and with the functions that the device itself uses, on the scores that it gets.
"""

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from labelcam.scores import DecisionConstants, UnknownThresholds, entropy, margin, scaled

from .fidelity.divergence import Distribution, are_probabilities, kl
from .plurals import images

KNOWN_ANSWERS = 50
"""With fewer images whose label is known, the temperature is fitted to the float network's scores."""

FEWEST = 20
"""With fewer images nothing is fitted: a twentieth of them would not be one."""

LEFT_OUT = 5
"""Percent of the images known to be right that each threshold leaves out."""

HOTTEST = 4.0
"""The temperature is sought from 1/4 to this; a network further off has learned nothing, or something else."""

PRIOR_SPREAD = 0.5
"""Of the logarithm of the temperature around 0, a normal distribution: without it, a network that makes no mistake
among a few images would be taken to make none at all."""

LEAST_GAIN = 0.02
"""Of the divergence from the float network: a temperature that lowers it by less is not worth a device's time."""

LEAST = 1e-6
"""What a label counts as that has no score at all, so that one image cannot decide everything."""

_GOLDEN_SECTION = (math.sqrt(5) - 1) / 2
_TOLERANCE = 1e-3
"""Of the logarithm of the temperature: a tenth of a percent."""


def fit(got: Distribution, wanted: Distribution, truth: Sequence[int | None] = ()) -> DecisionConstants:
    """Return the constants for a network whose scores are `got`, made from a float one with the scores `wanted`.

    Both are images x labels, dequantised, on the same held-out images. `truth` is the index of each image's label, None
    where it is not known; empty where none is.
    """
    count = len(got)
    if count < FEWEST:
        return DecisionConstants(method=f"nothing was fitted: {images(count)} held out, {FEWEST} are needed")
    if not are_probabilities(wanted):
        return DecisionConstants(images=count, method="nothing was fitted: the scores are no probabilities")
    rows = np.asarray(got, np.float32)
    labelled = [(row, index) for row, index in zip(rows, truth, strict=False) if index is not None]
    if len(labelled) >= KNOWN_ANSWERS:
        temperature = _coolest(lambda hot: _surprise(labelled, hot) + math.log(hot) ** 2 / (2 * PRIOR_SPREAD**2))
        method = f"temperature: least negative log-likelihood of the labels of {images(len(labelled))}"
    else:
        temperature = _like_float(rows, wanted)
        method = (
            f"temperature: least divergence from the float network on {images(count)}, whether it is right or not: "
            f"labels are known of {len(labelled)}, {KNOWN_ANSWERS} are needed"
        )
    unknown, how = _unknown(rows, wanted, truth, temperature)
    return DecisionConstants(temperature, unknown, count, f"{method}; unknown: {how}")


def _coolest(cost: Callable[[float], float]) -> float:
    """The temperature of the least cost, by golden-section search on its logarithm; rounded."""
    low, high = -math.log(HOTTEST), math.log(HOTTEST)
    while high - low > _TOLERANCE:
        step = (high - low) * _GOLDEN_SECTION
        if cost(math.exp(high - step)) < cost(math.exp(low + step)):
            high = low + step
        else:
            low = high - step
    return round(math.exp((low + high) / 2), 3)


def _like_float(rows: NDArray[np.float32], wanted: Distribution) -> float:
    """The temperature that brings the scores nearest to the float network's, or 1 where none does so clearly."""
    temperature = _coolest(lambda hot: _divergence(rows, wanted, hot))
    clearly = _divergence(rows, wanted, temperature) <= (1 - LEAST_GAIN) * _divergence(rows, wanted, 1.0)
    return temperature if clearly else 1.0


def _surprise(labelled: Sequence[tuple[NDArray[np.float32], int]], temperature: float) -> float:
    """The negative log-likelihood of the labels, in nats, summed."""
    return sum(-math.log(max(scaled(row, temperature).item(index), LEAST)) for row, index in labelled)


def _divergence(rows: NDArray[np.float32], wanted: Distribution, temperature: float) -> float:
    """KL(float || scaled scores) in nats, mean over the images."""
    return float(
        np.mean([kl(p, scaled(row, temperature).astype(np.float64)) for row, p in zip(rows, wanted, strict=True)])
    )


def _unknown(
    rows: NDArray[np.float32], wanted: Distribution, truth: Sequence[int | None], temperature: float
) -> tuple[UnknownThresholds | None, str]:
    """The thresholds that all but a few of the rightly answered images pass, and how they were chosen in words."""
    told = list(truth) or [None] * len(rows)
    right = [
        scaled(row, temperature)
        for row, exact, index in zip(rows, wanted, told, strict=True)
        if int(row.argmax()) == (int(exact.argmax()) if index is None else index)
    ]
    by = "by the float network's answer" if all(index is None for index in told) else "by their labels"
    if any(index is None for index in told) and by == "by their labels":
        by += " or, where they have none, by the float network's answer"
    if len(right) < FEWEST:
        return None, f"nothing was fitted, {images(len(right))} answered rightly {by}, {FEWEST} are needed"
    best = [int(row.argmax()) for row in right]
    thresholds = UnknownThresholds(
        _share(np.percentile([row.item(index) for row, index in zip(right, best, strict=True)], LEFT_OUT)),
        _share(np.percentile([margin(row, index) for row, index in zip(right, best, strict=True)], LEFT_OUT)),
        _share(np.percentile([entropy(row) for row in right], 100 - LEFT_OUT)),
    )
    passed = [
        row.item(index) >= thresholds.score
        and margin(row, index) >= thresholds.margin
        and entropy(row) <= thresholds.entropy
        for row, index in zip(right, best, strict=True)
    ]
    how = (
        f"of {images(len(right))} answered rightly {by}, {LEFT_OUT}% score less than score, {LEFT_OUT}% have a smaller "
        f"margin, {LEFT_OUT}% a greater entropy, together {1 - np.mean(passed):.0%}; no image of anything unknown "
        "was seen"
    )
    return thresholds, how


def _share(value: float) -> float:
    return round(min(max(float(value), 0.0), 1.0), 4)
