# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The capture thread: while the network works on one frame, the next is fetched and prepared."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from math import inf
from queue import Empty, SimpleQueue
from typing import NamedTuple, Self

from .allowance import Allowance
from .camera import Absence, BadFrame, Camera, CameraAway, CameraLost
from .pipeline import Pipeline, Prepared
from .records import Frame
from .runtime import Array

FIRST_FRAME_S = 60.0
"""How long the first frame may take; some network cameras need half a minute."""

GRACE_S = 1.0
"""More than the camera's own limits, for its own words say more than ours."""

LEAVE_S = 0.5
"""What a camera may take to be left; a driver that hangs is left behind."""

THREAD = "capture"


def left_behind() -> bool:
    """Whether a capture thread hangs in its driver, where Python's own way out would hang as well."""
    return any(thread.name == THREAD for thread in threading.enumerate())


class Slot(NamedTuple):
    """An input-shaped array, and the pipeline whose network it fits."""

    array: Array
    pipeline: Pipeline


class Left(NamedTuple):
    """What the next camera takes over from one that has been left."""

    dropped: Mapping[str, int]
    """Frames that came to nothing, by reason."""

    untold: int
    """Of those, the ones after the last frame that was taken: the next reading tells of them."""

    skipped: int
    """Images of a folder that could not be read."""

    next_seq: int
    """The number to go on from. What waited is none of the lost: nobody has heard of it."""


class Capture:
    """Keeps the newest prepared frame ready. Use it in a `with` block, which runs the thread.

    Slots go round: `free` ones are filled by the thread, `ready` ones wait to be taken. A live camera has two, and what
    waits too long is filled again and counted as dropped; any other has one, so that it makes a frame only when the
    last has been taken.
    """

    def __init__(
        self,
        camera: Camera,
        pipeline: Pipeline,
        timeout_s: float,
        first_s: float | None = None,
        first_seq: int = 0,
        allowed: Callable[[], float] = lambda: inf,
        note: Callable[[Prepared], None] | None = None,
    ) -> None:
        """Prepare to capture, counting from `first_seq`, no more than `allowed()` frames a second.

        `note` hears of every frame that is prepared, on the capture thread.

        A camera of which nothing is heard for `timeout_s` seconds is lost; for the first frame it has `first_s`, by
        default a minute.
        """
        self.camera, self._note = camera, note
        self._pipeline, self._timeout_s, self._next_seq = pipeline, timeout_s, first_seq
        self._free_seq = first_seq
        """The number after the last frame that was taken."""

        self._told = 0
        """Dropped frames that those which were taken have told of."""

        self._first_s = max(FIRST_FRAME_S if first_s is None else first_s + GRACE_S, timeout_s + GRACE_S)
        # SimpleQueue hands over in C: a Condition's hand-over, in Python, costs twice as much between two invokes.
        self._free: SimpleQueue[Slot] = SimpleQueue()
        self._ready: SimpleQueue[tuple[Prepared, Slot] | Absence | Exception] = SimpleQueue()
        for _ in range(2 if camera.live else 1):
            self._free.put(self._new_slot())
        self._delivered = False
        self.taken = 0
        """Frames that were taken until now."""

        self._begun_s = 0.0
        self._quiet_s = 0.0
        """How long it may be before the next sign of life, beside what the camera itself allows."""

        self._stopping = threading.Event()
        self._allowance = Allowance(camera, allowed, self._stopping.wait)
        self._thread = threading.Thread(target=self._run, name=THREAD, daemon=True)
        self._dropped: Counter[str] = Counter()

    @property
    def dropped(self) -> dict[str, int]:
        """Frames that came to nothing, by reason."""
        return dict(self._dropped)  # copied at once: the thread may meet a new reason while somebody adds them up

    def left(self) -> Left:
        """Return the account of a camera that has been left."""
        dropped = self.dropped
        untold = sum(dropped.values()) - self._told
        return Left(dropped, untold, self.camera.skipped, self._free_seq + untold)

    def _new_slot(self) -> Slot:
        pipeline = self._pipeline
        return Slot(pipeline.input_array(), pipeline)

    def __enter__(self) -> Self:
        self._begun_s = time.monotonic()
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()
        self._thread.join(LEAVE_S)  # a driver that hangs is left behind: the process ends without it

    def stop(self) -> None:
        """Begin to leave the camera."""
        self._stopping.set()
        self._free.put(self._new_slot())  # wakes a thread that waits for one

    def switch(self, pipeline: Pipeline) -> None:
        """Prepare the frames that come from now on for another pipeline; those that wait keep theirs."""
        self._pipeline = pipeline

    def take(self, stopped: Callable[[], bool]) -> Prepared | Absence | None:
        """Wait for the next prepared frame and write it into its pipeline's network.

        While the camera is away, return each failed attempt to find it as an Absence; None once `stopped()` is true.
        Raises EndOfFrames after the last frame of a finite source, and CameraLost where the camera fails for good or
        nothing is heard of it for too long.
        """
        begun_s = time.monotonic() if self._delivered else self._begun_s
        while not stopped():
            try:
                found = self._ready.get(timeout=0.1)  # short, so that a signal is answered soon
            except Empty:
                self._check_time(begun_s)
                continue
            if isinstance(found, Exception):
                raise found
            if isinstance(found, Absence):
                self._quiet_s = found.retry_s + self._timeout_s
                return found
            prepared, slot = found
            slot.pipeline.write(slot.array)
            self._free.put(slot)
            self._delivered, self._quiet_s, self._free_seq = True, 0.0, prepared.seq + 1
            self._told += prepared.dropped
            self.taken += 1
            return prepared
        return None

    def _check_time(self, begun_s: float) -> None:
        limit_s = self._timeout_s + GRACE_S + self._quiet_s if self._delivered else self._first_s
        if time.monotonic() - begun_s > limit_s:
            raise CameraLost(f"the camera delivered no frame for {limit_s:g} s; check cable, power and address")

    def _run(self) -> None:
        try:
            # Opened here as well: a network camera may take long, and a signal must be answered meanwhile.
            with self.camera:
                try:
                    self._deliver_all()
                except Exception as error:  # noqa: BLE001, whatever it is must end the program, not only this thread
                    # Said before the camera is left: a driver may hang there.
                    self._ready.put(error)
        except Exception as error:  # noqa: BLE001, the same
            self._ready.put(error)

    def _deliver_all(self) -> None:
        bad = 0
        slot = self._free.get()
        while not self._stopping.is_set():
            try:
                frame = self._allowance.next_frame()
            except BadFrame as error:  # or one too many
                self._dropped[error.reason] += 1
                bad += 1
                self._next_seq += 1
            except CameraAway as away:
                self._ready.put(away.absence)
                self._stopping.wait(away.absence.retry_s)
            else:
                self._deliver(frame, bad, slot if slot.pipeline is self._pipeline else self._new_slot())
                bad = 0
                slot = self._free.get()

    def _deliver(self, frame: Frame, bad: int, slot: Slot) -> None:
        captured_ns = time.monotonic_ns()
        pixels, dark = slot.pipeline.prepare(frame, slot.array)
        preprocess_ms = (time.monotonic_ns() - captured_ns) / 1e6
        prepared = Prepared(
            pipeline=slot.pipeline,
            seq=self._next_seq,
            dropped=bad + self._drop_what_waits(),
            taken_ns=frame.taken_ns,
            source=frame.source,
            capture_ms=(captured_ns - frame.taken_ns) / 1e6,
            preprocess_ms=preprocess_ms,
            pixels=pixels,
            dark=dark,
        )
        self._next_seq += 1
        if self._note:
            self._note(prepared)
        self._ready.put((prepared, slot))

    def _drop_what_waits(self) -> int:
        """Take back the frame that nobody took; returns how many have been dropped in a row with it."""
        dropped, absence = 0, None
        while True:
            try:
                found = self._ready.get_nowait()
            except Empty:
                break
            assert not isinstance(found, Exception), "after a failure nothing is delivered"  # noqa: S101
            if isinstance(found, Absence):
                absence = found
                continue
            prepared, slot = found
            self._free.put(slot)
            self._dropped["stale"] += 1
            dropped += prepared.dropped + 1
        if absence is not None:
            self._ready.put(absence)
        return dropped
