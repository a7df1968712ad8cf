# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""One pass of the float network over pictures, and what is kept of it: ranges, moments and answers."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import gcd

import numpy as np
from numpy.typing import NDArray

from labelcam.errors import ModelFileError
from labelcam.preprocess import Preprocess
from labelcam.runtime import Interpreter

from ..fidelity.divergence import Distribution
from ..fidelity.scoring import THREADS
from ..flatbuffer import Graph
from ..pictures import Picture
from .moments import Gatherer, Moments
from .ranges import Range, Values
from .taps import taps
from .weighted import Layer, correctable

SAMPLE = 1 << 18
"""Values kept of each tensor, over all pictures."""

ROWS = (4096, 8192)
"""Fewest and most output positions that a layer's moments are taken from, over all pictures: four for each tap."""

_ABSURD = 1e12
"""No network that has learned anything computes such values; the interpreter may abort on what is made of them."""


@dataclass(frozen=True, slots=True, eq=False)
class Observation:
    """What the float network computed on some pictures."""

    fed: str
    """Name of the network's input."""

    values: Mapping[str, Values]
    """By the name of the tensor."""

    moments: Mapping[str, Moments]
    """Of the inputs of each layer that can be corrected, by the name of its output."""

    answers: Distribution
    """Pictures x labels."""

    def joined(self, other: "Observation") -> "Observation":
        """Return what both sets of pictures showed."""
        return Observation(
            self.fed,
            {name: values.joined(other.values[name]) for name, values in self.values.items()},
            {name: moments.joined(other.moments[name]) for name, moments in self.moments.items()},
            np.concatenate([self.answers, other.answers]),
        )


class Observer:
    """A float network whose every tensor can be looked at."""

    def __init__(self, float_model: bytes, how: Preprocess, pictures: int, seed: int, moments: bool) -> None:
        """`pictures` is how many will be shown in all, `moments` whether those are wanted."""
        graph = Graph(float_model)
        names = [tensor.name for tensor in graph.tensors]
        self._layers = [(names[layer.step.outputs[0]], layer) for layer in correctable(graph)] if moments else []
        self._interpreter = Interpreter(graph.with_every_output(), THREADS, several_outputs=True)
        self._how = how
        self._rng = np.random.default_rng([seed, pictures])
        self._pictures = pictures

    def observe(self, pictures: Sequence[Picture], tick: Callable[[], None]) -> Observation:
        """Return what the network computes on at least one picture; `tick` is called after each.

        Raises ModelFileError where that is absurdly large or not a number.
        """
        spans: dict[str, Range] = {}
        samples: dict[str, list[NDArray[np.float32]]] = {}
        gatherers: dict[str, Gatherer] = {}
        answers = []
        for picture in pictures:
            seen = self._seen(picture)
            for name, value in seen.items():
                span = Range(float(value.min()), float(value.max()))
                if not max(-span.low, span.high) < _ABSURD:  # which NaN is not either
                    raise ModelFileError(
                        f"{name} in the network is {max(-span.low, span.high):.3g} for {picture.path}; "
                        "its weights are damaged, or --preprocess is wrong: save the network again"
                    )
                spans[name] = span.joined(spans.get(name, span))
                samples.setdefault(name, []).append(_some(value, -(-SAMPLE // self._pictures), self._rng))
            for name, layer in self._layers:
                wanted = -(-_rows(layer) // self._pictures)
                rows = taps(layer, seen[layer.fed.name], wanted, self._rng)
                gatherers.setdefault(name, Gatherer(layer.depthwise)).add(rows)
            answers.append(seen[self._interpreter.output.name].reshape(-1).astype(np.float64))
            tick()
        return Observation(
            self._interpreter.input.name,
            {name: Values(spans[name], np.concatenate(parts)) for name, parts in samples.items()},
            {name: gatherer.moments() for name, gatherer in gatherers.items()},
            np.array(answers),
        )

    def _seen(self, picture: Picture) -> dict[str, NDArray[np.float32]]:
        fed = self._how.normalise(picture.pixels)[None]
        self._interpreter.write(fed)
        self._interpreter.invoke()
        found = {
            tensor.name: value
            for tensor, value in self._interpreter.results()
            if value.dtype == np.float32 and value.size
        }
        return {self._interpreter.input.name: fed, **found}  # type: ignore[dict-item]


def _rows(layer: Layer) -> int:
    fewest, most = ROWS
    return min(max(4 * layer.taps, fewest), most)


def _some(value: NDArray[np.float32], wanted: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """About `wanted` of the values, of all channels alike, from a random one on."""
    flat = value.reshape(-1)
    step = max(1, flat.size // wanted)
    while gcd(step, *value.shape[-1:]) > 1:
        step += 1
    return flat[rng.integers(step) :: step].copy()
