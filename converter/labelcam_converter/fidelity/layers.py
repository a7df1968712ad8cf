# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Signal to noise behind every layer, from input to output: where quantisation hurts, and which layer breaks."""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labelcam.console import progress
from labelcam.preprocess import Preprocess

from ..flatbuffer import Graph
from ..layer_names import layer_names
from ..pictures import Picture
from .divergence import Distribution
from .scoring import Scorer

PICTURES = 8
"""The noise hardly differs between photographs: more would only take longer."""

BYTE_DB = 40.0
"""Signal to noise of a channel that fills a third of its tensor's 256 steps; what is fed as bytes counts as this."""

BROKEN_DB = 6.0
"""Below this the noise is more than half as strong as the signal."""

_CODING = frozenset({"QUANTIZE", "DEQUANTIZE", "CAST"})


@dataclass(frozen=True, slots=True)
class Layer:
    """What quantisation has done to the values that one operation computes."""

    name: str
    """As a person knows it."""

    tensor: str
    """The name of its output in the float network."""

    kind: str
    """The operation, as TFLite calls it."""

    sqnr_db: float | None
    """10 log10(sum f^2 / sum (f - q)^2) over all values f of float and q of int8; None where there is no noise."""

    channel_db: float
    """The median over the channels of 10 log10(variance of f / mean (f - q)^2), BYTE_DB at most.

    One loud channel makes a tensor's signal strong while its step drowns all others: this notices.
    """

    lost_db: float
    """How much worse the median is than for what the operation was fed."""

    def as_json(self) -> dict[str, Any]:
        """Return the public form."""
        decibels = None if self.sqnr_db is None else round(self.sqnr_db, 2)
        return {"name": self.name, "sqnr_db": decibels} | {
            "kind": self.kind,
            "channel_db": round(self.channel_db, 2),
            "lost_db": round(self.lost_db, 2),
        }


def measure_layers(
    float_model: bytes,
    quantised: bytes,
    pictures: Sequence[Picture],
    how: Preprocess,
) -> tuple[Layer, ...]:
    """Return the layers that both networks have, in the order of execution; at most PICTURES pictures are run."""
    exact, coarse = Graph(float_model), Graph(quantised)
    pairs = _pairs(exact, coarse)
    sums = [_Sums() for _ in pairs]
    ones = Scorer(float_model, how, keep_tensors=True), Scorer(quantised, how, keep_tensors=True)
    some = pictures[:: -(-len(pictures) // PICTURES)]
    with progress("measuring layers", len(some)) as tick:
        for picture in some:
            for one in ones:
                one.scores(picture.pixels)
            wanted, got = (dict(one.tensors()) for one in ones)
            for (step, index), sum_ in zip(pairs, sums, strict=True):
                sum_.add(wanted.get(exact.operations[step].outputs[0]), got.get(index))
            tick()
    return _layers(exact, {step: sum_ for (step, _), sum_ in zip(pairs, sums, strict=True)})


def breaking(layers: Sequence[Layer], count: int = 3) -> tuple[Layer, ...]:
    """Return the layers that break the network, the worst first: none where the signal gets through to the end.

    Those are the ones that lose most between what they are fed and what they pass on, up to where the signal is gone.
    """
    # What a softmax makes of it is in steps of 1/256: most labels have less.
    heard = [layer for layer in layers if layer.kind != "SOFTMAX"]
    gone = next((number for number, layer in enumerate(heard) if layer.channel_db < BROKEN_DB), None)
    if gone is None:
        return ()
    faint = [layer for layer in heard[: gone + 1] if layer.channel_db < 2 * BROKEN_DB]
    guilty = sorted(faint, key=lambda layer: -layer.lost_db)
    return tuple(layer for layer in guilty[:count] if layer.lost_db >= guilty[0].lost_db / 2)


def _pairs(exact: Graph, coarse: Graph) -> list[tuple[int, int]]:
    """The tensor of the quantised network for each operation of the float one that has one.

    By name; where tools have renamed it, by the same operations in the same order around it.
    """
    by_name = {
        coarse.tensors[index].name: index
        for step in coarse.operations
        if step.kind not in _CODING
        for index in step.outputs[:1]
    }
    by_order = _aligned(exact, coarse)
    pairs = []
    for number, step in enumerate(exact.operations):
        index = by_name.get(exact.tensors[step.outputs[0]].name, by_order.get(number))
        if step.kind not in _CODING and index is not None:
            pairs.append((number, index))
    return pairs


def _aligned(exact: Graph, coarse: Graph) -> dict[int, int]:
    theirs = [number for number, step in enumerate(exact.operations) if step.kind not in _CODING]
    ours = [number for number, step in enumerate(coarse.operations) if step.kind not in _CODING]
    matcher = SequenceMatcher(
        None, [_form(exact, number) for number in theirs], [_form(coarse, number) for number in ours], autojunk=False
    )
    return {
        theirs[block.a + offset]: coarse.operations[ours[block.b + offset]].outputs[0]
        for block in matcher.get_matching_blocks()
        for offset in range(block.size)
    }


def _form(graph: Graph, number: int) -> tuple[str, tuple[int, ...]]:
    step = graph.operations[number]
    return step.kind, graph.tensors[step.outputs[0]].shape


class _Sums:
    """What one tensor comes to over the pictures, by channel."""

    def __init__(self) -> None:
        self.count = 0
        self.value: NDArray[np.float64] = np.zeros(1)
        self.square: NDArray[np.float64] = np.zeros(1)
        self.noise: NDArray[np.float64] = np.zeros(1)

    def add(self, f: Distribution | None, q: Distribution | None) -> None:
        """Add one picture; nothing where the two are not of one shape."""
        if f is None or q is None or f.size != q.size or f.ndim < 2:
            return
        f, q = f.reshape(-1, f.shape[-1]), q.reshape(-1, f.shape[-1])
        self.count += len(f)
        self.value = self.value + f.sum(axis=0)
        self.square = self.square + (f * f).sum(axis=0)
        self.noise = self.noise + ((f - q) ** 2).sum(axis=0)

    def sqnr_db(self) -> float | None:
        # Noise without any signal counts as all noise.
        signal, noise = float(self.square.sum()), float(self.noise.sum())
        return 10 * float(np.log10(max(signal, 1e-12) / noise)) if noise > 0 else None

    def channel_db(self) -> float:
        variance = self.square - self.value**2 / max(self.count, 1)
        alive = variance > 1e-9 * np.maximum(self.square, 1e-9)
        if not alive.any():
            return BYTE_DB
        ratios = variance[alive] / np.maximum(self.noise[alive], 1e-12)
        return min(BYTE_DB, 10 * float(np.log10(np.median(ratios))))


def _layers(graph: Graph, sums: dict[int, _Sums]) -> tuple[Layer, ...]:
    channels = {step: sum_.channel_db() for step, sum_ in sums.items()}
    names = layer_names(graph)
    behind: dict[int, float] = {}
    layers = []
    for number, step in enumerate(graph.operations):
        fed = min((behind[index] for index in step.inputs if index in behind), default=BYTE_DB)
        # An operation that the quantised network does not have passes on what it is fed.
        own = channels.get(number, fed)
        behind |= dict.fromkeys(step.outputs, own)
        if number in sums:
            tensor, lost = graph.tensors[step.outputs[0]].name, max(0.0, fed - own)
            layers.append(Layer(names[number], tensor, step.kind, sums[number].sqnr_db(), own, lost))
    return tuple(layers)
