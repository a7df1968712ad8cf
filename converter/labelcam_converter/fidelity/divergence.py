# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""How far the scores of two networks are apart."""

import numpy as np
from numpy.typing import NDArray

Distribution = NDArray[np.float64]

FLOOR = 1 / 1024
"""Probabilities below this count as this: uint8 scores cannot say less."""


def kl(wanted: Distribution, got: Distribution) -> float:
    """Return KL(wanted || got) in nats, both floored at FLOOR and renormalised."""
    p, q = (np.maximum(scores, FLOOR) / np.maximum(scores, FLOOR).sum() for scores in (wanted, got))
    return float(np.sum(p * np.log(p / q)))


def are_probabilities(scores: Distribution) -> bool:
    """Whether the scores of a float network, images x labels, are those of a softmax on every image."""
    return bool(scores.min() >= 0 and np.all(np.abs(scores.sum(axis=1) - 1) < 1e-3))


def quantised_probabilities(scores: Distribution, float_has_them: bool) -> Distribution:
    """Return the scores of the quantised network, images x labels, as probabilities.

    What the float network's are decides, except where one of the two files ends in a softmax and the other does not.
    """
    if float_has_them:
        return scores if scores.min() > -0.05 and scores.max() < 1.05 else softmax(scores)
    return scores if add_up(scores) else softmax(scores)


def add_up(scores: Distribution) -> bool:
    """Whether dequantised scores, images x labels, add up to about 1, as those of a softmax do on every image."""
    return bool(scores.min() >= 0 and np.all(np.abs(scores.sum(axis=1) - 1) < 0.1))


def softmax(scores: Distribution) -> Distribution:
    """Return logits, images x labels, as probabilities."""
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True), np.float64)
