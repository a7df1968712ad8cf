# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The figures for people, in a terminal, and for spreadsheets, as CSV."""

import csv
from collections.abc import Iterator, Sequence
from io import StringIO
from typing import TextIO

from ..console import table
from .data import Measurement
from .energies import account, refusal
from .figures import LATENCIES, Run, best, method_line, verdict
from .host import busy
from .validity import within

_COLUMNS = (
    *("model", "sha256", "threads", "delegate", "window", "begun_s", "seconds", "inferences", "mean_ms"),
    *(f"{name}_ms" for name in LATENCIES),
    *(
        "load_ms",
        "first_ms",
        "start_ms",
        "peak_rss_mb",
        "joules",
        "error_joules",
        "celsius",
        "mhz",
        "throttled",
        "method",
    ),
)


def show(measurement: Measurement, found: Sequence[Run], out: TextIO) -> None:
    """Print a table, what is wrong with its rows, and the method."""
    with_energy = any(run.energy for run in found)
    chosen = best(found)
    rows = [_row(run, run is chosen, with_energy) for run in found]
    energy = ("mJ marginal", "mJ whole board") if with_energy else ()
    print(file=out)
    table(rows, header=("", "p50 ms", "p90", "p95", "p99", "first ms", "peak MB", *energy), file=out)
    print(file=out)
    for line in _said(measurement, found, chosen):
        print(line, file=out)


def _row(run: Run, chosen: bool, with_energy: bool) -> tuple[str, ...]:
    mark = "* " if chosen else "! " if run.faults else "  "
    latencies = (str(run.latency_ms["p50"]), *(f"{run.latency_ms[name].value:.3g}" for name in ("p90", "p95", "p99")))
    row = (mark + run.configuration.name, *latencies, f"{run.first_ms.value:.3g}", f"{run.peak_mb:.0f}")
    if not with_energy:
        return row
    return (*row, *((str(run.energy.marginal_mj), str(run.energy.whole_mj)) if run.energy else ("", "")))


def _said(measurement: Measurement, found: Sequence[Run], chosen: Run | None) -> Iterator[str]:
    if warning := busy(measurement.host):
        yield f"! {warning}"
    if chosen:
        yield f"* Of the valid ones, {chosen.configuration.name} {verdict(found, chosen)}."
    for run in found:
        yield from (f"! {run.configuration.name} is invalid: {fault}." for fault in run.faults)
        yield from (f"  {run.configuration.name}: {remark}." for remark in run.remarks)
    for number, why in measurement.failures.items():
        yield f"! {measurement.configurations[number].name} could not be run: {why}"
    for why in dict.fromkeys(run.no_energy for run in found if run.no_energy):
        yield f"  No energy: {why}."
    if measurement.plate.correction and any(run.energy for run in found):
        correction = measurement.plate.correction
        yield (
            f"  The whole board takes more than the {measurement.plate.name} sees; an estimate, {correction.source}: "
            f"{correction.gain:g} times its watts and {correction.offset_w:g} W."
        )
    yield f"Method: {method_line(measurement)}."


def to_csv(measurement: Measurement) -> str:
    """Return one line for every window, for whoever does their own statistics."""
    out = StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_COLUMNS)
    method = method_line(measurement)
    for number, window in enumerate(measurement.windows):
        configuration = measurement.configurations[window.configuration]
        told = not refusal(measurement, [window])
        energy = account(measurement, window.begun_s, window.ended_s) if told else None
        joules = energy.watts * window.seconds if energy else None
        error = energy.error_watts * window.seconds if energy else None
        points = within(measurement, [window])
        writer.writerow(
            [
                *(configuration.model, configuration.sha256, configuration.threads, window.delegate, number),
                *(round(window.begun_s, 4), round(window.seconds, 4), window.inferences, round(window.mean_ms, 5)),
                *(window.quantile(share) for share in LATENCIES.values()),
                *(round(ms, 3) for ms in (window.load_ms, window.first_ms, window.start_ms)),
                *(round(window.peak_mb, 2), joules and round(joules, 4), error and round(error, 4)),
                *(_last(points, name) for name in ("celsius", "mhz")),
                any(point.throttled for point in points),
                method,
            ]
        )
    return out.getvalue()


def _last(points: Sequence[object], name: str) -> float | None:
    told = [value for value in (getattr(point, name) for point in points) if value is not None]
    return float(told[-1]) if told else None
