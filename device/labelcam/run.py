# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""`labelcam run`: settings and flags in, signals heeded, the daemon served, its summary shown."""

import json
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import NoReturn, TextIO

from .account import Percentiles, Summary
from .capture import left_behind
from .console import complain, table
from .daemon import serve
from .ending import Ending
from .errors import LabelcamError, UsageError
from .pictures import Pictures
from .plan import Planner
from .publish.lines import Lines
from .publishing import outlets
from .reload import Reloader, first_plan
from .settings import Settings, load_settings
from .trace import Trace
from .whole_file import write_whole


def run(
    settings_file: Path | None,
    model: str | None,
    camera: str | None,
    frames: int | None,
    seconds: float | None,
    summary_file: Path | None,
    trace: Trace | None = None,
    *,
    as_json: bool,
) -> int:
    """Serve until the source ends, a limit is reached, or SIGINT or SIGTERM comes; then show the summary."""
    try:
        _run(settings_file, model, camera, frames, seconds, summary_file, trace, as_json=as_json)
    except LabelcamError as error:
        if not left_behind():
            raise
        complain("labelcam", error)
        _end_by_force(error.exit_code)
    if left_behind():
        _end_by_force(0)
    return 0


def _end_by_force(code: int) -> NoReturn:
    """End although a camera's driver hangs: picamera2's stop() may do so for ever, and Python would wait for it."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _run(
    settings_file: Path | None,
    model: str | None,
    camera: str | None,
    frames: int | None,
    seconds: float | None,
    summary_file: Path | None,
    trace: Trace | None = None,
    *,
    as_json: bool,
) -> None:
    if summary_file and not summary_file.absolute().parent.is_dir():
        raise UsageError(f"--summary {summary_file}: its folder does not exist; make it first")
    stop, pictures = threading.Event(), Pictures()
    lines = Lines(_own_stdout(), ended=stop.set)
    planner = Planner(
        read=lambda: with_flags(load_settings(settings_file), model, camera),
        outlets=lambda settings: outlets(settings, pictures, lines, as_json=as_json),
    )
    reloader = Reloader(planner)
    with _signals_heeded(stop, reloader):
        plan, ending = first_plan(planner, stop), Ending(frames, seconds, stop)
        if plan is None:
            return
        with trace or nullcontext():
            outcome = serve(plan, reloader, pictures, ending, trace)
    failures = [failure for failure in (outcome.failure, trace and trace.failure) if failure]
    if lines.failure:
        why = lines.failure.strerror
        failures.append(LabelcamError(f"stdout: cannot be written ({why}); make room, or write elsewhere"))
    try:
        if summary_file:
            _write_summary(summary_file, outcome.summary)
    except LabelcamError as error:
        failures.append(error)
    if outcome.summary.frames and not lines.failure:
        _show(outcome.summary, as_json=as_json)
    if failures:
        raise failures[0]  # the one that scripts must know of first


def with_flags(settings: Settings, model: str | None, camera: str | None) -> Settings:
    """Return the settings with what the command line says in place of what the file says."""
    if model is not None:
        settings = replace(settings, model=replace(settings.model, path=model))
    if camera is not None:
        settings = replace(settings, camera=replace(settings.camera, source=camera))
    return settings


def _own_stdout() -> TextIO:
    """A stream for a publisher's thread: Python flushes sys.stdout at exit, and would wait for a reader that sleeps."""
    return open(sys.stdout.fileno(), "w", encoding=sys.stdout.encoding, errors="backslashreplace", closefd=False)


@contextmanager
def _signals_heeded(stop: threading.Event, reloader: Reloader) -> Iterator[None]:
    """End by SIGINT and SIGTERM; reload by SIGHUP, which in a terminal says that the terminal is closed."""

    def end(*_: object) -> None:
        stop.set()

    def reload(*_: object) -> None:
        reloader.request()

    hang_up = end if sys.stdin and sys.stdin.isatty() else reload
    handlers = {signal.SIGINT: end, signal.SIGTERM: end, signal.SIGHUP: hang_up}
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _write_summary(path: Path, summary: Summary) -> None:
    try:
        write_whole(path, [json.dumps(summary.as_json(), indent=2), "\n"])
    except OSError as error:
        raise LabelcamError(f"--summary {path}: cannot be written ({error.strerror}); make room") from None


def _show(summary: Summary, *, as_json: bool) -> None:
    out = sys.stderr if as_json else sys.stdout
    rows = [(stage.value, *_figures(spread)) for stage, spread in summary.stages_ms.items()]
    rows.append(("age", *_figures(summary.age_ms)))
    print(file=out)
    table(rows, header=("ms", "p50", "p95", "p99", "max"), file=out)
    taken, total = summary.delegated_ops
    print(
        f"{summary.frames} frames in {summary.seconds:.1f} s ({summary.fps:.1f} a second), {summary.dropped} dropped, "
        f"{summary.skipped} images skipped\n"
        f"{summary.model} on {summary.runtime}, {summary.delegate} took {taken} of {total} operations, "
        f"{summary.threads} thread{'s' if summary.threads > 1 else ''}, {summary.rss_mb:.0f} MB resident",
        file=out,
    )


def _figures(spread: Percentiles) -> tuple[str, ...]:
    return tuple(f"{ms:.2f}" for ms in (spread.p50, spread.p95, spread.p99, spread.max))
