# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""An int8 network whose weights can learn: it rounds wherever LiteRT rounds, and gradients pass straight through.

Rounding hides how the answer depends on a weight; so the weight that learns is a real number, the answer is computed
with its nearest step, and the gradient of the one is taken for that of the other (Bengio et al. 2013,
arXiv:1308.3432). Scales and zero points stay what the file says: only constants change, so inference costs the same.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from ..flatbuffer import Graph, Operation
from .graph_network import WEIGHTED, check_operations, compute, logits, weighted
from .refusal import Refused

_WITHIN = 0.49
"""Of a step: a weight begins where it is rounded to what the file has, and as near to the float network's as can be."""


@dataclass(frozen=True, slots=True)
class _Learned:
    """The weights of one operation, or its bias."""

    variable: Any
    """A tf.Variable: weights count in steps of their channel, a bias in steps of its operation's output."""

    scales: NDArray[np.float32]
    """What one step of the file is worth, so shaped that it multiplies the constant."""

    unit: NDArray[np.float32]
    """What the variable counts in."""

    dtype: str
    rounds: bool

    def value(self) -> Any:
        """What the int8 network computes with, as real numbers."""
        if not self.rounds:  # 32 bits make a bias as good as exact
            return self.variable * self.unit
        return _limited(_rounded(self.variable), self.dtype) * self.unit

    def steps(self) -> NDArray[Any]:
        """What goes into the file."""
        exact = np.asarray(self.variable.numpy(), np.float64) * self.unit / self.scales
        most = np.iinfo(self.dtype).max
        return np.asarray(np.clip(np.round(exact), -most, most), self.dtype)


@tf.custom_gradient  # type: ignore[untyped-decorator]
def _rounded(value: Any) -> tuple[Any, Any]:
    return tf.round(value), lambda upstream: upstream


def _limited(value: Any, dtype: str) -> Any:
    most = np.iinfo(dtype).max  # weights are symmetric: -128 is not used
    return tf.clip_by_value(value, -most, most)


class Student:
    """The int8 network beside the float one that it came from."""

    def __init__(self, float_graph: Graph, int8_graph: Graph) -> None:
        """Begin with the int8 network as it is. Raises Refused where the two differ, or cannot be computed."""
        for graph in (float_graph, int8_graph):
            check_operations(graph)
        self._float, self._int8 = float_graph, int8_graph
        theirs, ours = weighted(float_graph), weighted(int8_graph)
        if [step.kind for step in theirs] != [step.kind for step in ours]:
            raise Refused("its int8 network has other layers than the float one; use --effort normal")
        self._learned: dict[int, _Learned] = {}
        for exact, coarse in zip(theirs, ours, strict=True):
            self._learn(exact, coarse)
        self.pairs = [
            (exact.outputs[0], coarse.outputs[0])
            for exact, coarse in zip(theirs, ours, strict=True)
            if exact.kind != "DEPTHWISE_CONV_2D"
        ]
        """Indices of the tensors, float and int8, that should hold the same."""

    def _learn(self, exact: Operation, coarse: Operation) -> None:
        axis, step = WEIGHTED[coarse.kind], self._int8.tensors[coarse.outputs[0]].scales
        for place, rounds in ((1, True), (2, False)):
            if len(coarse.inputs) <= place or (index := coarse.inputs[place]) < 0:
                continue
            value, tensor = self._float.tensors[exact.inputs[place]].constant(), self._int8.tensors[index]
            codes = tensor.constant()
            if not tensor.scales:  # a layer that was left in float stays what it is
                continue
            if value is None or codes is None or value.shape != codes.shape or not step:
                raise Refused(f"{tensor.name} is not quantised as expected; use --effort normal")
            around = [1] * value.ndim
            around[axis if rounds else 0] = -1
            scales = np.asarray(tensor.scales, np.float32).reshape(around)
            unit = scales if rounds else np.full(1, step[0], np.float32)
            start = np.clip(value / scales, codes - _WITHIN, codes + _WITHIN) if rounds else codes * (scales / unit)
            self._learned[index] = _Learned(tf.Variable(start.astype(np.float32)), scales, unit, tensor.dtype, rounds)

    @property
    def weights(self) -> list[Any]:
        """The variables that are rounded."""
        return [each.variable for each in self._learned.values() if each.rounds]

    @property
    def biases(self) -> list[Any]:
        """The variables that are not."""
        return [each.variable for each in self._learned.values() if not each.rounds]

    def constants(self) -> dict[int, NDArray[Any]]:
        """Return what was learned, by the index of the int8 network's tensor, of its type and shape."""
        return {index: each.steps() for index, each in self._learned.items()}

    def exact(self, pictures: Any) -> tuple[Any, list[Any]]:
        """Return what the float network answers to normalised pictures: logits, and what is to be matched on the way.

        The float network never learns.
        """
        values = compute(self._float, pictures, {}, lambda _, value: value)
        return values[logits(self._float)], [values[index] for index, _ in self.pairs]

    def coarse(self, pictures: Any) -> tuple[Any, list[Any]]:
        """Return the same of the int8 network, as real numbers, differentiable."""
        tuned = {index: each.value() for index, each in self._learned.items()}
        values = compute(self._int8, pictures, tuned, self._round)
        return values[logits(self._int8)], [values[index] for _, index in self.pairs]

    def _round(self, index: int, value: Any) -> Any:
        tensor = self._int8.tensors[index]
        if not tensor.scales:
            return value
        kind, scale, zero = np.iinfo(tensor.dtype), tensor.scales[0], tensor.zero_points[0]
        low, high = (kind.min - zero) * scale, (kind.max - zero) * scale
        return tf.quantization.fake_quant_with_min_max_args(value, low, high, num_bits=kind.bits)
