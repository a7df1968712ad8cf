# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The operations that have weights and a bias, and their weights as matrices."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..flatbuffer import Graph, Operation, Tensor

Matrix = NDArray[np.float64]
"""Float weights, taps x output channels: a tap is one input of one place in the kernel."""

AXES = {"CONV_2D": 0, "DEPTHWISE_CONV_2D": 3, "FULLY_CONNECTED": 0}
"""The axis of the weights that runs over the output channels, by kind."""


@dataclass(frozen=True, slots=True)
class Layer:
    """One operation with weights and a bias."""

    step: Operation
    fed: Tensor
    weights: Tensor
    bias: Tensor

    @property
    def depthwise(self) -> bool:
        """Whether every output channel sees one input channel only."""
        return self.step.kind == "DEPTHWISE_CONV_2D"

    @property
    def taps(self) -> int:
        """Weights of one output channel."""
        return int(np.prod(self.weights.shape)) // max(self.weights.shape[AXES[self.step.kind]], 1)

    @property
    def correctable(self) -> bool:
        """Whether weights and bias are constants over a known number of taps; not in convolutions by groups."""
        values = self.weights.constant()
        if values is None or self.bias.constant() is None:
            return False
        if self.depthwise:
            return bool(values.shape[3] == self.fed.shape[-1])
        return bool(values.shape[-1] == self.fed.shape[-1])

    def matrix(self) -> Matrix:
        """Return the weights, taps x output channels."""
        values = self.weights.constant()
        assert values is not None  # noqa: S101 - only asked of what is correctable
        exact = values.astype(np.float64)
        return exact.reshape(-1, values.shape[-1]) if self.depthwise else exact.reshape(len(values), -1).T

    def as_stored(self, matrix: Matrix) -> NDArray[np.float32]:
        """Return a matrix in the shape in which weights are stored."""
        turned = matrix if self.depthwise else matrix.T
        return np.ascontiguousarray(turned.reshape(self.weights.shape), np.float32)


def layers(graph: Graph) -> list[Layer]:
    """Return every operation that has weights and a bias, in the order of execution."""
    tensors = graph.tensors
    return [
        Layer(step, *(tensors[index] for index in step.inputs[:3]))
        for step in graph.operations
        if step.kind in AXES and len(step.inputs) > 2 and step.inputs[2] >= 0
    ]


def correctable(graph: Graph) -> list[Layer]:
    """Return the layers whose weights and bias are theirs alone, so that another value concerns nobody else."""
    used = Counter(index for step in graph.operations for index in step.inputs)
    return [layer for layer in layers(graph) if layer.correctable and all(used[i] == 1 for i in layer.step.inputs[1:3])]


def largest(values: NDArray[np.float32], kind: str) -> NDArray[np.float32]:
    """Return the largest magnitude of each output channel's weights, in the weights' number of dimensions."""
    others = tuple(number for number in range(values.ndim) if number != AXES[kind])
    return np.asarray(np.abs(values).max(axis=others, keepdims=True), np.float32)
