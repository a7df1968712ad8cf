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


def detect(graph: Graph) -> Preprocess:
    """Return raw where the graph scales its input itself, else -1 to 1, as MobileNets have it.

    A Keras Rescaling layer becomes a multiplication of the input by one constant.
    """
    fed = graph.tensors.index(graph.inputs[0])
    for step in graph.operations:
        if fed in step.inputs:
            others = [graph.tensors[index] for index in step.inputs if index not in (fed, -1)]
            scaled = step.kind in ("MUL", "DIV", "SUB", "ADD") and all(
                tensor.data is not None and max(tensor.shape, default=1) <= 3 for tensor in others
            )
            return parse("raw" if scaled else "tf")
    return parse("tf")


def in_words(how: Preprocess) -> str:
    """Return what the network is fed, for a person."""
    names = {values: name for name, values in NAMED.items()}
    low, high = (0 - how.mean) / how.std, (255 - how.mean) / how.std
    name = names.get((how.mean, how.std))
    return f"values from {low:g} to {high:g}" + (f" ({name})" if name else "")
