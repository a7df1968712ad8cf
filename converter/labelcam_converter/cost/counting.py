# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Counts multiplications and parameters, from the shapes of a graph's tensors alone."""

import math
from collections.abc import Sequence

from ..flatbuffer import Graph, Operation, Tensor
from ..layer_names import layer_names
from .memory import memory
from .record import Cost, Layer
from .separable import separable_pairs

_UNCOUNTED = frozenset({"CONV_3D", "CONV_3D_TRANSPOSE", "LSTM", "RNN", "SVDF", "edgetpu-custom-op"}) | {
    f"{direction}_SEQUENCE_{cell}" for direction in ("UNIDIRECTIONAL", "BIDIRECTIONAL") for cell in ("LSTM", "RNN")
}
"""Operations that multiply in ways of their own; an Edge TPU's says nothing of what is inside."""

_UNPACKS = ("DEQUANTIZE", "DENSIFY")
"""What makes usable weights of packed ones; the weights are the layer's that reads the result."""


def count(graph: Graph, name: str) -> Cost:
    """Return what one inference of a graph costs; `name` is how reports call the network.

    Float and quantised graphs count the same: a parameter is one whether it takes 4 bytes or 1.
    """
    names = layer_names(graph)
    packed = _packed(graph)
    seen: set[int] = set()
    layers = tuple(
        Layer(names[number], _kind(graph, step), _output(graph, step), _macs(graph, step), _own(step, packed, seen))
        for number, step in enumerate(graph.operations)
    )
    kinds = tuple(kind for kind in graph.histogram() if kind in _UNCOUNTED)
    memories = tuple(memory(graph, names, dtype) for dtype in (None, "float32", "int8"))
    return Cost(name, _dtype(graph), layers, separable_pairs(graph, names), memories, kinds)


def _kind(graph: Graph, step: Operation) -> str:
    if step.kind == "CONV_2D":
        return "pointwise" if graph.tensors[step.inputs[1]].shape[1:3] == (1, 1) else "convolution"
    return {"DEPTHWISE_CONV_2D": "depthwise", "FULLY_CONNECTED": "dense"}.get(step.kind, step.kind.lower())


def _output(graph: Graph, step: Operation) -> tuple[int, int, int]:
    shape = graph.tensors[step.outputs[0]].shape if step.outputs else ()
    height, width, channels = (1, 1, 1, *shape)[-3:] if len(shape) < 4 else shape[-3:]
    return height, width, channels


def _macs(graph: Graph, step: Operation) -> int:
    """Multiply-accumulate operations; the shapes of weights are TFLite's: out, height, width, in (of one group)."""
    shapes = [graph.tensors[index].shape if index >= 0 else () for index in step.inputs]
    told = math.prod(graph.tensors[step.outputs[0]].shape) if step.outputs else 0
    match step.kind:
        case "CONV_2D" | "FULLY_CONNECTED":
            return told * math.prod(shapes[1][1:])
        case "DEPTHWISE_CONV_2D":
            return told * math.prod(shapes[1][1:3])
        case "TRANSPOSE_CONV":  # output shape, weights, input: each number that comes in is multiplied by all of these
            return math.prod(shapes[2]) * math.prod(shapes[1][:3])
        case "BATCH_MATMUL":
            return math.prod(shapes[0]) * told // max(1, math.prod(shapes[0][:-1]))
        case _:
            return 0


def _packed(graph: Graph) -> dict[int, Tensor]:
    """Every constant that may hold parameters, by the index that a layer reads it by."""
    held = {index: tensor for index, tensor in enumerate(graph.tensors) if _may_be_parameters(tensor)}
    for step in graph.operations:
        if step.kind in _UNPACKS and step.inputs[0] in held:
            held[step.outputs[0]] = held.pop(step.inputs[0])
    return held


def _may_be_parameters(tensor: Tensor) -> bool:
    # Whole numbers without a scale are shapes, axes and paddings; a single number is arithmetic: the scaling of an
    # input, the 1/6 of a hard-swish.
    return (
        tensor.data is not None
        and math.prod(tensor.shape) > 1
        and (tensor.dtype.startswith("float") or bool(tensor.scales))
    )


def _own(step: Operation, held: dict[int, Tensor], seen: set[int]) -> int:
    """The parameters of a layer; none if an earlier one has the same weights.

    Biases do not count as the same: converters merge equal ones (of random networks all are zero).
    """
    constants = [index for index in step.inputs if index in held]
    weights = max(constants, key=lambda index: math.prod(held[index].shape), default=None)
    if weights is None or weights in seen:
        return 0
    seen.add(weights)
    return sum(math.prod(held[index].shape) for index in constants)


def _dtype(graph: Graph) -> str:
    """The type of most of what is computed."""
    computed: Sequence[str] = [graph.tensors[index].dtype for step in graph.operations for index in step.outputs]
    return max(dict.fromkeys(computed), key=computed.count, default="float32")
