# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""What the interpreter's kernels want of ranges: it does not load a file that they refuse, and may even abort on it.

A delegate may take such a file all the same; a device without one does not.
"""

from collections.abc import Mapping
from dataclasses import replace

from ..flatbuffer import Graph
from .ranges import Range
from .schemes import Scheme

_LEAST_STEP = 4e-9
"""Of a result. In steps, the 6 of a ReLU6 must fit into 32 bits (kernel_util.cc, Quantize)."""

_TIMES_INPUT = {"HARD_SWISH": 1 / 120, "ADD": 2.0**-18, "SUB": 2.0**-18}
"""How wide a result must at least be beside the widest input. HARD_SWISH: more than a 128th (activations.cc); ADD and
SUB: more than 2 ** -19, or the interpreter aborts (QuantizeMultiplierSmallerThanOneExp)."""


def loadable(graph: Graph, ranges: Mapping[str, Range], scheme: Scheme) -> dict[str, Range]:
    """Return the ranges, those of results widened where a kernel would refuse them.

    Layers with dead channels only, or a hard swish that is fed little but large negative values, need that.
    """
    steps = 32767 if scheme is Scheme.INT16X8 else 255
    found = dict(ranges)
    for step in graph.operations:
        fed = [found[name] for index in step.inputs if (name := graph.tensors[index].name) in found and index >= 0]
        least = max([_TIMES_INPUT.get(step.kind, 0.0) * _width(span) for span in fed], default=0.0)
        for index in step.outputs:
            name = graph.tensors[index].name
            if name in found:
                found[name] = _widened(found[name], max(least, _LEAST_STEP * steps))
    return found


def _width(span: Range) -> float:
    """Of what the codes cover: 0 is always among it."""
    return max(span.high, 0.0) - min(span.low, 0.0)


def _widened(span: Range, least: float) -> Range:
    missing = least - _width(span)
    return replace(span, high=max(span.high, 0.0) + missing) if missing > 0 else span
