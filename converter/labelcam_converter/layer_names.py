# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""What a person calls the operations of a .tflite: the layer's own name, out of what the converters made of it."""

import re
from collections import Counter

from .flatbuffer import Graph

_ENDINGS = {
    "CONV_2D": re.compile(r"(convolution|Conv2D)(_Fold)?\d*"),
    "DEPTHWISE_CONV_2D": re.compile(r"(depthwise|separable_conv2d|DepthwiseConv2dNative)(_Fold)?\d*"),
    "FULLY_CONNECTED": re.compile(r"MatMul\d*"),
}
"""How the name ends that the operation itself left; those of what was fused into it stand around it."""

_COUNTED = re.compile(r"_\d+$")


def layer_names(graph: Graph) -> tuple[str, ...]:
    """Return one name for each operation, in the order of execution, every name only once."""
    paths = [_path(step.kind, graph.tensors[step.outputs[0]].name) for step in graph.operations]
    # Keras 3 numbers every scope when it exports: conv1 becomes conv1_1. That is undone where it happened to all.
    if all(_COUNTED.search(path[-1]) for path in paths if path):
        paths = [tuple(part.removesuffix("_1") for part in path) for path in paths]
    short = Counter(path[-1] for path in paths if path)
    names: list[str] = []
    for path, step in zip(paths, graph.operations, strict=True):
        name = step.kind.lower() if not path else path[-1] if short[path[-1]] == 1 else "/".join(path)
        names.append(_unused(name, names))
    return tuple(names)


def _path(kind: str, tensor: str) -> tuple[str, ...]:
    """The scopes around what a tensor is named after, without the model's; none where nobody gave it a name."""
    fragments = [fragment.split("/") for fragment in tensor.split(";") if "/" in fragment]
    ending = _ENDINGS.get(kind)
    # The last: the first may be of another layer whose biases are the same and were merged with these.
    named = [parts for parts in fragments if ending and ending.fullmatch(parts[-1])][-1:] or fragments[:1]
    if not named:
        return ()
    scopes = named[0][:-1]
    return tuple([part for part in scopes if part != scopes[0]] or scopes)


def _unused(name: str, names: list[str]) -> str:
    number, free = 1, name
    while free in names:
        number += 1
        free = f"{name} {number}"
    return free
