# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""From a float network and pictures to a quantised one, with as much done for its fidelity as is asked for."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, reduce

import numpy as np

from labelcam.console import progress, step
from labelcam.preprocess import Preprocess

from ..flatbuffer import Graph
from ..pictures import Picture
from .correction import Correction, corrected
from .engine import write_quantised
from .kernels import loadable
from .observation import Observation, Observer
from .ranges import Range, estimate
from .schemes import RangeEstimator, Scheme, Wanted, in_words
from .trial import Distances, best, distances, halves
from .tuning import tune
from .verification import check_biases, left_in_float

_NOTHING: frozenset[Correction] = frozenset()
_BIAS = frozenset({Correction.BIAS})
_CORRECTIONS = (frozenset({Correction.BIAS, Correction.ROUNDING}), _BIAS, _NOTHING)
"""What is tried, the best by our measurements first."""

_ESTIMATORS: tuple[RangeEstimator, ...] = ("minmax", "mse", "percentile")
"""What `auto` tries, the best by our measurements first."""


@dataclass(frozen=True, slots=True, eq=False)
class Quantised:
    """A quantised network and how it came about."""

    data: bytes
    scheme: str
    """In full words."""

    ranges: RangeEstimator | None = None
    """The estimator that was taken; None for a scheme without ranges."""

    clipped: Mapping[str, float] = field(default_factory=dict)
    """By the name of a tensor, the share of the calibration's values that its range does not cover; only above 0."""

    corrections: tuple[str, ...] = ()
    """What was done beyond ranges."""

    tried: Mapping[str, float] = field(default_factory=dict)
    """KL(float || quantised) in nats on the pictures that decided, by what was tried."""

    deciding: int = 0
    """Calibration images that decided what to take, each by a network made from others; 0 where there were too few."""


@dataclass(frozen=True, slots=True)
class _Recipe:
    """One way to quantise."""

    estimator: RangeEstimator
    corrections: frozenset[Correction]

    def __str__(self) -> str:
        return ", ".join([f"{self.estimator} ranges", *sorted(self.corrections)])


def quantize_network(float_model: bytes, pictures: Sequence[Picture], how: Preprocess, wanted: Wanted) -> Quantised:
    """Return the network in the wanted scheme, calibrated on at least one picture.

    Raises ModelFileError if a part of it cannot be quantised, LabelcamError where litert-quantizer is missing or fails.
    """
    if not wanted.scheme.rounded:
        data = write_quantised(float_model, {}, {}, wanted.scheme, wanted.io)
        return Quantised(data, in_words(wanted.scheme, wanted.io))
    parts = halves(pictures, wanted.seed) if _worth_trying(wanted) else [list(pictures)]
    observer = Observer(float_model, how, len(pictures), wanted.seed, moments=wanted.effort != "fast")
    with progress("calibrating", len(pictures)) as tick:
        seen = [observer.observe(part, tick) for part in parts]
    workshop = _Workshop(float_model, how, wanted)
    recipe, tried = _untried(wanted), dict[str, float]()
    if len(parts) > 1:
        with step("trying what keeps its answers"):
            recipe, tried = _chosen(workshop.judge(seen, parts), wanted)
    whole = reduce(Observation.joined, seen)
    data, done = workshop.written(whole, recipe), sorted(map(str, recipe.corrections))
    if wanted.effort == "max" and wanted.scheme is Scheme.INT8:
        tuned = tune(float_model, data, pictures, how, wanted.seed, blamed=wanted.blamed, verbose=wanted.verbose)
        data = tuned.model
        done += ["tuning by the float network's own answers"] if tuned.kept else []
    return Quantised(
        data,
        in_words(wanted.scheme, wanted.io, left_in_float(Graph(data), wanted.scheme)),
        recipe.estimator if wanted.scheme.integer else None,
        workshop.clipped(whole, recipe) if wanted.scheme.integer else {},
        tuple(done),
        tried,
        len({picture.path for picture in pictures}) if tried else 0,
    )


@dataclass(frozen=True, slots=True)
class _Workshop:
    """Makes quantised networks of one float network by whatever recipe."""

    float_model: bytes
    how: Preprocess
    wanted: Wanted

    def ranges(self, seen: Observation, recipe: _Recipe) -> dict[str, Range]:
        if not self.wanted.scheme.integer:
            return {}
        ranges = estimate(seen.values, recipe.estimator, seen.fed, self.how)
        return loadable(Graph(self.float_model), ranges, self.wanted.scheme)

    def written(self, seen: Observation, recipe: _Recipe) -> bytes:
        ranges = self.ranges(seen, recipe)
        ready = corrected(self.float_model, seen.moments, ranges, self.wanted.scheme, recipe.corrections)
        quantised = write_quantised(ready.model, ranges, ready.bounds, self.wanted.scheme, self.wanted.io)
        graph = Graph(quantised)
        check_biases(Graph(ready.model), graph)
        left_in_float(graph, self.wanted.scheme)
        return quantised

    def judge(self, seen: Sequence[Observation], parts: Sequence[Sequence[Picture]]) -> Callable[[_Recipe], Distances]:
        """Return what judges a recipe: each half of the pictures by the network that was made from the other."""

        @cache
        def judged(recipe: _Recipe) -> Distances:
            return np.concatenate(
                [
                    distances(self.written(other, recipe), part, self.how, own.answers)
                    for other, own, part in zip(reversed(seen), seen, parts, strict=True)
                ]
            )

        return judged

    def clipped(self, seen: Observation, recipe: _Recipe) -> dict[str, float]:
        ranges = self.ranges(seen, recipe)
        shares = {name: ranges[name].outside(values.sample) for name, values in seen.values.items()}
        return {name: share for name, share in shares.items() if share > 0}


def _worth_trying(wanted: Wanted) -> bool:
    # 16 bits have room for every value, and their kernels take dozens of times as long.
    return wanted.scheme is not Scheme.INT16X8 and (wanted.ranges == "auto" or wanted.effort != "fast")


def _untried(wanted: Wanted) -> _Recipe:
    """What is taken where nothing can be tried."""
    estimator = _ESTIMATORS[0] if wanted.ranges == "auto" else wanted.ranges
    return _Recipe(estimator, _NOTHING if wanted.effort == "fast" else _CORRECTIONS[0])


def _chosen(judge: Callable[[_Recipe], Distances], wanted: Wanted) -> tuple[_Recipe, dict[str, float]]:
    recipe, tried = _untried(wanted), dict[_Recipe, float]()
    if wanted.ranges == "auto" and wanted.scheme.integer:
        # With the bias correction, which is quick, and without which its gain would drown theirs.
        corrections = _NOTHING if wanted.effort == "fast" else _BIAS
        trials = [_Recipe(each, corrections) for each in _ESTIMATORS]
        found, tried = best(trials, judge)
        recipe = replace(recipe, estimator=found.estimator)
    if wanted.effort != "fast":
        recipe, found_now = best([replace(recipe, corrections=each) for each in _CORRECTIONS], judge)
        tried |= found_now
    return recipe, {str(each): distance for each, distance in tried.items()}
