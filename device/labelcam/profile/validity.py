# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Whether the figures of a configuration may be believed: it was not held back, and it was the same all along."""

import bisect
from collections.abc import Iterator, Sequence

from .data import Measurement, Point, Window

CLOCK_DRIFT = 0.02
WARMING_C = 5.0
LEAST_INFERENCES = 20


def faults(measurement: Measurement, windows: Sequence[Window]) -> Iterator[str]:
    """Yield what makes the windows of a configuration invalid."""
    points = within(measurement, windows)
    if any(point.throttled for point in points):
        yield "the board throttled: cool it, or take a lower rate"
    if any(point.undervolted for point in points):
        yield "the supply's voltage was too low: take a better supply or cable"
    clocks = [clock for clock in (_mean(measurement, window, "mhz") for window in windows) if clock]
    if clocks and max(clocks) - min(clocks) > CLOCK_DRIFT * max(clocks):
        yield f"the CPU's clock went from {min(clocks):.0f} to {max(clocks):.0f} MHz: set the governor to performance"
    fewest = min(window.inferences for window in windows)
    if fewest < LEAST_INFERENCES:
        yield f"a window had {fewest} inferences; {LEAST_INFERENCES} are the least for percentiles: raise --seconds"


def remarks(measurement: Measurement, windows: Sequence[Window]) -> Iterator[str]:
    """Yield what a reader should know, though the figures stand."""
    warmth = [
        celsius for celsius in (_mean(measurement, window, "celsius") for window in windows) if celsius is not None
    ]
    if warmth and abs(warmth[-1] - warmth[0]) > WARMING_C:
        yield f"it went from {warmth[0]:.1f} to {warmth[-1]:.1f} °C: warm the board up, or measure longer"
    wanted = measurement.configurations[windows[0].configuration].delegate
    if windows[0].delegate != wanted:
        yield f"{wanted} took no operation: it ran without"


def within(measurement: Measurement, windows: Sequence[Window]) -> list[Point]:
    """Return the samples that fall into windows."""
    return [point for window in windows for point in between(measurement, window.begun_s, window.ended_s)]


def between(measurement: Measurement, begun_s: float, ended_s: float) -> Sequence[Point]:
    """Return the samples that lie between two moments."""
    first = bisect.bisect_left(measurement.points, begun_s, key=_moment)
    return measurement.points[first : bisect.bisect_right(measurement.points, ended_s, key=_moment)]


def _moment(point: Point) -> float:
    return point.at_s


def _mean(measurement: Measurement, window: Window, quantity: str) -> float | None:
    values = [getattr(point, quantity) for point in within(measurement, [window])]
    told = [value for value in values if value is not None]
    return sum(told) / len(told) if told else None
