# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""`labelcam profile`: measure or read, then tell: a table, JSON, CSV, a page, a choice written into the settings."""

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..board import Board
from ..console import note, table
from ..errors import GateFailed, LabelcamError, UsageError
from ..firmware import Firmware
from ..power import open_meter
from ..sampler import Sampler
from ..settings import load_settings
from ..settings.editing import write_settings
from ..settings.loading import settings_in_use, settings_of_user
from .budget import Budget, choose, parse_budget
from .comparison import Difference, as_json, compare, load, warnings
from .data import Measurement
from .figures import Run, document, method_line, runs
from .host import host
from .measure import measure
from .plan import LEAST_WINDOW_S, Plan, combinations
from .recorded import with_recording
from .telling import show, to_csv


@dataclass(frozen=True, slots=True)
class Outputs:
    """Where the figures go, beside the terminal."""

    as_json: bool
    html: Path | None = None
    csv: Path | None = None
    budget: Budget | None = None
    settings: Path | None = None
    """The settings file that names the meter and that a budget's choice is written into; None is the one in use."""

    @classmethod
    def of(
        cls, as_json: bool, html: Path | None, csv: Path | None, budget: str | None, settings: Path | None
    ) -> "Outputs":
        """Check everything that can be checked before minutes of measuring. Raises UsageError."""
        for path, ending in ((html, ".html"), (csv, ".csv")):
            if path and path.suffix != ending:  # no model file is overwritten by a slip
                raise UsageError(f"{path}: is to end with {ending}; name it {path.stem}{ending}")
            if path and not (path.parent.is_dir() and os.access(path.parent, os.W_OK) and not path.is_dir()):
                raise UsageError(f"{path}: cannot be written there; choose a file in a folder that exists")
        return cls(as_json, html, csv, parse_budget(budget) if budget else None, settings)


def profile(
    models: Sequence[Path], threads: Sequence[int], delegates: Sequence[str], plan: tuple[int, float], out: Outputs
) -> int:
    """Measure every combination in so many windows of so many seconds; 3 if none is valid or none fits the budget."""
    windows, seconds = plan
    wanted = Plan(combinations(models, threads, delegates), windows, seconds)
    power = load_settings(out.settings).power
    firmware = Firmware()
    meter, board = open_meter(power.meter, power.hwmon, firmware=firmware), Board(firmware=firmware)
    if out.budget and out.budget.energy and meter.plate.max_hz == 0:
        raise UsageError(f"--budget {out.budget}: this machine has no power meter; give a budget in ms, or attach one")
    count = len(wanted.configurations)
    note(
        f"{count} configuration{'s' * (count > 1)}, {windows} windows of {seconds:g} s each, idle before and after: "
        f"about {wanted.about_s / 60:.0f} min; power: {meter.plate.name}"
    )
    if seconds < LEAST_WINDOW_S:
        note(f"  windows of less than {LEAST_WINDOW_S:g} s give latencies, but no energy")
    return tell(measure(wanted, Sampler(meter, board, power.hz), meter.plate, host(board)), out)


def tell_recorded(document_file: Path, recording: Path, out: Outputs) -> int:
    """Reckon an earlier measurement's energy anew, from what a USB meter recorded meanwhile."""
    return tell(with_recording(load(document_file), recording), out)


def tell(measurement: Measurement, out: Outputs) -> int:
    """Give the figures everywhere they are wanted, and choose."""
    found = runs(measurement)
    if out.as_json:
        print(json.dumps(document(measurement), allow_nan=False))
    show(measurement, found, sys.stderr if out.as_json else sys.stdout)
    if out.csv:
        _write(out.csv, to_csv(measurement))
    if out.html:
        from .page import to_html

        _write(out.html, to_html(measurement, found))
    if out.budget:
        _settle(choose(found, out.budget), out.budget, out.settings)
    if not any(run.valid for run in found):
        raise GateFailed("no configuration gave valid figures; the reasons stand beside each")
    return 0


def tell_difference(before: Path, after: Path, *, to_json: bool) -> int:
    """Say what differs between two documents beyond noise."""
    one, other = load(before), load(after)
    differences = compare(one, other)
    if to_json:
        print(json.dumps(as_json(one, other), allow_nan=False))
        return 0
    for warning in warnings(one, other):
        print(f"! {warning}")
    table([_row(found) for found in differences], header=("", "", "before", "after", "change", "beyond noise"))
    print(f"\nBefore: {method_line(one)}.\nAfter: {method_line(other)}.")
    return 0


def _row(found: Difference) -> tuple[str, ...]:
    error = "" if found.change_error is None else f" ± {found.change_error * 100:.1f}"
    verdict = "yes" if found.beyond_noise else "no" if error else "unknown: one window"
    change = f"{found.change * 100:+.1f}{error} %"
    return found.configuration, found.quantity, f"{found.before:.4g}", f"{found.after:.4g}", change, verdict


def _settle(run: Run, budget: Budget, settings: Path | None) -> None:
    chosen = run.configuration
    path = settings or settings_in_use() or settings_of_user()
    changes: dict[str, dict[str, str | int]] = {
        "model": {"path": str(Path(chosen.model).resolve())},
        "runtime": {"threads": chosen.threads, "delegate": chosen.delegate},
    }
    write_settings(path, changes)
    note(f"{chosen.name} fits {budget}; written into {path}")


def _write(path: Path, text: str) -> None:
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        unfinished.write_text(text, encoding="utf-8", errors="backslashreplace")
        unfinished.replace(path)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        raise LabelcamError(f"{path}: cannot be written ({error.strerror}); make room, or choose another") from None
