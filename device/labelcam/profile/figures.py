# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""From a measurement to what people compare: one row of figures for every configuration, and which is the best."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ..energy import method
from .data import SHARES, Configuration, Measurement, Window, to_json
from .energies import InferenceEnergy, idle, per_inference, refusal
from .interval import Interval
from .validity import faults, remarks, within

SCHEMA = 1
LATENCIES = {"p50": 0.50, "p90": 0.90, "p95": 0.95, "p99": 0.99}


@dataclass(frozen=True, slots=True)
class Run:
    """What one configuration takes."""

    configuration: Configuration
    windows: tuple[Window, ...]
    latency_ms: Mapping[str, Interval]
    """By the names of LATENCIES, and "mean"."""

    load_ms: Interval
    first_ms: Interval
    start_ms: Interval
    peak_mb: float
    energy: InferenceEnergy | None
    no_energy: str
    """Why there is no energy."""

    celsius: tuple[float, float] | None
    """The coolest and the hottest in its windows."""

    mhz: float | None
    faults: tuple[str, ...]
    """What makes it invalid."""

    remarks: tuple[str, ...]

    @property
    def valid(self) -> bool:
        """Whether its figures may be believed."""
        return not self.faults

    def quantiles_ms(self) -> list[float]:
        """Return the distribution of its latency at SHARES: the mean over the windows."""
        rows = [window.quantiles_ms for window in self.windows]
        return [sum(column) / len(rows) for column in zip(*rows, strict=True)]

    def as_json(self) -> dict[str, Any]:
        """Return the public form."""
        energy = self.energy
        return {
            **asdict(self.configuration),
            "name": self.configuration.name,
            "valid": self.valid,
            "faults": list(self.faults),
            "remarks": list(self.remarks),
            "windows": len(self.windows),
            "inferences": sum(window.inferences for window in self.windows),
            "delegate_used": self.windows[0].delegate,
            "delegated_ops": list(self.windows[0].delegated_ops),
            "latency_ms": {name: interval.as_json() for name, interval in self.latency_ms.items()},
            "load_ms": self.load_ms.as_json(),
            "first_ms": self.first_ms.as_json(),
            "start_ms": self.start_ms.as_json(),
            "peak_rss_mb": round(self.peak_mb, 1),
            "energy": energy
            and {
                "whole_mj": energy.whole_mj.as_json(),
                "marginal_mj": energy.marginal_mj.as_json(),
                "watts": energy.watts.as_json(),
            },
            "no_energy": self.no_energy or None,
            "celsius": self.celsius and list(self.celsius),
            "mhz": self.mhz,
        }


def runs(measurement: Measurement) -> list[Run]:
    """Return the figures of every configuration that ran, in the order of the plan."""
    by_number = {
        number: tuple(window for window in measurement.windows if window.configuration == number)
        for number in range(len(measurement.configurations))
    }
    return [_run(measurement, number, windows) for number, windows in by_number.items() if windows]


def _run(measurement: Measurement, number: int, windows: tuple[Window, ...]) -> Run:
    latency = {name: Interval.over([window.quantile(share) for window in windows]) for name, share in LATENCIES.items()}
    points = within(measurement, windows)
    warmth = [point.celsius for point in points if point.celsius is not None]
    clocks = [point.mhz for point in points if point.mhz is not None]
    why = refusal(measurement, windows)
    return Run(
        configuration=measurement.configurations[number],
        windows=windows,
        latency_ms={**latency, "mean": Interval.over([window.mean_ms for window in windows])},
        load_ms=Interval.over([window.load_ms for window in windows]),
        first_ms=Interval.over([window.first_ms for window in windows]),
        start_ms=Interval.over([window.start_ms for window in windows]),
        peak_mb=max(window.peak_mb for window in windows),
        energy=None if why else per_inference(measurement, windows),
        no_energy=why,
        celsius=(min(warmth), max(warmth)) if warmth else None,
        mhz=round(sum(clocks) / len(clocks)) if clocks else None,
        faults=tuple(faults(measurement, windows)),
        remarks=tuple(remarks(measurement, windows)),
    )


def best(found: Sequence[Run]) -> Run | None:
    """Return the valid run that takes the least of the board's energy, or, where none has any, the quickest."""
    valid = [run for run in found if run.valid]
    metered = [run for run in valid if run.energy]
    return min(metered or valid, key=lambda run: _judged_by(run).value, default=None)


def as_good(found: Sequence[Run], chosen: Run) -> tuple[str, ...]:
    """Return the names of the other valid runs that cannot be told from the best one: their intervals overlap."""
    others = [run for run in found if run.valid and run is not chosen and bool(run.energy) == bool(chosen.energy)]
    limit = _judged_by(chosen).high
    return tuple(run.configuration.name for run in others if limit is None or (_judged_by(run).low or 0.0) <= limit)


def verdict(found: Sequence[Run], chosen: Run) -> str:
    """Return what is to be said of the best run, after its name."""
    what = "takes the least energy" if chosen.energy else "is the quickest"
    rivals = as_good(found, chosen)
    return f"{what}, though not to be told from {', '.join(rivals)}" if rivals else what


def _judged_by(run: Run) -> Interval:
    return run.energy.whole_mj if run.energy else run.latency_ms["p50"]


def method_line(measurement: Measurement) -> str:
    """Return how all of it was measured, in one line."""
    windows = measurement.windows
    shortest = min(window.seconds for window in windows)
    each = len(windows) // max(1, len({window.configuration for window in windows}))
    return (
        f"{each} interleaved windows of {shortest:.1f} s or more for each configuration, each in a process of its own; "
        "invoke alone is timed, on noise, after a warm-up; 95% intervals over windows (Student's t); "
        "marginal energy is less the idle power measured before and after; " + method(measurement.plate, measurement.hz)
    )


def document(measurement: Measurement) -> dict[str, Any]:
    """Return the whole as JSON has it: figures first, then what they were made of."""
    found = runs(measurement)
    chosen, quiet = best(found), idle(measurement)
    return {
        "schema": SCHEMA,
        "method": method_line(measurement),
        "host": dict(measurement.host),
        "meter": asdict(measurement.plate),
        "idle": quiet
        and {
            "before_watts": round(quiet.before.watts, 4),
            "after_watts": round(quiet.after.watts, 4),
            "watts": round(quiet.watts, 4),
            "error_watts": round(quiet.error_watts, 4),
        },
        "runs": [run.as_json() for run in found],
        "failed": [
            {"name": measurement.configurations[number].name, "error": why}
            for number, why in measurement.failures.items()
        ],
        "best": chosen and chosen.configuration.name,
        "quantile_shares": list(SHARES),
        "measured": to_json(measurement),
    }
