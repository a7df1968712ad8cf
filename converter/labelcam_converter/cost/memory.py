# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Memory of the activations: which of them live at the same time, and where a planner would put them.

Weights do not count here, nor does what XNNPACK keeps for itself (it packs the weights once more).
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..flatbuffer import Graph, Operation, Tensor

ALIGNMENT = 64
"""Bytes: every tensor in TFLite's arena begins at a multiple of it (kDefaultTensorAlignment)."""

_NUMBERS = {"float32": 4, "float16": 2, "int16": 2, "int8": 1, "uint8": 1}
"""Bytes of the types that activations have; a scheme changes these and leaves indices and shapes what they are."""

_OTHERS = {"int32": 4, "uint32": 4, "int64": 8, "float64": 8, "bool": 1}

_SAME_BYTES = ("RESHAPE", "SQUEEZE", "EXPAND_DIMS")
"""The output is the input by another shape, and TFLite gives it the same memory."""


@dataclass(frozen=True, slots=True)
class Memory:
    """What the activations need where they are of one type."""

    dtype: str
    """float32, int8, …, or "as it is": the graph's own types."""

    peak_bytes: int
    """The most that lives at one time: a planner that overwrites nothing in place can't do with less."""

    peak_layer: str
    """While which layer runs."""

    arena_bytes: int
    """What TFLite's planner makes of it: the input is kept from beginning to end, then the largest tensors come first,
    each into the tightest gap (greedy by size, Pisarchyk and Lee 2020)."""

    im2col_arena_bytes: int
    """The same with the unrolled input of each convolution, which TFLite's built-in kernels need: what LiteRT
    allocates without a delegate."""


@dataclass(frozen=True, slots=True)
class Life:
    """A tensor's size, and when it must be there."""

    bytes: int
    first: int
    last: int
    """Numbers of the first and the last operation that need it; both need it to their end."""

    kept: bool = False
    """It is an input of the graph, which is never overwritten."""

    def meets(self, other: "Life") -> bool:
        """Whether the two must be there at the same time."""
        return self.first <= other.last and other.first <= self.last


def memory(graph: Graph, names: Sequence[str], dtype: str | None) -> Memory:
    """Return what the activations need in the graph's own types, or if all of them were of type `dtype`."""
    lives = lifetimes(graph, dtype)
    totals = [sum(life.bytes for life in lives if life.first <= now <= life.last) for now in range(len(names))]
    peak = max(totals, default=0)
    layer = names[totals.index(peak)] if totals else ""
    unrolled = [
        Life(size, now, now) for now, step in enumerate(graph.operations) if (size := _im2col(graph, step, dtype))
    ]
    return Memory(dtype or "as it is", peak, layer, arena_bytes(lives), arena_bytes([*lives, *unrolled]))


def lifetimes(graph: Graph, dtype: str | None) -> list[Life]:
    """Return the life of every activation; what is made of constants alone (float16 weights, unpacked) is none."""
    inputs, outputs = _indices(graph, graph.inputs), _indices(graph, graph.outputs)
    owner = dict(zip(inputs, inputs, strict=True))  # whose memory an activation lies in
    first = dict.fromkeys(inputs, 0)
    last = dict.fromkeys(inputs, 0)
    for number, step in enumerate(graph.operations):
        live = [index for index in step.inputs if index in owner]
        last |= {owner[index]: number for index in live}
        for index in step.outputs if live else ():
            # An input's own memory is never given away: whoever runs the graph may want to read it again.
            shared = step.kind in _SAME_BYTES and owner[live[0]] not in inputs
            owner[index] = owner[live[0]] if shared else index
            first.setdefault(owner[index], number)
            last[owner[index]] = number
    last |= {owner[index]: max(len(graph.operations) - 1, 0) for index in outputs if index in owner}
    return [
        Life(_bytes(graph.tensors[index], dtype), begun, last[index], index in inputs) for index, begun in first.items()
    ]


def _indices(graph: Graph, tensors: Iterable[Tensor]) -> list[int]:
    return [graph.tensors.index(tensor) for tensor in tensors]  # tensors are equal only to themselves


def _bytes(tensor: Tensor, dtype: str | None) -> int:
    own = _NUMBERS.get(tensor.dtype) or _OTHERS.get(tensor.dtype, 4)
    each = _NUMBERS[dtype] if dtype and tensor.dtype in _NUMBERS else own
    return each * math.prod(tensor.shape)


def _im2col(graph: Graph, step: Operation, dtype: str | None) -> int:
    """Bytes of a convolution's input where every window has been copied out of it; 0 where windows are pixels."""
    if step.kind != "CONV_2D":
        return 0
    fed, weights, told = (graph.tensors[index] for index in (step.inputs[0], step.inputs[1], step.outputs[0]))
    window = math.prod(weights.shape[1:])
    if window == fed.shape[-1] and fed.shape[1:3] == told.shape[1:3]:
        return 0
    return _bytes(told, dtype) // told.shape[-1] * window


def arena_bytes(lives: Iterable[Life]) -> int:
    """Return the size of an arena in which TFLite's planner has put everything."""
    placed: list[tuple[int, Life]] = []
    for life in sorted(lives, key=lambda life: (not life.kept, -life.bytes, life.first)):
        placed.append((_offset(life, placed), life))
    return max((offset + life.bytes for offset, life in placed), default=0)


def _offset(life: Life, placed: Iterable[tuple[int, Life]]) -> int:
    """The beginning of the smallest gap that the tensor fits into, or of what lies behind everything."""
    taken = sorted((offset, offset + other.bytes) for offset, other in placed if other.kept or other.meets(life))
    gaps: list[tuple[int, int]] = []
    free = 0
    for begin, end in taken:
        start = -(-free // ALIGNMENT) * ALIGNMENT
        if start + life.bytes <= begin:
            gaps.append((begin - free, start))
        free = max(free, end)
    return min(gaps)[1] if gaps else -(-free // ALIGNMENT) * ALIGNMENT
