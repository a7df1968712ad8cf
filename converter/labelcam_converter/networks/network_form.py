# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""What a float network must look like to become an image classifier on the device."""

import math
from dataclasses import dataclass

from labelcam.errors import ModelFileError
from labelcam.preprocess import Size

from ..flatbuffer import Graph


@dataclass(frozen=True, slots=True)
class Form:
    """The shape of an image classifier."""

    size: Size
    outputs: int


_RECURRENT = ("LSTM", "RNN", "WHILE", "CALL_ONCE")
_DETECTOR = ("TFLite_Detection_PostProcess", "NON_MAX_SUPPRESSION_V4", "NON_MAX_SUPPRESSION_V5")
_VARIABLES = ("VAR_HANDLE", "READ_VARIABLE", "ASSIGN_VARIABLE")


def feed_forward(graph: Graph, name: str) -> None:
    """Refuse a network that does more than look at one picture. Raises ModelFileError with the reason."""
    kinds = {step.kind for step in graph.operations}
    if found := sorted(kind for kind in kinds if kind.endswith(_RECURRENT)):
        raise ModelFileError(
            f"{name}: is recurrent ({found[0]}); only a network that looks at one picture at a time can be converted"
        )
    if kinds.intersection(_DETECTOR):
        raise ModelFileError(f"{name}: is an object detector; only an image classifier can be converted")
    if kinds.intersection(_VARIABLES):
        raise ModelFileError(
            f"{name}: keeps its weights in variables, which no quantiser reads; "
            "convert it again by tf.lite.TFLiteConverter.from_keras_model or from_saved_model"
        )
    if found := sorted(kind for kind in kinds if kind.startswith("Flex")):
        raise ModelFileError(
            f"{name}: needs TensorFlow's own {found[0].removeprefix('Flex')} on the device; build the network without"
        )


def classifier_form(graph: Graph, name: str) -> Form:
    """Return the shape of a float image classifier. Raises ModelFileError, with the reason, if it is none."""
    size = classifier_input(graph, name)
    told = graph.outputs[0]
    outputs = math.prod(told.shape)
    if outputs == 1:
        raise ModelFileError(
            f"{name}: it answers one number; give a classifier with a score for every label, or one that ends in a "
            "sigmoid"
        )
    if outputs < 2 or outputs != max(told.shape, default=0):
        raise ModelFileError(
            f"{name}: its output is {list(told.shape)}, but one score per label, [1, labels], is needed"
        )
    return Form(size, outputs)


def classifier_input(graph: Graph, name: str) -> Size:
    """Return the size of the picture that a float network takes. Raises ModelFileError if it takes anything else."""
    for what, found in (("input", graph.inputs), ("output", graph.outputs)):
        if len(found) != 1:
            raise ModelFileError(
                f"{name}: has {len(found)} {what}s; only a classifier with one {what} can be converted"
            )
    fed, told = graph.inputs[0], graph.outputs[0]
    if len(fed.shape) != 4 or fed.shape[0] != 1 or fed.shape[3] != 3 or min(fed.shape) < 1:
        raise ModelFileError(
            f"{name}: its input is {list(fed.shape)}, but one RGB picture, [1, height, width, 3], is needed"
            f"{_remedy(fed.shape)}"
        )
    if fed.dtype == "float16" or told.dtype == "float16" or _halves(graph):
        raise ModelFileError(f"{name}: is a float16 network; give the float32 one it was made from")
    if fed.dtype != "float32" or any(tensor.scales for tensor in graph.tensors):
        raise ModelFileError(f"{name}: {_why_not(graph)}")
    return Size(width=fed.shape[2], height=fed.shape[1])


def _remedy(shape: tuple[int, ...]) -> str:
    if len(shape) == 4 and shape[3] == 1:
        return "; train it on RGB, or put a layer before it that makes grey of RGB"
    if len(shape) == 4 and shape[1] == 3:
        return "; it has the colours first, as PyTorch has them: convert it with the colours last"
    if len(shape) == 4 and shape[0] > 1:
        return "; convert it again with a batch of 1"
    return ""


def _halves(graph: Graph) -> bool:
    return any(tensor.dtype == "float16" and tensor.data is not None for tensor in graph.tensors)


def _why_not(graph: Graph) -> str:
    if any(step.kind == "edgetpu-custom-op" for step in graph.operations):
        return "is compiled for the Edge TPU; give the float network it was made from"
    return (
        "is quantised already; run it as it is by labelcam classify or labelcam run; "
        "to convert, give the float network it was made from"
    )
