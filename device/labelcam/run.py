# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""`labelcam run`: settings and flags in, signals heeded, the daemon served, its summary shown."""

import json
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TextIO

from .classifier import Classifier
from .console import table
from .daemon import Limits, serve
from .errors import LabelcamError, SettingsError, UsageError
from .model_file import ModelFile
from .preprocess import Fit
from .publish import Publisher
from .publish.jsonl import JsonLines
from .publish.lines import Lines
from .publish.text import Log, Terminal
from .records import Percentiles, Summary
from .settings import Settings, load_settings


def run(
    settings_file: Path | None,
    model: str | None,
    camera: str | None,
    frames: int | None,
    seconds: float | None,
    summary_file: Path | None,
    *,
    as_json: bool,
) -> int:
    """Serve until the source ends, a limit is reached, or SIGINT or SIGTERM comes; then show the summary."""
    settings = with_flags(load_settings(settings_file), model, camera)
    if summary_file and not summary_file.absolute().parent.is_dir():
        raise UsageError(f"--summary {summary_file}: its folder does not exist; make it first")
    classifier = load_classifier(settings)
    stop = threading.Event()
    publishers = _publishers(settings, classifier, stop, as_json=as_json)
    with _stopped_by_signals(stop):
        outcome = serve(settings, classifier, publishers, stop, Limits(frames, seconds))
    _show(outcome.summary, as_json=as_json)
    if summary_file:
        try:
            _write_whole(summary_file, json.dumps(outcome.summary.as_json(), indent=2) + "\n")
        except OSError as error:
            raise LabelcamError(f"--summary {summary_file}: cannot be written ({error.strerror}); make room") from None
    if outcome.lost:
        raise outcome.lost
    return 0


def with_flags(settings: Settings, model: str | None, camera: str | None) -> Settings:
    """Return the settings with what the command line says in place of what the file says."""
    if model is not None:
        settings = replace(settings, model=replace(settings.model, path=model))
    if camera is not None:
        settings = replace(settings, camera=replace(settings.camera, source=camera))
    return settings


def load_classifier(settings: Settings) -> Classifier:
    """Load the model that the settings name. Raises SettingsError or ModelFileError."""
    if not settings.model.path:
        raise SettingsError("no model is named; use --model FILE, or set path under [model] in the settings")
    fit = Fit(settings.model.fit) if settings.model.fit else None
    model = ModelFile.load(Path(settings.model.path).expanduser())
    return Classifier(model, settings.runtime.threads, settings.runtime.delegate, fit)


def _publishers(settings: Settings, classifier: Classifier, stop: threading.Event, *, as_json: bool) -> list[Publisher]:
    publishers: list[Publisher] = []
    if as_json:
        publishers.append(JsonLines(Lines(_own_stdout(), reader_left=stop.set)))
    elif sys.stdout.isatty():
        publishers.append(Terminal(Lines(_own_stdout(), reader_left=stop.set)))
    if not sys.stdout.isatty():
        publishers.append(Log())
    if settings.mqtt.host:
        from .publish.mqtt import Mqtt  # paho costs 40 ms of start-up that others need not pay

        publishers.append(Mqtt(settings.mqtt, classifier.model.name))
    return publishers


def _own_stdout() -> TextIO:
    """A stream for a publisher's thread: Python flushes sys.stdout at exit, and would wait for a reader that sleeps."""
    return open(sys.stdout.fileno(), "w", encoding=sys.stdout.encoding, closefd=False)


@contextmanager
def _stopped_by_signals(stop: threading.Event) -> Iterator[None]:
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _write_whole(path: Path, text: str) -> None:
    """Write a file so that a reader sees all of it or the old one, whatever happens meanwhile."""
    if path.exists() and not path.is_file():  # a device or a pipe is written to, never replaced
        path.write_text(text)
        return
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        unfinished.write_text(text)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


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
