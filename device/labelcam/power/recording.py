# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""What a USB meter (UM25C, FNB58 and their like) recorded meanwhile, as CSV."""

import csv
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import SettingsError

Column = NDArray[np.float64]

_TIME = r"(?:.* ?)?time(?: ?stamp)?|elapsed|seconds|zeit|t"
_QUANTITIES = {"time": _TIME, "watts": r"power|watts?|leistung|p", "volts": r"voltage|volts?|vbus|spannung|v|u",
               "amperes": r"current|amps?|amperes?|ibus|strom|a|i"}  # fmt: skip
_HEADING = re.compile(r"(?P<name>[a-z ]+?)\d*(?:\s*[\[(_ ]\s*(?P<unit>ms|us|s|sec|mw|w|mv|v|ma|a)\s*[\])]?)?")
_FACTORS = {"ms": 1e-3, "us": 1e-6, "mw": 1e-3, "mv": 1e-3, "ma": 1e-3}
_CLOCK = re.compile(r"(?:(\d+):)?(\d+):(\d+(?:\.\d+)?)")
_DAY_S = 86400.0


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """Power over time."""

    seconds: Column
    """From the first sample on, growing."""

    watts: Column

    @property
    def interval_s(self) -> float:
        """The usual distance between two samples."""
        return float(np.median(np.diff(self.seconds)))


def read_recording(path: Path) -> Recording:
    """Return what a CSV file recorded: a time column, and one of power or two of voltage and current.

    Units are taken from the headings ('Power(mW)', 'Current [A]'), times are numbers of seconds or milliseconds, clock
    times or dates. Raises SettingsError with what is missing.
    """
    try:
        text = path.read_text(encoding="utf-8-sig", errors="replace")
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read ({error.strerror}); check the path") from None
    delimiter = max(",;\t", key=text.count) if ";" not in text else ";"
    rows = csv.reader(text.splitlines(), delimiter=delimiter)
    columns = _columns(path, rows)
    samples = np.array(list(_samples(rows, columns, decimal_comma=delimiter != ",")), np.float64).reshape(-1, 2)
    seconds, watts = _growing(samples[:, 0]), samples[:, 1]
    if len(seconds) < 3 or not np.all(np.diff(seconds) > 0):
        raise SettingsError(f"{path}: {len(seconds)} samples whose time does not grow all along; export it again")
    return Recording(seconds - seconds[0], watts)


@dataclass(frozen=True, slots=True)
class _Columns:
    """Where a recording's quantities stand, each with the factor to its unit without prefix."""

    time: tuple[int, float]
    power: tuple[tuple[int, float], ...]
    """One of watts, or volts and amperes, to be multiplied."""


def _columns(path: Path, rows: Iterator[list[str]]) -> _Columns:
    """Pass over what stands before the headings, and read them."""
    for row in rows:
        found = {name: place for number, text in reversed(list(enumerate(row)))
                 for name, place in _quantity(text, number)}  # fmt: skip
        both = "volts" in found and "amperes" in found
        if "time" in found and ("watts" in found or both):
            used = ("watts",) if "watts" in found else ("volts", "amperes")
            return _Columns(found["time"], tuple(found[name] for name in used))
    raise SettingsError(
        f"{path}: no line with headings for time, and power or voltage and current; name them 'Time(s)' and 'Power(W)'"
    )


def _quantity(text: str, number: int) -> Iterator[tuple[str, tuple[int, float]]]:
    heading = _HEADING.fullmatch(text.strip().lower())
    if heading:
        for quantity, names in _QUANTITIES.items():
            if re.fullmatch(names, heading["name"].strip()):
                yield quantity, (number, _FACTORS.get(heading["unit"] or "", 1.0))


def _samples(rows: Iterator[list[str]], columns: _Columns, *, decimal_comma: bool) -> Iterator[tuple[float, float]]:
    """Every line that has all of it; a summary at the end has not."""
    for row in rows:
        try:
            cells = [cell.strip().replace(",", ".") if decimal_comma else cell.strip() for cell in row]
            number, factor = columns.time
            yield _moment(cells[number], factor), math.prod(float(cells[n]) * f for n, f in columns.power)
        except (ValueError, IndexError):
            continue


def _moment(text: str, factor: float) -> float:
    """Seconds, from a number, a clock time or a date with one. Raises ValueError for what is neither."""
    if clock := _CLOCK.fullmatch(text):
        return int(clock[1] or 0) * 3600 + int(clock[2]) * 60 + float(clock[3])
    try:
        return float(text) * factor
    except ValueError:
        return datetime.fromisoformat(text.replace("/", "-")).timestamp()


def _growing(seconds: Column) -> Column:
    """Clock times begin anew at midnight."""
    return seconds + _DAY_S * np.cumsum(np.diff(seconds, prepend=seconds[:1]) < -_DAY_S / 2)
