# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Teaches an int8 network to answer like the float network it came from, on pictures that need no labels."""

import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from ..flatbuffer import Graph
from .reporting import Reporter
from .student import Student

FLOAT, INT8, PICTURES, CONSTANTS = "float.tflite", "int8.tflite", "pictures.npy", "constants.npz"
"""What comes and goes in the folder. The pictures: number x height x width x 3, bytes. The constants: those of the int8
network, each named by the index of its tensor."""

BATCH = 16
"""Pictures a round: 3 GB of memory for MobileNetV2 at 224 pixels."""

WEIGHT_PACE = 3e-4
"""Steps of int8 that a weight moves at most in one round, at first. Most weights need to go one step up or down or not
at all; ten times this, and the network forgets more than it learns."""

BIAS_PACE = 0.03
"""Steps of the layer's output that a bias moves at most in one round, at first."""

_MEMORY, _SQUARES = 0.9, 0.999
"""How much of the past the running means of gradients and of their squares keep."""

_WARM_UP = 0.15
"""Of the rounds, until the pace is full: Adam's first steps are long ones by a guess."""

THREADS = 2
"""Fixed, so that sums come out the same on machines with more cores."""


def run(request: dict[str, Any], folder: Path, reporter: Reporter) -> dict[str, Any]:
    """Write the constants; the request has `rounds`, `seed`, and `mean` and `std` of the pictures."""
    tf.config.threading.set_intra_op_parallelism_threads(THREADS)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    tf.config.experimental.enable_op_determinism()
    # The optimiser of graphs orders them differently in every process, and sums come out otherwise by a last bit.
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
    tf.random.set_seed(request["seed"])
    student = Student(Graph((folder / FLOAT).read_bytes()), Graph((folder / INT8).read_bytes()))
    pictures = np.load(folder / PICTURES, mmap_mode="r")
    learn = _learner(student)
    rounds = request["rounds"]
    reporter.begin("tuning the int8 network", rounds)
    for number, batch in zip(range(rounds), _batches(pictures, request["seed"]), strict=False):
        normalised = (batch.astype(np.float32) - np.float32(request["mean"])) / np.float32(request["std"])
        learn(tf.constant(normalised), tf.constant(_pace(number, rounds), tf.float32))
        reporter.advance()
    constants: dict[str, Any] = {str(index): value for index, value in student.constants().items()}
    np.savez(folder / CONSTANTS, **constants)
    return {}


def _batches(pictures: NDArray[np.uint8], seed: int) -> Iterator[NDArray[np.uint8]]:
    """Each picture as often as any other, mirrored every other time."""
    rng = np.random.default_rng(seed)
    waiting = np.empty(0, np.int64)
    while True:
        while len(waiting) < BATCH:
            waiting = np.concatenate([waiting, rng.permutation(len(pictures))])
        chosen, waiting = waiting[:BATCH], waiting[BATCH:]
        turned = rng.integers(2, size=BATCH)
        yield np.stack([pictures[n][:, ::-1] if flip else pictures[n] for n, flip in zip(chosen, turned, strict=True)])


def _pace(number: int, rounds: int) -> float:
    """From nothing to nearly 1 and, along half a cosine (Loshchilov and Hutter 2017, arXiv:1608.03983), to nothing."""
    return min(1.0, (number + 1) / (_WARM_UP * rounds)) * 0.5 * (1 + math.cos(math.pi * number / rounds))


def _learner(student: Student) -> Callable[[Any, Any], Any]:
    """One round of Adam (Kingma and Ba 2015, arXiv:1412.6980) as a graph, of a batch and a pace from 1 to 0."""
    variables = [*student.weights, *student.biases]
    paces = [WEIGHT_PACE] * len(student.weights) + [BIAS_PACE] * len(student.biases)
    means = [tf.Variable(tf.zeros_like(each)) for each in variables]
    squares = [tf.Variable(tf.zeros_like(each)) for each in variables]
    count = tf.Variable(0.0)

    @tf.function  # type: ignore[untyped-decorator]
    def learn(pictures: Any, pace: Any) -> Any:
        apart = distance(student.exact(pictures), student.coarse(pictures))
        gradients = tf.gradients(apart, variables)
        count.assign_add(1.0)
        for variable, gradient, most, mean, square in zip(variables, gradients, paces, means, squares, strict=True):
            mean.assign(_MEMORY * mean + (1 - _MEMORY) * gradient)
            square.assign(_SQUARES * square + (1 - _SQUARES) * gradient**2)
            usual = tf.sqrt(square / (1 - _SQUARES**count)) + 1e-12
            variable.assign_sub(pace * most * mean / (1 - _MEMORY**count) / usual)
        return apart

    return learn  # type: ignore[no-any-return]


def distance(wanted: tuple[Any, list[Any]], got: tuple[Any, list[Any]]) -> Any:
    """Return how far two networks' answers to the same pictures are apart: in nats, plus the noise on the way.

    The noise tells each layer what to put right, which the answer alone, of two labels at the least, hardly can. That
    of the logits counts as much as that of all layers together (measured: KL 0.0114 for 0.0138 after 100 rounds).
    """
    exact, coarse = tf.nn.log_softmax(wanted[0]), tf.nn.log_softmax(got[0])
    divergence = tf.reduce_mean(tf.reduce_sum(tf.exp(exact) * (exact - coarse), -1))
    layers = [_noise(theirs, ours) for theirs, ours in zip(wanted[1], got[1], strict=True)]
    return divergence + _noise(wanted[0], got[0]) + tf.add_n(layers) / len(layers)


def _noise(wanted: Any, got: Any) -> Any:
    """Power of the error relative to the signal's."""
    return tf.reduce_mean((got - wanted) ** 2) / (tf.reduce_mean(wanted**2) + 1e-12)
