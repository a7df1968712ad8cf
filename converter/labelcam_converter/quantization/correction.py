# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Corrections: other weights and biases for the float network, which lose less when they are rounded.

A correction costs nothing in the result: the graph, its scales and its size stay what they are.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from ..flatbuffer import Graph
from .moments import Moments
from .ranges import Range
from .rounding import STEPS, by_covariance, nearest
from .schemes import Scheme
from .weighted import correctable, largest, layers

_BIAS_LIMIT = 2.0**30
"""Half of what a bias' 32 bits can hold, so that the sums on top of it cannot overflow either."""

Bounds = Mapping[str, NDArray[np.float32]]
"""The largest magnitude that the codes of a layer's weights cover, for each output channel, by the weights' name."""


class Correction(StrEnum):
    """What can be done beyond ranges."""

    BIAS = "bias correction"
    """Rounded weights shift the mean of what a layer answers; its bias takes that back (Nagel et al. 2019, 4.2)."""

    ROUNDING = "weight rounding by the covariance of the inputs"


@dataclass(frozen=True, slots=True)
class Corrected:
    """A float network whose weights lie on the steps of their scales."""

    model: bytes
    bounds: Bounds


def corrected(
    float_model: bytes,
    moments: Mapping[str, Moments],
    ranges: Mapping[str, Range],
    scheme: Scheme,
    corrections: frozenset[Correction],
) -> Corrected:
    """Return the network with the corrections made in every layer whose inputs were observed.

    `ranges` are those that the network will be quantised with: they limit how small a step of the weights can be.
    """
    graph = Graph(float_model)
    bounds = {**weight_bounds(graph, ranges, scheme)}
    if not corrections:
        return Corrected(float_model, bounds)
    values: dict[int, NDArray[np.float32]] = {}
    for layer in correctable(graph):
        seen = moments.get(graph.tensors[layer.step.outputs[0]].name)
        weights, bias = layer.weights.constant(), layer.bias.constant()
        if seen is None or weights is None or bias is None:
            continue
        bound = bounds.setdefault(layer.weights.name, largest(weights, layer.step.kind))
        scales = np.where(bound > 0, bound, 1).reshape(-1).astype(np.float64) / STEPS
        exact = layer.matrix()
        if Correction.ROUNDING in corrections:
            rounded = by_covariance(exact, scales, seen, layer.depthwise)
        else:
            rounded = nearest(exact, scales)
        values[layer.step.inputs[1]] = layer.as_stored(rounded)
        if Correction.BIAS in corrections:
            # Taps x channels where depthwise, taps else; a mean input times what rounding has taken from the weights.
            mean = seen.mean.T if layer.depthwise else seen.mean[:, None]
            shift = (mean * (exact - rounded)).sum(axis=0)
            values[layer.step.inputs[2]] = (bias + shift).astype(np.float32)
    return Corrected(graph.with_constants(values), bounds)


def weight_bounds(graph: Graph, ranges: Mapping[str, Range], scheme: Scheme) -> dict[str, NDArray[np.float32]]:
    """Return bounds for the weights whose own would be too narrow for their bias.

    The bias counts in steps of (input scale x weight scale). Where the weights of a channel are nearly all zero, as
    training leaves them in dead channels, those steps are so small that the bias overflows and changes its sign.
    """
    widened = {}
    for layer in layers(graph):
        fed = ranges.get(layer.fed.name)
        weights, bias = layer.weights.constant(), layer.bias.constant()
        if fed is None or weights is None or bias is None:
            continue
        own = largest(weights, layer.step.kind)
        needed = (np.abs(bias) * STEPS / (_step(fed, scheme) * _BIAS_LIMIT)).reshape(own.shape)
        if np.any(needed > own):
            widened[layer.weights.name] = np.maximum(own, needed).astype(np.float32)
    return widened


def _step(fed: Range, scheme: Scheme) -> float:
    """How much one code of a layer's input is worth."""
    if scheme is Scheme.INT16X8:  # symmetric; litert-quantizer keeps its biases within 32 bits all the same
        return max(fed.high, -fed.low, 1e-9) / 32767
    return max(max(fed.high, 0.0) - min(fed.low, 0.0), 1e-9) / 255
