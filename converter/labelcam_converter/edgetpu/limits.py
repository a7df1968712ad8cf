# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Within what limits the Edge TPU computes the operations that it knows, as Coral's table states them.

Each limit looks at one operation and returns the reason and the remedy, or None.
"""

import math
from collections.abc import Callable, Sequence

import numpy as np

from ..flatbuffer import Graph, Operation, Tensor

Why = tuple[str, str]
"""The reason, and the remedy."""

Limit = Callable[[Graph, Operation], Why | None]

EIGHT_BITS = ("int8", "uint8")

MOST_SOFTMAX = 16_000

MEMORY = 8 * 2**20
"""Bytes of the Edge TPU's on-chip memory; what is computed must find room there beside the parameters."""

_INNERMOST = 3
_SHAPE_GIVERS = {
    "MEAN": (1,),
    "PAD": (1,),
    "REDUCE_MAX": (1,),
    "REDUCE_MIN": (1,),
    "RESHAPE": (1,),
    "RESIZE_BILINEAR": (1,),
    "RESIZE_NEAREST_NEIGHBOR": (1,),
    "SLICE": (1, 2),
    "SPLIT": (0,),
    "STRIDED_SLICE": (1, 2, 3),
    "SUM": (1,),
    "TRANSPOSE": (1,),
    "TRANSPOSE_CONV": (0,),
    "EXPAND_DIMS": (1,),
}
"""Inputs that decide the shape of the result: computed ones make it a dynamic one."""


def why_not(graph: Graph, step: Operation) -> Why | None:
    """Return why the Edge TPU cannot compute an operation of a kind that it knows, or None if it can."""
    for limit in (*_EVERY, *_OF_KIND.get(step.kind, ())):
        if found := limit(graph, step):
            return found
    return None


def _computed(graph: Graph, step: Operation) -> list[Tensor]:
    """The tensors that an operation reads and writes, without constants."""
    read = [graph.tensors[index] for index in step.inputs if index >= 0]
    return [tensor for tensor in read if tensor.data is None] + [graph.tensors[index] for index in step.outputs]


def _input(graph: Graph, step: Operation, number: int) -> Tensor | None:
    left_out = number >= len(step.inputs) or step.inputs[number] < 0
    return None if left_out else graph.tensors[step.inputs[number]]


def _numbers(graph: Graph, step: Operation, number: int) -> list[int]:
    tensor = _input(graph, step, number)
    value = None if tensor is None else tensor.constant()
    return [] if value is None else [int(item) for item in np.ravel(value)]


def _fixed_sizes(graph: Graph, step: Operation) -> Why | None:
    remedy = "export the network with a fixed batch of 1 and a fixed input size"
    for tensor in _computed(graph, step):
        if any(side < 1 for side in tensor.shape):
            return f"works on {list(tensor.shape)}, which is no fixed size", remedy
    for number in _SHAPE_GIVERS.get(step.kind, ()):
        giver = _input(graph, step, number)
        if giver is not None and giver.data is None:
            return "computes the size of its result while it runs", remedy
    return None


def _eight_bits(graph: Graph, step: Operation) -> Why | None:
    wrong = [tensor for tensor in _computed(graph, step) if tensor.dtype not in EIGHT_BITS]
    if not wrong:
        return None
    return f"computes in {wrong[0].dtype}", "quantise the whole network to int8"


def _three_dimensions(graph: Graph, step: Operation) -> Why | None:
    for tensor in _computed(graph, step):
        if any(side > 1 for side in tensor.shape[:-_INNERMOST]):
            reason = f"works on {list(tensor.shape)}: only the three innermost sides may be more than 1"
            return reason, "export the network with a batch of 1"
    return None


def _fits(graph: Graph, step: Operation) -> Why | None:
    for tensor in _computed(graph, step):
        if math.prod(tensor.shape) > MEMORY:
            size = f"{math.prod(tensor.shape) / 2**20:.1f} MiB"
            return f"works on {size} at once, more than the chip's 8 MiB", "build it for smaller pictures: --size"
    return None


def _nothing_fused(_graph: Graph, step: Operation) -> Why | None:
    if not step.options.get("fusedActivationFunction"):
        return None
    return "has an activation fused into it", "put the activation into a layer of its own"


def _same_dilation(_graph: Graph, step: Operation) -> Why | None:
    wide, high = step.options.get("dilationWFactor", 1), step.options.get("dilationHFactor", 1)
    return None if wide == high else (f"is dilated {high:g} by {wide:g}", "dilate both directions alike")


def _constant_weights(graph: Graph, step: Operation) -> Why | None:
    weights = _input(graph, step, 1)
    if weights is not None and weights.data is not None:
        return None
    return "has weights that are computed while it runs", "make them constants"


def _dense(graph: Graph, step: Operation) -> Why | None:
    weights, output = _input(graph, step, 1), graph.tensors[step.outputs[0]]
    if weights is not None and len(weights.scales) > 1:
        reason = f"has weights of {len(weights.scales)} scales, and the compiler expects one for the whole layer"
        return reason, "quantise with per-channel dense layers off, as build --edgetpu does"
    if step.options.get("weightsFormat"):
        return "has shuffled weights", "convert the network again in the default format"
    if any(side > 1 for side in output.shape[:-1]) or (step.options.get("keepNumDims") and len(output.shape) > 2):
        return f"gives {list(output.shape)}, and must give one row", "flatten or pool before the dense layer"
    return None


def _one_row(graph: Graph, step: Operation) -> Why | None:
    shape = graph.tensors[step.outputs[0]].shape
    if any(side > 1 for side in shape[:-1]):
        return f"works on {list(shape)}, and can only on one row", "apply it to one row of scores"
    if math.prod(shape) > MOST_SOFTMAX:
        return f"has {math.prod(shape)} scores, and {MOST_SOFTMAX} are the most", "end the network without it"
    return None


def _not_the_batch(number: int) -> Limit:
    """A limit for operations along an axis, which the input of this number names, or the option where it is below 0."""

    def limit(graph: Graph, step: Operation) -> Why | None:
        rank = len(graph.tensors[step.inputs[0 if number else 1]].shape)
        named = _numbers(graph, step, number) if number >= 0 else [int(step.options.get("axis", -1))]
        if rank > 1 and any(axis in (0, -rank) for axis in named):
            return "works along the batch", "leave the first axis alone"
        return None

    return limit


def _mean(graph: Graph, step: Operation) -> Why | None:
    seen = graph.tensors[step.inputs[0]].shape
    along_depth = any(axis in (-1, len(seen) - 1) for axis in _numbers(graph, step, 1))
    if along_depth and seen[-1] % 4:
        return f"reduces {seen[-1]} channels, and can only a multiple of 4", "use a multiple of 4 channels"
    return None


def _pad(graph: Graph, step: Operation) -> Why | None:
    given = _numbers(graph, step, 1)
    rank = len(graph.tensors[step.inputs[0]].shape)
    return ("pads the batch", "pad rows and columns only") if rank > 3 and any(given[:2]) else None


def _zero_padding_only(graph: Graph, step: Operation) -> Why | None:
    constants = [graph.tensors[index] for index in step.inputs if index >= 0 and graph.tensors[index].data is not None]
    zeros = all(_is_zero(tensor) for tensor in constants)
    if not constants or (len(step.inputs) == 2 and zeros):
        return None
    return "joins a constant that is not one block of zeros", "leave the constant out"


def _is_zero(tensor: Tensor) -> bool:
    value, zero = tensor.constant(), tensor.zero_points[0] if tensor.zero_points else 0
    return value is not None and bool(np.all(value == zero))


def _plain_slice(graph: Graph, step: Operation) -> Why | None:
    strides = _numbers(graph, step, 3)
    if any(stride != 1 for stride in strides):
        return f"has strides of {strides}", "take every element: strides of 1"
    if step.options.get("ellipsisMask") or step.options.get("newAxisMask"):
        return "has an ellipsis or adds an axis", "slice without them, and reshape"
    return None


def _one_slope_a_channel(graph: Graph, step: Operation) -> Why | None:
    slopes = _input(graph, step, 1)
    if slopes is None or not any(side > 1 for side in slopes.shape[:-1]):
        return None
    return f"has slopes of {list(slopes.shape)}", "share them over rows and columns: PReLU(shared_axes=[1, 2])"


_EVERY: Sequence[Limit] = (_fixed_sizes, _eight_bits, _three_dimensions, _fits)

_OF_KIND: dict[str, Sequence[Limit]] = {
    "AVERAGE_POOL_2D": (_nothing_fused,),
    "CONCATENATION": (_nothing_fused, _zero_padding_only),
    "CONV_2D": (_same_dilation, _constant_weights),
    "DEPTHWISE_CONV_2D": (_same_dilation, _constant_weights),
    "FULLY_CONNECTED": (_constant_weights, _dense),
    "MAX_POOL_2D": (_nothing_fused,),
    "MEAN": (_not_the_batch(1), _mean),
    "PACK": (_not_the_batch(-1),),
    "PAD": (_pad,),
    "PRELU": (_one_slope_a_channel,),
    "REDUCE_MAX": (_not_the_batch(1),),
    "REDUCE_MIN": (_not_the_batch(1),),
    "SOFTMAX": (_one_row,),
    "SPLIT": (_not_the_batch(0),),
    "STRIDED_SLICE": (_plain_slice,),
    "SUM": (_not_the_batch(1),),
    "TRANSPOSE_CONV": (_constant_weights,),
}
