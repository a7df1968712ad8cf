# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The rows of a report's tables, and the geometry of what is drawn without JavaScript."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from .data import Calibration, Confusion, Cost, EdgeTpu, Fidelity, Report, Share
from .wording import grouped, si

MOST_CLASSES = 24
"""Rows of a table of classes; more are summed up in words."""

MOST_IN_MATRIX = 20
"""Labels of a confusion matrix that can still be read; with more, the commonest mistakes are listed."""

MOST_CLIPPED = 10

SURE = (("0.9 or more", 0.9, math.inf), ("0.5 to 0.9", 0.5, 0.9), ("below 0.5", -math.inf, 0.5))
"""The float network's best score, in words and as limits."""

SHADES = 10

N = TypeVar("N", int, float)


@dataclass(frozen=True, slots=True)
class Bar:
    """A row with a number and a bar beside it."""

    name: str
    text: str
    width: float
    """Percent of the longest."""


@dataclass(frozen=True, slots=True)
class Whisker:
    """A share with its interval on an axis; all in percent of the axis' length."""

    name: str
    share: Share
    middle: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Axis:
    """Where an axis of shares begins (it ends at 1), and where the gate stands on it in percent of its length."""

    begin: float
    gate: float | None

    def at(self, share: float) -> float:
        """Return the place of a share, in percent of the axis' length."""
        return round(100 * (share - self.begin) / (1 - self.begin), 2)


@dataclass(frozen=True, slots=True)
class Sureness:
    """How often the two agree on the images of which the float network is so sure."""

    name: str
    images: int
    agreed: int


@dataclass(frozen=True, slots=True)
class Mistake:
    """One label taken for another."""

    right: str
    answer: str
    times: int
    of: int


def axis(shares: Sequence[Share], limit: float | None) -> Axis:
    """Return an axis on which all the shares and the limit can be told apart; it begins at a tenth."""
    least = min([share.low for share in shares] + ([] if limit is None else [limit]))
    begin = min(0.9, max(0.0, (int(least * 10 + 1e-9) - (1 if least * 10 % 1 < 0.2 else 0)) / 10))
    drawn = Axis(begin, None)
    return drawn if limit is None else Axis(begin, drawn.at(limit))


def whiskers(report: Report) -> tuple[Axis, list[Whisker]]:
    """Return the shares of a fidelity with their intervals, and the axis they stand on."""
    found = report.fidelity
    if found is None:
        return Axis(0, None), []
    named = [("same best label", found.top1_agreement)]
    if found.top5_agreement:
        named.append((f"float's best label is among {report.short}'s best five", found.top5_agreement))
    if found.accuracy:
        named.append(("float is right", found.accuracy.of_float))
        named.append((f"{report.short} is right", found.accuracy.of_quantised))
    drawn = axis([share for _, share in named], found.limit)
    return drawn, [
        Whisker(name, share, drawn.at(share.value), drawn.at(share.low), drawn.at(share.high)) for name, share in named
    ]


def by_sureness(found: Fidelity) -> list[Sureness]:
    """Return how often the two agree, by how sure the float network is; without what there is no image of."""
    rows = []
    for name, low, high in SURE:
        group = [point.agreed for point in found.points if low <= point.of_float < high]
        rows.append(Sureness(name, len(group), sum(group)))
    return [row for row in rows if row.images]


def bars(numbers: Mapping[str, int]) -> list[Bar]:
    """Return a row with a bar for each count, in the order given."""
    return _bars(numbers, grouped)


def costs(numbers: Mapping[str, int]) -> list[Bar]:
    """Return a row with a bar for each number of operations."""
    return _bars(numbers, si)


def seconds(stages: Mapping[str, float]) -> list[Bar]:
    """Return a row with a bar for each stage."""
    return _bars(stages, lambda spent: f"{spent:.1f} s")


def most_clipped(card: Calibration) -> list[Bar]:
    """Return a row with a bar for each of the layers that clip most."""
    clipped = sorted((layer for layer in card.clipped if layer.share > 0), key=lambda layer: -layer.share)
    return _bars({layer.name: layer.share for layer in clipped[:MOST_CLIPPED]}, lambda share: f"{100 * share:.3f}%")


def _bars(numbers: Mapping[str, N], text: Callable[[N], str]) -> list[Bar]:
    longest = max(numbers.values(), default=0) or 1
    return [Bar(name, text(number), round(100 * number / longest, 2)) for name, number in numbers.items()]


def mapped(edgetpu: EdgeTpu) -> tuple[int, int]:
    """Return how many operations the Edge TPU takes, and how many there are."""
    return sum(row.count for row in edgetpu.ops if row.on_tpu), sum(row.count for row in edgetpu.ops)


def classes(counts: Mapping[str, int]) -> tuple[list[Bar], str]:
    """Return rows for the classes with most images, and words for the rest."""
    ranked = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    shown, rest = ranked[:MOST_CLASSES], ranked[MOST_CLASSES:]
    if not rest:
        return bars(dict(shown)), ""
    least, most = rest[-1][1], rest[0][1]
    spread = f"{least} each" if least == most else f"{least} to {most} each"
    return bars(dict(shown)), f"and {len(rest)} more classes with {spread}"


def heights(histogram: Sequence[float]) -> list[float]:
    """Return a histogram's bins in percent of the highest."""
    highest = max(histogram, default=0) or 1
    return [round(100 * value / highest, 2) for value in histogram]


def outline(histogram: Sequence[float]) -> str:
    """Return a histogram as the points of a polygon, 100 wide and 100 high, with y downwards as SVG has it."""
    step = 100 / max(1, len(histogram))
    tops = [
        f"{round(x, 2):g},{round(100 - height, 2):g}"
        for number, height in enumerate(heights(histogram))
        for x in (number * step, (number + 1) * step)
    ]
    return " ".join(["0,100", *tops, "100,100"])


def kinds(cost: Cost) -> list[tuple[str, int, int, int]]:
    """Return each kind of layer with how many there are, their MACs and their parameters; the costliest first.

    Those that cost neither come last, as one.
    """
    counted = [layer for layer in cost.layers if layer.macs or layer.parameters]
    groups = {kind: [layer for layer in counted if layer.kind == kind] for kind in {layer.kind for layer in counted}}
    rows = [
        (kind, len(group), sum(layer.macs for layer in group), sum(layer.parameters for layer in group))
        for kind, group in groups.items()
    ]
    rows.sort(key=lambda row: (-row[2], -row[3], row[0]))
    others = len(cost.layers) - len(counted)
    return rows + ([("others", others, 0, 0)] if others else [])


def shade(count: int, row: Sequence[int]) -> int:
    """Return how dark a cell of the confusion matrix is, 0 to SHADES, by its part of the row."""
    return 0 if not count else max(1, round(SHADES * count / sum(row)))


def mistakes(confusion: Confusion) -> list[Mistake]:
    """Return which labels are taken for which others, the commonest first."""
    found = [
        Mistake(confusion.labels[right], confusion.labels[answer], times, sum(row))
        for right, row in enumerate(confusion.counts)
        for answer, times in enumerate(row)
        if times and right != answer
    ]
    return sorted(found, key=lambda mistake: (-mistake.times, mistake.right, mistake.answer))


def right(confusion: Confusion) -> tuple[int, int]:
    """Return how many answers are right, and how many there are."""
    return sum(row[number] for number, row in enumerate(confusion.counts)), sum(map(sum, confusion.counts))
