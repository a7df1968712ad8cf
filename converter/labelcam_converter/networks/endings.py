# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Ends a float .tflite in one probability for each label where it stops short of that.

The worker does the same to networks of Keras and TensorFlow, in worker/ending.py; both call the ways alike.
"""

import math

import numpy as np

from labelcam.runtime import Interpreter

from ..flatbuffer import Graph

IN_WORDS = {
    "softmax": "the network ends in logits: a softmax was put behind them, so that the scores are probabilities",
    "two": "the network ends in one sigmoid score p: it was made two, 1 - p and p; name them in this order by --labels",
    "independent": "every score is a probability of its own (sigmoid): they need not sum to 1",
    "sigmoid": "the network ends in one logit, taken for a sigmoid's: it was made two probabilities, of no and of yes; "
    "name them in this order by --labels",
}

_LINEAR = ("FULLY_CONNECTED", "CONV_2D", "ADD", "MEAN", "AVERAGE_POOL_2D", "LOG_SOFTMAX")
"""Operations whose results are logits where a classifier ends in them; of logarithms a softmax makes probabilities."""

_SHAPED = ("RESHAPE", "SQUEEZE", "DEQUANTIZE")


def finished(data: bytes) -> tuple[bytes, str | None]:
    """Return the network with what its end lacks, and what that is, a key of IN_WORDS; None where it lacks nothing.

    What cannot be a classifier is returned as it is: `network_form` says why not.
    """
    graph = Graph(data)
    if len(graph.inputs) != 1 or len(graph.outputs) != 1 or any(tensor.scales for tensor in graph.tensors):
        return data, None
    told = graph.outputs[0]
    width = math.prod(told.shape)
    last = _last_kind(graph)
    if told.dtype != "float32" or not told.shape or width != max(told.shape):
        return data, None
    if width == 1 and last == "LOGISTIC":
        return _two(graph), "two"
    if width == 1 and last in _LINEAR:
        return _two(Graph(graph.with_appended("LOGISTIC", told.shape))), "sigmoid"
    if width > 1 and last == "LOGISTIC":
        return data, "independent"
    if width > 1 and last in _LINEAR and not _sums_to_one(data, graph):
        return graph.with_appended("SOFTMAX", told.shape), "softmax"
    return data, None


def _last_kind(graph: Graph) -> str:
    """The kind of the operation that computes the answer; empty where it ends in an activation such as ReLU."""
    wanted = graph.tensors.index(graph.outputs[0])
    for step in reversed(graph.operations):
        if wanted not in step.outputs:
            continue
        if step.kind not in _SHAPED:
            return "" if step.options.get("fusedActivationFunction") else step.kind
        wanted = step.inputs[0]
    return ""


def _two(graph: Graph) -> bytes:
    """[1 - p, p], as a dense layer, which every quantiser knows."""
    weights, bias = np.array([[-1.0], [1.0]], np.float32), np.array([1.0, 0.0], np.float32)
    return graph.with_appended("FULLY_CONNECTED", (1, 2), (weights, bias))


def _sums_to_one(data: bytes, graph: Graph) -> bool:
    """Whether the answers are probabilities though no softmax ends the graph: tried on noise."""
    interpreter = Interpreter(data)
    noise = np.random.default_rng(0).uniform(-1, 1, graph.inputs[0].shape)
    interpreter.write(noise.astype(interpreter.input.dtype))
    interpreter.invoke()
    scores = np.asarray(interpreter.read(), np.float64)
    return bool(np.all(scores >= 0) and abs(float(scores.sum()) - 1) < 1e-3)
