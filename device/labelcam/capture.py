# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The capture thread: while the network works on one frame, the next is fetched and prepared."""

import threading
import time
from collections.abc import Callable, Iterator
from queue import Empty, SimpleQueue
from typing import Self

from .camera import Camera, CameraLost, EndOfFrames
from .classifier import Classifier
from .records import Frame, Prepared
from .runtime import Array

FIRST_FRAME_S = 60.0
"""How long the first frame may take; some network cameras need half a minute."""


class Capture:
    """Keeps the newest prepared frame ready. Use it in a `with` block, which runs the thread.

    Input-shaped arrays go round: `free` ones are filled by the thread, `ready` ones wait to be taken. A live camera has
    two, and what waits too long is filled again and counted as dropped; any other has one, so that it makes a frame
    only when the last has been taken.
    """

    def __init__(self, camera: Camera, classifier: Classifier, timeout_s: float) -> None:
        self._camera, self._classifier, self._timeout_s = camera, classifier, timeout_s
        # SimpleQueue hands over in C: a Condition's hand-over, in Python, costs twice as much between two invokes.
        self._free: SimpleQueue[Array] = SimpleQueue()
        self._ready: SimpleQueue[tuple[Prepared, Array] | Exception] = SimpleQueue()
        for _ in range(2 if camera.live else 1):
            self._free.put(classifier.input_array())
        self._delivered = False
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="capture", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._stopping = True
        self._free.put(self._classifier.input_array())  # wakes a thread that waits for one
        self._thread.join(2.0)  # a driver that hangs is left behind: the process ends without it

    def frames(self, write: Callable[[Array], None], stopped: Callable[[], bool]) -> Iterator[Prepared]:
        """Yield every frame that `take` gives, until the source ends or `stopped()` is true."""
        try:
            while (prepared := self.take(write, stopped)) is not None:
                yield prepared
        except EndOfFrames:
            return

    def take(self, write: Callable[[Array], None], stopped: Callable[[], bool]) -> Prepared | None:
        """Wait for the next prepared frame and hand its array to `write`, which must copy it.

        Returns None once `stopped()` is true. Raises EndOfFrames after the last frame of a finite source, and
        CameraLost where the camera fails or delivers nothing for too long.
        """
        begun = time.monotonic()
        while not stopped():
            try:
                found = self._ready.get(timeout=0.1)  # short, so that a signal is answered soon
            except Empty:
                self._check_time(begun)
                continue
            if isinstance(found, Exception):
                raise found
            prepared, array = found
            write(array)
            self._free.put(array)
            self._delivered = True
            return prepared
        return None

    def _check_time(self, begun: float) -> None:
        # A second more than the camera's own limit, for its own words say more than ours.
        limit_s = self._timeout_s + 1 if self._delivered else max(FIRST_FRAME_S, self._timeout_s + 1)
        if time.monotonic() - begun > limit_s:
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
        seq = 0
        array = self._free.get()
        while not self._stopping:
            self._deliver(self._camera.capture(), seq, array)
            seq += 1
            array = self._free.get()

    def _deliver(self, frame: Frame, seq: int, array: Array) -> None:
        captured_ns = time.monotonic_ns()
        self._classifier.prepare(frame.pixels, array)
        capture_ms = (captured_ns - frame.taken_ns) / 1e6
        preprocess_ms = (time.monotonic_ns() - captured_ns) / 1e6
        dropped = self._drop_what_waits()
        self._ready.put((Prepared(seq, dropped, frame.taken_ns, frame.source, capture_ms, preprocess_ms), array))

    def _drop_what_waits(self) -> int:
        """Take back the frame that nobody took; returns how many have been dropped in a row with it."""
        try:
            found = self._ready.get_nowait()
        except Empty:
            return 0
        assert not isinstance(found, Exception), "after a failure nothing is delivered"  # noqa: S101
        prepared, array = found
        self._free.put(array)
        return prepared.dropped + 1
