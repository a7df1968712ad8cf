# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""What the float network is fed for a byte: given by name, or read off the network."""

import numpy as np
from numpy.typing import NDArray

from labelcam.errors import UsageError
from labelcam.preprocess import Preprocess

from .flatbuffer import Graph, Operation

NAMED = {"tf": (127.5, 127.5), "unit": (0.0, 255.0), "raw": (0.0, 1.0)}
"""Mean and std of: -1 to 1; 0 to 1; 0 to 255 as it comes."""

_ARITHMETIC = {"MUL": np.multiply, "ADD": np.add, "SUB": np.subtract, "DIV": np.divide}

_THROUGH = {
    *("PAD", "PADV2", "MIRROR_PAD", "RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR", "CAST", "REVERSE_V2"),
    *("STRIDED_SLICE", "SLICE", "GATHER", "RESHAPE", "SQUEEZE", "EXPAND_DIMS", "TRANSPOSE"),
}
"""Operations that move or average pixels and leave their range what it was."""


def parse(text: str) -> Preprocess:
    """Return the scaling that `--preprocess` names. Raises UsageError if the text names none."""
    try:
        mean, std = NAMED[text] if text in NAMED else map(float, text.split(","))
        return Preprocess(mean=mean, std=std)
    except ValueError:
        names = ", ".join(NAMED)
        raise UsageError(f"--preprocess {text}: use {names}, or two numbers MEAN,STD with STD above 0") from None


def expected(black: float, white: float) -> Preprocess:
    """Return what a network must be fed that makes these of 0 and of 255 before anything else.

    Nearly always that is the bytes as they are; a Rescaling(2, offset=-1) or a Normalization may start from 0 to 1.
    """
    step = (white - black) / 255
    others = {"unit": (black, black + step), "tf": (black - step, black + step)}
    fitting = [name for name, ends in others.items() if _sensible(*ends)]
    if _sensible(black, white) or not fitting:
        return parse("raw")
    return parse(min(fitting, key=lambda name: _lopsided(*others[name])))


def _sensible(black: float, white: float) -> bool:
    """Whether a network might like its input to lie between these."""
    return 0.4 <= max(abs(black), abs(white)) <= 8


def _lopsided(black: float, white: float) -> float:
    return abs(black + white) / max(abs(white - black), 1e-9)


def scales_itself(graph: Graph) -> bool:
    """Whether the graph begins by scaling its input."""
    return scaled_range(graph) is not None


def of_graph(graph: Graph) -> Preprocess | None:
    """Return what a graph must be fed that begins by scaling its input; None where it does not, or is no classifier."""
    ends = scaled_range(graph)
    return None if ends is None else expected(*ends)


def scaled_range(graph: Graph) -> tuple[float, float] | None:
    """Return what the graph itself makes of 0 and of 255, before anything else; None where it scales nothing.

    A Keras Rescaling is a multiplication and an addition of constants; the converter may have folded it away.
    """
    if len(graph.inputs) != 1:
        return None
    black, white, _ = beginning(graph)
    return None if abs(black) < 1 and abs(white - 255) < 1 else (black, white)


def beginning(graph: Graph) -> tuple[float, float, int]:
    """Return what becomes of 0 and of 255 before the first operation that mixes values, and the tensor that it takes.

    The graph has one input.
    """
    fed = graph.tensors.index(graph.inputs[0])
    ends = np.array([[0.0], [255.0]])
    while True:
        users = [step for step in graph.operations if fed in step.inputs and step.kind != "SHAPE"]
        if len(users) != 1:
            break
        (step,) = users
        if step.kind in _ARITHMETIC:
            other = _constant(graph, step, fed)
            if other is None or step.options.get("fusedActivationFunction"):
                break
            left, right = (ends, other) if step.inputs[0] == fed else (other, ends)
            ends = _ARITHMETIC[step.kind](left, right)
        elif step.kind not in _THROUGH:
            break
        fed = step.outputs[0]
    return float(ends[0].mean()), float(ends[1].mean()), fed


def _constant(graph: Graph, step: Operation, fed: int) -> NDArray[np.float64] | None:
    """The other operand: one number for all channels or one each; else None."""
    others = [graph.tensors[index].constant() for index in step.inputs if index not in (fed, -1)]
    if len(others) != 1 or others[0] is None or others[0].size not in (1, 3):
        return None
    return np.asarray(others[0], np.float64).reshape(1, -1)


def in_words(how: Preprocess) -> str:
    """Return what the network is fed, for a person."""
    names = {values: name for name, values in NAMED.items()}
    low, high = (0 - how.mean) / how.std, (255 - how.mean) / how.std
    name = names.get((how.mean, how.std))
    return f"values from {low:g} to {high:g}" + (f" ({name})" if name else "")
