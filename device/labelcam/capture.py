# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The capture thread: while the network works on one frame, the next is fetched and prepared."""

import threading
import time
from collections.abc import Callable, Iterator
from typing import Self

from .camera import Camera, CameraLost, EndOfFrames
from .classifier import Classifier
from .records import Frame, Prepared
from .runtime import Array

FIRST_FRAME_S = 60.0
"""How long the first frame may take; some network cameras need half a minute."""


class Capture:
    """Keeps the newest prepared frame in a slot. Use it in a `with` block, which runs the thread.

    There are two input-shaped arrays: one is being filled while the other waits in the slot. A live camera overwrites
    what waits and counts it as dropped; any other makes a frame only when the slot is free.
    """

    def __init__(self, camera: Camera, classifier: Classifier, timeout_s: float) -> None:
        self._camera, self._classifier, self._timeout_s = camera, classifier, timeout_s
        self._spare, self._waiting = classifier.input_array(), classifier.input_array()
        self._slot: Prepared | None = None
        self._failure: BaseException | None = None
        self._stopping = False
        self._delivered = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="capture", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        self._thread.join(2.0)  # a driver that hangs is left behind: the process ends without it

    def frames(self, write: Callable[[Array], None], stopped: Callable[[], bool]) -> Iterator[Prepared]:
        """Yield every frame that `take` gives, until the source ends or `stopped()` is true."""
        while not stopped():
            try:
                prepared = self.take(write, stopped)
            except EndOfFrames:
                return
            if prepared is not None:
                yield prepared

    def take(self, write: Callable[[Array], None], stopped: Callable[[], bool]) -> Prepared | None:
        """Wait for the next prepared frame and hand its array to `write`, which must copy it.

        Returns None once `stopped()` is true. Raises EndOfFrames after the last frame of a finite source, and
        CameraLost where the camera fails or delivers nothing for too long.
        """
        # A second more than the camera's own limit, for its own words say more than ours.
        limit_s = self._timeout_s + 1 if self._delivered else max(FIRST_FRAME_S, self._timeout_s + 1)
        deadline = time.monotonic() + limit_s
        with self._changed:
            while self._slot is None:
                if stopped():
                    return None
                if self._failure is not None:
                    raise self._failure
                if time.monotonic() > deadline:
                    raise CameraLost(f"the camera delivered no frame for {limit_s:g} s; check cable, power and address")
                self._changed.wait(0.1)  # short, so that a signal is answered soon
            prepared, self._slot = self._slot, None
            self._delivered = True
            write(self._waiting)
            self._changed.notify_all()
            return prepared

    def _run(self) -> None:
        try:
            # Opened here as well: a network camera may take long, and a signal must be answered meanwhile.
            with self._camera:
                seq = 0
                while self._wait_for_room():
                    self._deliver(self._camera.capture(), seq)
                    seq += 1
        except (EndOfFrames, CameraLost) as error:
            self._fail(error)
        except Exception as error:  # noqa: BLE001, whatever it is must end the program, not only this thread
            self._fail(error)

    def _fail(self, error: BaseException) -> None:
        with self._changed:
            self._failure = error
            self._changed.notify_all()

    def _wait_for_room(self) -> bool:
        with self._changed:
            if not self._camera.live:
                self._changed.wait_for(lambda: self._slot is None or self._stopping)
            return not self._stopping

    def _deliver(self, frame: Frame, seq: int) -> None:
        captured_ns = time.monotonic_ns()
        self._classifier.prepare(frame.pixels, self._spare)
        capture_ms = (captured_ns - frame.taken_ns) / 1e6
        preprocess_ms = (time.monotonic_ns() - captured_ns) / 1e6
        with self._changed:
            dropped = self._slot.dropped + 1 if self._slot else 0
            self._slot = Prepared(seq, dropped, frame.taken_ns, frame.source, capture_ms, preprocess_ms)
            self._spare, self._waiting = self._waiting, self._spare
            self._changed.notify_all()
