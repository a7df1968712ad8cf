# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""A .tflite graph as a differentiable TensorFlow function of a batch of pictures."""

import itertools
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from ..flatbuffer import Graph, Operation, Tensor
from .refusal import Refused

Tap = Callable[[int, Any], Any]
"""Given the index of a tensor and its value, returns the value that the graph goes on with."""

WEIGHTED = {"CONV_2D": 0, "DEPTHWISE_CONV_2D": 3, "FULLY_CONNECTED": 0}
"""Operations with weights and a bias, and the axis of the weights that runs over the output channels."""

_PADDINGS = ("SAME", "VALID")
_FUSED: dict[int, Callable[[Any], Any]] = {0: lambda value: value, 1: tf.nn.relu, 3: tf.nn.relu6}
"""By the numbers of the schema's ActivationFunctionType."""

_ENDINGS = ("QUANTIZE", "DEQUANTIZE", "SOFTMAX")
"""What stands between the logits and the output."""


class _Call(NamedTuple):
    """One operation, ready to compute."""

    operands: list[Any]
    """In TFLite's order and layout; None where an optional one is left out."""

    options: Mapping[str, float]
    shape: tuple[int, ...]
    """Of the result, for a batch of one."""


def _strides(call: _Call) -> list[int]:
    return [1, int(call.options["strideH"]), int(call.options["strideW"]), 1]


def _dilations(call: _Call) -> list[int]:
    return [int(call.options["dilationHFactor"]), int(call.options["dilationWFactor"])]


def _padding(call: _Call) -> str:
    return _PADDINGS[int(call.options["padding"])]


def _biased(value: Any, call: _Call) -> Any:
    bias = call.operands[2] if len(call.operands) > 2 else None
    return value if bias is None else value + bias


def _convolution(call: _Call) -> Any:
    value, weights = call.operands[:2]
    weights = tf.transpose(weights, (1, 2, 3, 0))
    return _biased(tf.nn.conv2d(value, weights, _strides(call), _padding(call), dilations=_dilations(call)), call)


def _depthwise(call: _Call) -> Any:
    value, weights = call.operands[:2]
    _, height, width, channels = weights.shape
    fed = value.shape[-1]
    weights = tf.reshape(weights, (height, width, fed, channels // fed))
    told = tf.nn.depthwise_conv2d(value, weights, _strides(call), _padding(call), dilations=_dilations(call))
    return _biased(told, call)


def _dense(call: _Call) -> Any:
    value, weights = call.operands[:2]
    told = tf.matmul(tf.reshape(value, (-1, weights.shape[1])), weights, transpose_b=True)
    return tf.reshape(_biased(told, call), (-1, *call.shape[1:]))


def _window(call: _Call) -> list[int]:
    return [1, int(call.options["filterHeight"]), int(call.options["filterWidth"]), 1]


def _mean(call: _Call) -> Any:
    axes = [int(axis) for axis in np.atleast_1d(call.operands[1])]
    return tf.reduce_mean(call.operands[0], axes, keepdims=bool(call.options["keepDims"]))


_OPERATIONS: dict[str, Callable[[_Call], Any]] = {
    "CONV_2D": _convolution,
    "DEPTHWISE_CONV_2D": _depthwise,
    "FULLY_CONNECTED": _dense,
    "ADD": lambda call: call.operands[0] + call.operands[1],
    "SUB": lambda call: call.operands[0] - call.operands[1],
    "MUL": lambda call: call.operands[0] * call.operands[1],
    "PAD": lambda call: tf.pad(call.operands[0], call.operands[1]),
    "MEAN": _mean,
    "AVERAGE_POOL_2D": lambda call: tf.nn.avg_pool2d(call.operands[0], _window(call), _strides(call), _padding(call)),
    "MAX_POOL_2D": lambda call: tf.nn.max_pool2d(call.operands[0], _window(call), _strides(call), _padding(call)),
    "RESHAPE": lambda call: tf.reshape(call.operands[0], (-1, *call.shape[1:])),
    "SQUEEZE": lambda call: tf.reshape(call.operands[0], (-1, *call.shape[1:])),
    "CONCATENATION": lambda call: tf.concat(call.operands, int(call.options["axis"])),
    "RELU": lambda call: tf.nn.relu(call.operands[0]),
    "RELU6": lambda call: tf.nn.relu6(call.operands[0]),
    "HARD_SWISH": lambda call: call.operands[0] * tf.nn.relu6(call.operands[0] + 3) / 6,
    "LOGISTIC": lambda call: tf.sigmoid(call.operands[0]),
    "QUANTIZE": lambda call: call.operands[0],
    "DEQUANTIZE": lambda call: call.operands[0],
}


def check_operations(graph: Graph) -> None:
    """Raise Refused, naming the operation, where a graph cannot be computed here."""
    for step in _steps(graph):
        fused = int(step.options.get("fusedActivationFunction", 0))
        if step.kind not in _OPERATIONS or fused not in _FUSED:
            what = step.kind if step.kind not in _OPERATIONS else f"{step.kind} with activation {fused}"
            raise Refused(f"{what} cannot be tuned; use --effort normal")
        # Whatever is of one picture in the file is computed for a batch of them.
        if graph.tensors[step.outputs[0]].shape[:1] != (1,):
            raise Refused(f"{step.kind} with an output that is not of one picture cannot be tuned; use --effort normal")


def logits(graph: Graph) -> int:
    """Return the index of the tensor that a softmax at the end is fed; of the output where there is none."""
    producers = {index: step for step in graph.operations for index in step.outputs}
    index = graph.output_indices[0]
    while index in producers and producers[index].kind in _ENDINGS:
        index = producers[index].inputs[0]
    return index


def _steps(graph: Graph) -> Iterator[Operation]:
    """The operations up to the logits."""
    end = logits(graph)
    yield from itertools.takewhile(lambda step: end not in step.outputs, graph.operations)
    yield from (step for step in graph.operations if end in step.outputs)


def weighted(graph: Graph) -> list[Operation]:
    """Return the operations whose weights are constants, in order of execution."""
    return [
        step for step in _steps(graph) if step.kind in WEIGHTED and graph.tensors[step.inputs[1]].constant() is not None
    ]


def compute(graph: Graph, pictures: Any, tuned: Mapping[int, Any], tap: Tap) -> dict[int, Any]:
    """Return the value of every tensor up to the logits, by its index, for pictures x height x width x 3.

    `tuned` stands in for the constants of these indices; `tap` sees, and may change, the input and every result.
    """
    fed = graph.input_indices[0]
    values: dict[int, Any] = {fed: tap(fed, pictures)}

    def operand(index: int) -> Any:
        if index < 0:
            return None
        if index in values:
            return values[index]
        return tuned[index] if index in tuned else real_value(graph.tensors[index])

    for step in _steps(graph):
        index = step.outputs[0]
        call = _Call([operand(number) for number in step.inputs], step.options, graph.tensors[index].shape)
        activation = _FUSED[int(step.options.get("fusedActivationFunction", 0))]
        values[index] = tap(index, activation(_OPERATIONS[step.kind](call)))
    return values


def real_value(tensor: Tensor) -> Any:
    """Return what a constant stands for: float32 where it is quantised with one scale, else as it lies in the file."""
    constant = tensor.constant()
    if constant is None or len(tensor.scales) != 1:
        return constant
    zero_point = tensor.zero_points[0] if tensor.zero_points else 0
    return (constant.astype(np.float32) - zero_point) * np.float32(tensor.scales[0])
