# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""A measurement that `labelcam profile` could have made on a board whose power and latencies are known."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from labelcam.power import Nameplate
from labelcam.profile.data import SHARES, Configuration, Measurement, Point, Window

IDLE_W = 2.6
PLATE = Nameplate("hwmon ina219@1-0040/1", "the board", "nothing that matters", "watts", 100.0, 0.002)
HOST = {"board": "Raspberry Pi 5 Model B Rev 1.0", "cores": 4, "governor": "performance", "load_before": 0.04,
        "system": "Linux 6.12.47 aarch64", "python": "3.13.5", "labelcam": "0.1.0",
        "runtime": "ai-edge-litert 2.3.0", "numpy": "2.4.6"}  # fmt: skip


@dataclass(frozen=True)
class Kind:
    """What one configuration really takes."""

    name: str
    threads: int
    delegate: str
    ms: float
    watts: float

    @property
    def marginal_mj(self) -> float:
        return (self.watts - IDLE_W) * self.ms

    @property
    def whole_mj(self) -> float:
        return self.watts * self.ms


KINDS = (
    Kind("mobilenet_v2", 1, "xnnpack", 14.2, 3.35),
    Kind("mobilenet_v2", 2, "xnnpack", 8.1, 4.1),
    Kind("mobilenet_v2", 4, "xnnpack", 5.2, 5.9),
    Kind("mobilenet_v2", 1, "none", 61.0, 3.3),
)


def synthetic(
    kinds: Sequence[Kind] = KINDS,
    windows: int = 5,
    seconds: float = 10.2,
    *,
    hz: float = 10.0,
    seed: int = 1,
    slower: float = 1.0,
    change: Callable[[Point], Point] = lambda point: point,
) -> Measurement:
    """Return a measurement; `slower` multiplies every latency, `change` falsifies samples."""
    chance = np.random.default_rng(seed)
    made, now = [], seconds + 2
    for turn in range(windows):
        for number in range(len(kinds))[:: -1 if turn % 2 else 1]:
            made.append(_window(kinds[number], number, now, seconds, slower, chance))
            now += seconds + 1.5
    idles = (1.0, 1.0 + seconds), (now, now + seconds)
    end = now + seconds + 0.5
    steps = np.arange(0, end, 1 / hz)
    times = np.sort(steps + chance.uniform(0, 1 / hz, len(steps)))
    points = tuple(change(_point(float(at), made, kinds, chance)) for at in times)
    configurations = tuple(
        Configuration(f"models/{one.name}.tflite", "ab" * 32, one.threads, one.delegate) for one in kinds
    )
    return Measurement(HOST, PLATE, hz, configurations, idles, tuple(made), {}, points)


def _window(
    kind: Kind, number: int, begun: float, seconds: float, slower: float, chance: np.random.Generator
) -> Window:
    count = int(seconds * 1e3 / (kind.ms * slower * 1.02))
    took = kind.ms * slower * chance.normal(1, 0.003) * (1 + chance.gamma(1.2, 0.017, count))
    return Window(
        configuration=number,
        begun_s=begun,
        ended_s=begun + seconds,
        inferences=count,
        mean_ms=float(took.mean()),
        quantiles_ms=tuple(float(ms) for ms in np.quantile(took, SHARES)),
        load_ms=41 * chance.normal(1, 0.05),
        first_ms=kind.ms * 1.9 * chance.normal(1, 0.04),
        start_ms=640 * chance.normal(1, 0.03),
        peak_mb=78.0 + kind.threads,
        delegate=kind.delegate,
        delegated_ops=(0, 67) if kind.delegate == "none" else (64, 67),
    )


def _point(at: float, windows: Sequence[Window], kinds: Sequence[Kind], chance: np.random.Generator) -> Point:
    busy = next((kinds[one.configuration] for one in windows if one.begun_s <= at <= one.ended_s), None)
    between = windows[0].begun_s - 1 < at < windows[-1].ended_s
    watts = (busy.watts if busy else IDLE_W + (0.5 if between else 0)) + chance.normal(0, 0.04)
    celsius = 47 + 6 * (1 - np.exp(-at / 90)) + (1.2 if busy else 0)
    watts = round(float(watts) / 0.002) * 0.002
    return Point(at, watts, watts, round(float(celsius), 2), 2400.0, False, False)


def without_meter(measurement: Measurement) -> Measurement:
    """The same on a board that cannot tell its power."""
    none = Nameplate("none", "nothing", "everything", "watts", 0.0, None)
    points = tuple(replace(point, reading=None, watts=None) for point in measurement.points)
    return replace(measurement, plate=none, points=points)
