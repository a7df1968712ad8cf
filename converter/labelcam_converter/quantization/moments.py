# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Means and covariances of the inputs of a layer: all that its correction needs to know of the pictures."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from .taps import Rows

_AT_ONCE = 512
"""Rows that are multiplied together."""


@dataclass(frozen=True, slots=True, eq=False)
class Moments:
    """First and second moments of a layer's inputs: of all taps, or channel by channel where the layer is depthwise."""

    rows: int
    total: NDArray[np.float64]
    """Taps; channels x taps where depthwise."""

    products: NDArray[np.float64]
    """Taps x taps; channels x taps x taps where depthwise."""

    def joined(self, other: Self) -> "Moments":
        """Return the moments of both sets of rows."""
        return Moments(self.rows + other.rows, self.total + other.total, self.products + other.products)

    @property
    def mean(self) -> NDArray[np.float64]:
        """In the shape of `total`."""
        return self.total / self.rows

    @property
    def covariance(self) -> NDArray[np.float64]:
        """In the shape of `products`."""
        mean = self.mean
        return self.products / self.rows - mean[..., :, None] * mean[..., None, :]

    @property
    def power(self) -> NDArray[np.float64]:
        """The mean square over all taps; one for each channel where the layer is depthwise."""
        taps = self.products.shape[-1]
        return np.asarray(np.trace(self.products, axis1=-2, axis2=-1) / (taps * self.rows), np.float64)


class Gatherer:
    """Adds up rows to moments, many at once."""

    def __init__(self, depthwise: bool) -> None:
        self._depthwise = depthwise
        self._waiting: list[Rows] = []
        self._moments: Moments | None = None

    def add(self, rows: Rows) -> None:
        """Take positions x places x channels."""
        self._waiting.append(rows)
        if sum(map(len, self._waiting)) >= _AT_ONCE:
            self._empty()

    def moments(self) -> Moments:
        """Return the moments of everything that was added, which must be something."""
        self._empty()
        assert self._moments is not None  # noqa: S101 - the caller has added rows
        return self._moments

    def _empty(self) -> None:
        if not self._waiting:
            return
        rows = np.concatenate(self._waiting)
        self._waiting = []
        if self._depthwise:
            turned = np.ascontiguousarray(rows.transpose(2, 1, 0))
            found = Moments(len(rows), _exact(turned.sum(axis=2)), _exact(turned @ turned.transpose(0, 2, 1)))
        else:
            flat = rows.reshape(len(rows), -1)
            found = Moments(len(rows), _exact(flat.sum(axis=0)), _exact(flat.T @ flat))
        self._moments = found if self._moments is None else self._moments.joined(found)


def _exact(values: NDArray[np.float32]) -> NDArray[np.float64]:
    return values.astype(np.float64)
