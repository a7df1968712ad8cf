# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""What the float network is fed for a byte: given by name, or read off the network."""

from labelcam.errors import UsageError
from labelcam.preprocess import Preprocess

from .flatbuffer import Graph

NAMED = {"tf": (127.5, 127.5), "unit": (0.0, 255.0), "raw": (0.0, 1.0)}
"""Mean and std of: -1 to 1; 0 to 1; 0 to 255 as it comes."""


def parse(text: str) -> Preprocess:
    """Return the scaling that `--preprocess` names. Raises UsageError if the text names none."""
    try:
        mean, std = NAMED[text] if text in NAMED else map(float, text.split(","))
        return Preprocess(mean=mean, std=std)
    except ValueError:
        names = ", ".join(NAMED)
        raise UsageError(f"--preprocess {text}: use {names}, or two numbers MEAN,STD with STD above 0") from None


def scales_itself(graph: Graph) -> bool:
    """Whether the graph begins by scaling its input: a Keras Rescaling is a multiplication by one constant."""
    fed = graph.tensors.index(graph.inputs[0])
    first = next((step for step in graph.operations if fed in step.inputs), None)
    if first is None or first.kind not in ("MUL", "DIV", "SUB", "ADD"):
        return False
    others = [graph.tensors[index] for index in first.inputs if index not in (fed, -1)]
    return all(tensor.data is not None and tensor.data.size <= 12 for tensor in others)  # at most three floats


def in_words(how: Preprocess) -> str:
    """Return what the network is fed, for a person."""
    names = {values: name for name, values in NAMED.items()}
    low, high = (0 - how.mean) / how.std, (255 - how.mean) / how.std
    name = names.get((how.mean, how.std))
    return f"values from {low:g} to {high:g}" + (f" ({name})" if name else "")
