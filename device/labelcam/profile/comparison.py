# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""What differs between two measurements beyond noise: where the interval of the difference leaves zero out."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from math import hypot
from pathlib import Path
from typing import Any

from ..errors import SettingsError
from .data import Measurement, from_json
from .figures import Run, method_line, runs
from .interval import Interval

_QUANTITIES = ("p50 ms", "p95 ms", "p99 ms", "first ms", "mJ marginal", "mJ whole board")


@dataclass(frozen=True, slots=True)
class Difference:
    """One quantity of one configuration in both measurements."""

    configuration: str
    quantity: str
    before: float
    after: float
    change: float
    """A share of before; -0.1 is a tenth less."""

    change_error: float | None
    """Half of its 95% interval; None where one of them had a single window."""

    beyond_noise: bool


def load(path: Path) -> Measurement:
    """Return the measurement in a file of `profile --json`. Raises SettingsError if it is none."""
    try:
        return from_json(json.loads(path.read_text(encoding="utf-8"))["measured"])
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read ({error.strerror}); check the path") from None
    except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError):
        raise SettingsError(
            f"{path}: is no document of labelcam profile; make one by labelcam profile --json"
        ) from None
    except SettingsError as error:
        raise SettingsError(f"{path}: {error}") from None


def compare(before: Measurement, after: Measurement) -> list[Difference]:
    """Return every quantity that both have, configuration by configuration. Raises SettingsError if they share none."""
    earlier = {_key(run): run for run in runs(before)}
    shared = [(earlier[_key(run)], run) for run in runs(after) if _key(run) in earlier]
    if not shared:
        raise SettingsError("the two share no configuration: same file name, threads and delegate; measure those")
    return [found for one, other in shared for found in _differences(one, other)]


def warnings(before: Measurement, after: Measurement) -> Iterator[str]:
    """Yield what else differs and may be the cause."""
    for name in dict.fromkeys([*before.host, *after.host]):
        one, other = before.host.get(name), after.host.get(name)
        if one != other and name != "load_before":
            yield f"{name}: {one}, then {other}"
    if before.plate.name != after.plate.name:
        yield f"meter: {before.plate.name}, then {after.plate.name}; their energies are not of the same thing"
    earlier = {(one.model.rsplit("/", 1)[-1], one.sha256) for one in before.configurations}
    for name, digest in {(one.model.rsplit("/", 1)[-1], one.sha256) for one in after.configurations}:
        if name in {known for known, _ in earlier} and (name, digest) not in earlier:
            yield f"{name} is another file now"
    for which, one in (("before", before), ("after", after)):
        for run in runs(one):
            yield from (f"{which}, {run.configuration.name} is invalid: {fault}" for fault in run.faults)


def as_json(before: Measurement, after: Measurement) -> dict[str, Any]:
    """Return the public form."""
    return {
        "schema": 1,
        "method": {"before": method_line(before), "after": method_line(after)},
        "warnings": list(warnings(before, after)),
        "differences": [asdict(found) for found in compare(before, after)],
    }


def _key(run: Run) -> tuple[str, int, str]:
    configuration = run.configuration
    return configuration.model.rsplit("/", 1)[-1], configuration.threads, configuration.delegate


def _quantities(run: Run) -> Mapping[str, Interval]:
    found = {f"{name} ms": run.latency_ms[name] for name in ("p50", "p95", "p99")} | {"first ms": run.first_ms}
    if run.energy:
        found |= {"mJ marginal": run.energy.marginal_mj, "mJ whole board": run.energy.whole_mj}
    return found


def _differences(before: Run, after: Run) -> Iterator[Difference]:
    ours, theirs = _quantities(before), _quantities(after)
    for name in _QUANTITIES:
        if name in ours and name in theirs and ours[name].value > 0:
            yield _difference(after.configuration.name, name, ours[name], theirs[name])


def _difference(configuration: str, name: str, one: Interval, other: Interval) -> Difference:
    """Two independent intervals: the half width of their difference is the root of the sum of squares."""
    apart = other.value - one.value
    half = None if one.half is None or other.half is None else hypot(one.half, other.half)
    return Difference(
        configuration,
        name,
        one.value,
        other.value,
        apart / one.value,
        None if half is None else half / one.value,
        half is not None and abs(apart) > half,
    )
