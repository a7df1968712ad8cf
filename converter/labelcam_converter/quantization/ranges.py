# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Ranges: which part of the values that a tensor takes its 256 codes are to cover."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labelcam.preprocess import Preprocess

from .schemes import RangeEstimator

KEPT = 0.9999
"""The part of a tensor's values that `percentile` covers."""

_BINS = 2048
_SHARES = np.linspace(1.0, 0.3, 36)
"""Parts of an end of the range that `mse` tries, the whole first."""


@dataclass(frozen=True, slots=True)
class Range:
    """The least and the greatest value of a tensor."""

    low: float
    high: float

    def joined(self, other: "Range") -> "Range":
        """Return the range that covers both."""
        return Range(min(self.low, other.low), max(self.high, other.high))

    def outside(self, values: NDArray[np.float32]) -> float:
        """Return the share of the values that it does not cover."""
        return float(np.mean((values < self.low) | (values > self.high)))


@dataclass(frozen=True, slots=True, eq=False)
class Values:
    """What was seen of a tensor."""

    span: Range
    """Of every value."""

    sample: NDArray[np.float32]
    """Some of the values."""

    def joined(self, other: "Values") -> "Values":
        """Return both together."""
        return Values(self.span.joined(other.span), np.concatenate([self.sample, other.sample]))


def estimate(seen: Mapping[str, Values], estimator: RangeEstimator, fed: str, how: Preprocess) -> dict[str, Range]:
    """Return the range of every tensor by its name; `fed` is the network's input."""
    found = {name: _ESTIMATORS[estimator](values) for name, values in seen.items()}
    # Not what was seen but what can be: so every byte of a camera is one step of the quantised input.
    black, white = how.normalise(np.array([0, 255], np.uint8))
    return {**found, fed: Range(float(black), float(white))}


def _minmax(values: Values) -> Range:
    return values.span


def _percentile(values: Values) -> Range:
    low, high = np.quantile(values.sample, [(1 - KEPT) / 2, (1 + KEPT) / 2])
    return Range(min(float(low), 0.0), max(float(high), 0.0))


def _mse(values: Values) -> Range:
    """The range with the least squared error over the values, rounding and clipping together."""
    counts, edges = np.histogram(values.sample, _BINS)
    middles = (edges[:-1] + edges[1:])[counts > 0] / 2
    weights = counts[counts > 0]

    def error(low: float, high: float) -> float:
        step = max(high - low, 1e-9) / 255
        zero = np.round(-low / step)
        codes = np.clip(np.round(middles / step) + zero, 0, 255)
        return float(weights @ np.square(middles - (codes - zero) * step))

    low, high = min(values.span.low, 0.0), max(values.span.high, 0.0)
    share = min(_SHARES, key=lambda part: error(low * part, high * part))
    low, high = low * share, high * share
    if low < 0 < high:  # then each end for itself
        low *= min(_SHARES, key=lambda part: error(low * part, high))
        high *= min(_SHARES, key=lambda part: error(low, high * part))
    return Range(float(low), float(high))


_ESTIMATORS = {"minmax": _minmax, "percentile": _percentile, "mse": _mse}
