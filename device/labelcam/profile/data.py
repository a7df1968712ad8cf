# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""What was measured, as it was measured: figures are made of it later, and again with another meter's samples."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from ..errors import SettingsError
from ..power import Correction, Nameplate

SHARES = (*(share / 100 for share in range(100)), 0.995, 0.999, 1.0)
"""The shares of inferences that a window's quantiles are kept for."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """One of the combinations that are measured."""

    model: str
    """The model file's path."""

    sha256: str
    threads: int
    delegate: str

    @property
    def name(self) -> str:
        """How tables call it."""
        return f"{self.model.rsplit('/', 1)[-1].removesuffix('.tflite')} {self.threads}t {self.delegate}"


@dataclass(frozen=True, slots=True)
class Window:
    """Inferences back to back, in a process of their own; its seconds count from the start of the whole measurement."""

    configuration: int
    begun_s: float
    ended_s: float
    inferences: int
    mean_ms: float
    quantiles_ms: tuple[float, ...]
    """Of a single invoke, at SHARES."""

    load_ms: float
    """From the file to an interpreter with its tensors allocated; the file is in the page cache."""

    first_ms: float
    """The first invoke."""

    start_ms: float
    """From starting the process to its first answer: Python, imports, load and first invoke."""

    peak_mb: float
    """The most resident memory that the process had, in 10^6 bytes."""

    delegate: str
    """What really ran."""

    delegated_ops: tuple[int, int]

    @property
    def seconds(self) -> float:
        """How long it lasted."""
        return self.ended_s - self.begun_s

    @property
    def inference_s(self) -> float:
        """Its time by its inferences: what their energy is spread over."""
        return self.seconds / self.inferences

    def quantile(self, share: float) -> float:
        """Return the milliseconds that a share of SHARES did not exceed."""
        return self.quantiles_ms[SHARES.index(share)]


@dataclass(frozen=True, slots=True)
class Point:
    """One sample of meter and board."""

    at_s: float
    reading: float | None
    watts: float | None
    celsius: float | None
    mhz: float | None
    throttled: bool | None
    undervolted: bool | None


@dataclass(frozen=True, slots=True)
class Measurement:
    """Everything that one run of `labelcam profile` saw."""

    host: Mapping[str, Any]
    plate: Nameplate
    hz: float
    configurations: tuple[Configuration, ...]
    idles: tuple[tuple[float, float], ...]
    """Begin and end of the times in which nothing ran: before and after."""

    windows: tuple[Window, ...]
    failures: Mapping[int, str]
    """Configurations that could not be run, and why."""

    points: tuple[Point, ...]


def to_json(measurement: Measurement) -> dict[str, Any]:
    """Return the measurement as JSON has it."""
    plain = asdict(replace(measurement, points=()))
    plain["points"] = [[getattr(point, name) for name in Point.__slots__] for point in measurement.points]
    return plain


def from_json(plain: Mapping[str, Any]) -> Measurement:
    """Return the measurement that `to_json` made. Raises SettingsError if it is none."""
    try:
        correction = plain["plate"]["correction"]
        plate = {**plain["plate"], "correction": correction and Correction(**correction)}
        return Measurement(
            host=plain["host"],
            plate=Nameplate(**plate),
            hz=float(plain["hz"]),
            configurations=tuple(Configuration(**one) for one in plain["configurations"]),
            idles=tuple((float(begin), float(end)) for begin, end in plain["idles"]),
            windows=tuple(_window(one) for one in plain["windows"]),
            failures={int(number): str(why) for number, why in plain["failures"].items()},
            points=tuple(Point(*point) for point in plain["points"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise SettingsError(
            f"is no document of labelcam profile ({error!r}); make one by labelcam profile --json"
        ) from None


def _window(plain: Mapping[str, Any]) -> Window:
    quantiles: Sequence[float] = plain["quantiles_ms"]
    if len(quantiles) != len(SHARES):
        raise ValueError(f"{len(quantiles)} quantiles")
    taken, total = plain["delegated_ops"]
    return Window(**{**plain, "quantiles_ms": tuple(quantiles), "delegated_ops": (int(taken), int(total))})
