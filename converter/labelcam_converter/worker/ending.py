# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Ends a network in one probability for each label where it stops short of that."""

from collections.abc import Callable
from typing import Any

from .tracing import last_step

Call = Callable[[Any], Any]

_LINEAR = ("MatMul", "BiasAdd", "AddV2", "Add", "Conv2D", "Mean", "LogSoftmax")
"""Steps whose results are logits where a classifier ends in them; of logarithms a softmax makes probabilities too."""


def finished(call: Call, traced: Any) -> tuple[Call, str | None]:
    """Return the function with what its end lacks, and what that is.

    softmax: behind logits. two: one score p became [1 - p, p]. sigmoid: one logit became two scores.
    independent: each score is a probability of its own, and stays. None: nothing.
    """
    import tensorflow as tf

    shape, last = traced.outputs[0].shape, last_step(traced)
    width = shape[-1] if shape.rank and shape.num_elements() == shape[-1] else 0
    if width == 1 and last == "Sigmoid":
        return lambda x: _two(call(x)), "two"
    if width == 1 and last in _LINEAR:
        return lambda x: _two(tf.sigmoid(call(x))), "sigmoid"
    if width and width > 1 and last == "Sigmoid":
        return call, "independent"
    if width and width > 1 and last in _LINEAR and not _sums_to_one(traced):
        return lambda x: tf.nn.softmax(tf.reshape(call(x), [1, width])), "softmax"
    return call, None


def _two(score: Any) -> Any:
    """[1 - p, p], as a dense layer, which every quantiser knows."""
    import tensorflow as tf

    return tf.matmul(tf.reshape(score, [1, 1]), tf.constant([[-1.0, 1.0]])) + tf.constant([1.0, 0.0])


def _sums_to_one(traced: Any) -> bool:
    """Whether the answers are probabilities though no softmax ends the graph: tried on noise."""
    import numpy as np
    import tensorflow as tf

    noise = np.random.default_rng(0).uniform(-1, 1, traced.inputs[0].shape).astype(np.float32)
    answers = traced(tf.constant(noise))
    scores = np.asarray(answers[0] if isinstance(answers, list | tuple) else answers)
    return bool(np.all(scores >= 0) and abs(float(scores.sum()) - 1) < 1e-3)
