# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""What a float network must look like to become an image classifier on the device."""

import math
from dataclasses import dataclass

from labelcam.errors import ModelFileError
from labelcam.preprocess import Size

from .flatbuffer import Graph


@dataclass(frozen=True, slots=True)
class Form:
    """The shape of an image classifier."""

    size: Size
    outputs: int


def classifier_form(graph: Graph, name: str) -> Form:
    """Return the shape of a float image classifier. Raises ModelFileError, with the reason, if it is none."""
    for what, found in (("input", graph.inputs), ("output", graph.outputs)):
        if len(found) != 1:
            raise ModelFileError(
                f"{name}: has {len(found)} {what}s; only a classifier with one {what} can be converted"
            )
    fed, told = graph.inputs[0], graph.outputs[0]
    if len(fed.shape) != 4 or fed.shape[0] != 1 or fed.shape[3] != 3 or min(fed.shape) < 1:
        raise ModelFileError(
            f"{name}: its input is {list(fed.shape)}, but one RGB picture, [1, height, width, 3], is needed"
        )
    if fed.dtype != "float32" or any(tensor.scales for tensor in graph.tensors):
        raise ModelFileError(f"{name}: {_why_not(graph)}")
    outputs = math.prod(told.shape)
    if outputs < 2 or outputs != max(told.shape, default=0):
        raise ModelFileError(
            f"{name}: its output is {list(told.shape)}, but one score per label, [1, labels], is needed"
        )
    return Form(Size(width=fed.shape[2], height=fed.shape[1]), outputs)


def _why_not(graph: Graph) -> str:
    if any(step.kind == "edgetpu-custom-op" for step in graph.operations):
        return "is compiled for the Edge TPU; give the float network it was made from"
    return (
        "is quantised already; run it as it is by labelcam classify or labelcam run; "
        "to convert, give the float network it was made from"
    )
