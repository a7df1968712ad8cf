# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The capture thread: while the network works on one frame, the next is fetched and prepared."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from queue import Empty, SimpleQueue
from typing import Self

from .camera import Absence, BadFrame, Camera, CameraAway, CameraLost, EndOfFrames
from .classifier import Classifier
from .glance import Darkness
from .records import Frame, Prepared
from .runtime import Array
from .view import View

FIRST_FRAME_S = 60.0
"""How long the first frame may take; some network cameras need half a minute."""

GRACE_S = 1.0
"""More than the camera's own limits, for its own words say more than ours."""

LEAVE_S = 1.0
"""What a camera may take to be left; a driver that hangs is left behind."""

THREAD = "capture"


def left_behind() -> bool:
    """Whether a capture thread hangs in its driver, where Python's own way out would hang as well."""
    return any(thread.name == THREAD for thread in threading.enumerate())


class Capture:
    """Keeps the newest prepared frame ready. Use it in a `with` block, which runs the thread.

    Input-shaped arrays go round: `free` ones are filled by the thread, `ready` ones wait to be taken. A live camera has
    two, and what waits too long is filled again and counted as dropped; any other has one, so that it makes a frame
    only when the last has been taken.
    """

    def __init__(
        self,
        camera: Camera,
        classifier: Classifier,
        timeout_s: float,
        view: View = View(),  # noqa: B008, frozen
        darkness: Darkness | None = None,
        first_s: float | None = None,
    ) -> None:
        """Prepare to capture.

        A camera of which nothing is heard for `timeout_s` seconds is lost; for the first frame it has `first_s`, by
        default a minute.
        """
        self._camera, self._classifier, self._timeout_s = camera, classifier, timeout_s
        self._view, self._darkness = view, darkness
        self._first_s = max(FIRST_FRAME_S if first_s is None else first_s + GRACE_S, timeout_s + GRACE_S)
        # SimpleQueue hands over in C: a Condition's hand-over, in Python, costs twice as much between two invokes.
        self._free: SimpleQueue[Array] = SimpleQueue()
        self._ready: SimpleQueue[tuple[Prepared, Array] | Absence | Exception] = SimpleQueue()
        for _ in range(2 if camera.live else 1):
            self._free.put(classifier.input_array())
        self._delivered = False
        self._begun_s = 0.0
        self._quiet_s = 0.0
        """How long it may be before the next sign of life, beside what the camera itself allows."""

        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=THREAD, daemon=True)
        self.dropped: Counter[str] = Counter()
        """Frames that came to nothing, by reason."""

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
        self._free.put(self._classifier.input_array())  # wakes a thread that waits for one

    def frames(self, write: Callable[[Array], None], stopped: Callable[[], bool]) -> Iterator[Prepared | Absence]:
        """Yield all that `take` gives, until the source ends or `stopped()` is true."""
        try:
            while (found := self.take(write, stopped)) is not None:
                yield found
        except EndOfFrames:
            return

    def take(self, write: Callable[[Array], None], stopped: Callable[[], bool]) -> Prepared | Absence | None:
        """Wait for the next prepared frame and hand its array to `write`, which must copy it.

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
            prepared, array = found
            write(array)
            self._free.put(array)
            self._delivered, self._quiet_s = True, 0.0
            return prepared
        return None

    def _check_time(self, begun_s: float) -> None:
        limit_s = self._timeout_s + GRACE_S + self._quiet_s if self._delivered else self._first_s
        if time.monotonic() - begun_s > limit_s:
            raise CameraLost(f"the camera delivered no frame for {limit_s:g} s; check cable, power and address")

    def _run(self) -> None:
        try:
            # Opened here as well: a network camera may take long, and a signal must be answered meanwhile.
            with self._camera:
                try:
                    self._deliver_all()
                except Exception as error:  # noqa: BLE001, whatever it is must end the program, not only this thread
                    # Said before the camera is left: a driver may hang there.
                    self._ready.put(error)
        except Exception as error:  # noqa: BLE001, the same
            self._ready.put(error)

    def _deliver_all(self) -> None:
        seq = bad = 0
        array = self._free.get()
        while not self._stopping.is_set():
            try:
                frame = self._camera.capture()
            except BadFrame as error:
                self.dropped[error.reason] += 1
                bad += 1
            except CameraAway as away:
                self._ready.put(away.absence)
                self._stopping.wait(away.absence.retry_s)
            else:
                self._deliver(frame, seq + bad, bad, array)
                seq, bad = seq + bad + 1, 0
                array = self._free.get()

    def _deliver(self, frame: Frame, seq: int, bad: int, array: Array) -> None:
        captured_ns = time.monotonic_ns()
        pixels = self._view.of(frame.pixels)
        self._classifier.prepare(pixels, array)
        dark = self._darkness is not None and self._darkness.covers(pixels, frame.taken_ns)
        capture_ms = (captured_ns - frame.taken_ns) / 1e6
        preprocess_ms = (time.monotonic_ns() - captured_ns) / 1e6
        dropped = bad + self._drop_what_waits()
        prepared = Prepared(seq, dropped, frame.taken_ns, frame.source, capture_ms, preprocess_ms, pixels, dark)
        self._ready.put((prepared, array))

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
            prepared, array = found
            self._free.put(array)
            self.dropped["stale"] += 1
            dropped += prepared.dropped + 1
        if absence is not None:
            self._ready.put(absence)
        return dropped
