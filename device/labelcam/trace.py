# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""`run --trace`: every step of every frame for some seconds, as a file that opens in https://ui.perfetto.dev.

The format is Chrome's: https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU. Events are
appended to a list from whichever thread they happen on, which takes a microsecond, and written when it is over.
"""

import json
import logging
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, NamedTuple, Self

from .console import note
from .errors import LabelcamError, UsageError
from .pipeline import Prepared
from .records import Reading, Stage
from .sampler import Sample
from .whole_file import write_whole

log = logging.getLogger(__name__)

MOST_EVENTS = 100_000
"""20 MB in memory, as much on the disk: of a camera at ten frames a second, a quarter of an hour."""

WRITE_S = 5.0
"""What the end of the run may wait for the disk."""

CAPTURE, PIPELINE = "capture", "pipeline"


class Event(NamedTuple):
    """One thing that happened; times are nanoseconds of the monotonic clock."""

    kind: Literal["step", "age", "counter"]
    track: str
    """The thread, or the counter's name."""

    name: str
    begun_ns: int
    ended_ns: int
    value: float
    """The counter's, or the number of the frame."""


class Trace:
    """Records for so many seconds. Use it in a `with` block, whose end writes what is not written yet."""

    def __init__(self, path: Path, seconds: float, most: int = MOST_EVENTS) -> None:
        """Raises UsageError if the file has no folder to be in."""
        if not path.absolute().parent.is_dir():
            raise UsageError(f"--trace-file {path}: its folder does not exist; make it first")
        self._path, self._seconds, self._most = path, seconds, most
        self._events: list[Event] = []
        self._until_ns = 0
        self._captured_ns = 0
        """When the capture thread was done with the frame before."""

        self._dropped = 0
        self._writer: threading.Thread | None = None
        self.on = True
        """Whether anything is still to be recorded; whoever asks for it need not call us any more."""

        self.failure: LabelcamError | None = None

    def __enter__(self) -> Self:
        self._until_ns = time.monotonic_ns() + int(self._seconds * 1e9)
        return self

    def __exit__(self, *_: object) -> None:
        if self.on:
            self._finish()
        if self._writer:
            self._writer.join(WRITE_S)

    def prepared(self, prepared: Prepared) -> None:
        """Take note of a frame that was captured and prepared just now; on the capture thread."""
        if not self.on:
            return
        done_ns = prepared.taken_ns + int((prepared.capture_ms + prepared.preprocess_ms) * 1e6)
        captured_ns = done_ns - int(prepared.preprocess_ms * 1e6)
        # The sensor began it before we were done with the frame before: on one thread steps lie one after the other.
        begun_ns = min(max(prepared.taken_ns, self._captured_ns), captured_ns)
        self._captured_ns = done_ns
        seq = float(prepared.seq)
        self._events.extend(
            (
                Event("step", CAPTURE, "capture", begun_ns, captured_ns, seq),
                Event("step", CAPTURE, "preprocess", captured_ns, done_ns, seq),
            )
        )

    def read(self, reading: Reading, prepared: Prepared) -> None:
        """Take note of a frame that was decided and handed to the publishers just now; on the pipeline's thread."""
        if not self.on:
            return
        now_ns = time.monotonic_ns()
        done_ns = prepared.taken_ns + int(reading.age_ms * 1e6)
        invoked_ns = done_ns - int(reading.stages_ms[Stage.DECIDE] * 1e6)
        begun_ns = invoked_ns - int(reading.stages_ms[Stage.INVOKE] * 1e6)
        seq = float(reading.seq)
        self._events.extend(
            (
                Event("step", PIPELINE, "invoke", begun_ns, invoked_ns, seq),
                Event("step", PIPELINE, "decide", invoked_ns, done_ns, seq),
                Event("step", PIPELINE, "publish", done_ns, now_ns, seq),
                Event("age", "frames", "sensor to decision", prepared.taken_ns, done_ns, seq),
            )
        )
        if reading.dropped:
            self._dropped += reading.dropped
            self._events.append(Event("counter", "dropped", "frames", done_ns, done_ns, self._dropped))
        if now_ns >= self._until_ns or len(self._events) >= self._most:
            self._finish()

    def published(self, publisher: str, what: str, begun_ns: int) -> None:
        """Take note of what a publisher has done until now, on its thread."""
        if self.on:
            self._events.append(Event("step", f"publish-{publisher}", what, begun_ns, time.monotonic_ns(), -1.0))

    def sampled(self, sample: Sample) -> None:
        """Take note of what meter and board said; on the sampler's thread."""
        if not self.on:
            return
        vitals = sample.vitals
        for name, value in (("watts", vitals.watts), ("celsius", vitals.celsius), ("MHz", vitals.mhz)):
            if value is not None:
                self._events.append(Event("counter", name, name, sample.taken_ns, sample.taken_ns, value))

    def _finish(self) -> None:
        """Record no more, and have it written on a thread of its own."""
        self.on = False
        if len(self._events) >= self._most:
            log.warning("trace-full events=%d: it ends before its time", len(self._events))
        self._writer = threading.Thread(target=self._write, name="trace", daemon=True)
        self._writer.start()

    def _write(self) -> None:
        try:
            write_whole(self._path, _lines(self._events))
        except OSError as error:
            self.failure = LabelcamError(f"--trace-file {self._path}: cannot be written ({error.strerror}); make room")
            return
        log.info("trace-written file=%s events=%d", self._path, len(self._events))
        if sys.stderr.isatty():
            note(f"{self._path}: the trace; open it in https://ui.perfetto.dev")


def _lines(events: list[Event]) -> Iterator[str]:
    yield '{"displayTimeUnit":"ms","traceEvents":[\n'
    for number, event in enumerate(_chrome(events)):
        yield (",\n" if number else "") + json.dumps(event, separators=(",", ":"))
    yield "\n]}\n"


def _chrome(events: list[Event]) -> Iterator[dict[str, Any]]:
    """Yield the events in Chrome's words, with names for process and threads in front; times are microseconds."""
    tracks = {event.track: None for event in events if event.kind == "step"}
    threads = {track: number for number, track in enumerate(tracks, 1)}
    common: dict[str, Any] = {"pid": 1}
    yield {**common, "ph": "M", "name": "process_name", "args": {"name": "labelcam"}}
    for track, number in threads.items():
        yield {**common, "tid": number, "ph": "M", "name": "thread_name", "args": {"name": track}}
    for event in events:
        at, lasted = round(event.begun_ns / 1e3, 3), round((event.ended_ns - event.begun_ns) / 1e3, 3)
        if event.kind == "step":
            frame = {"args": {"frame": int(event.value)}} if event.value >= 0 else {}
            yield {
                **common,
                "tid": threads[event.track],
                "ph": "X",
                "name": event.name,
                "ts": at,
                "dur": lasted,
                **frame,
            }
        elif event.kind == "age":
            # Frames overlap, so they belong to no thread; under one name they share a track.
            whole = {**common, "cat": "frame", "id": int(event.value), "name": event.name}
            yield {**whole, "ph": "b", "ts": at, "args": {"frame": int(event.value)}}
            yield {**whole, "ph": "e", "ts": round(event.ended_ns / 1e3, 3)}
        else:
            yield {**common, "ph": "C", "name": event.track, "ts": at, "args": {event.name: event.value}}
