# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The Pi's own camera, through picamera2, which comes from apt and never from pip."""

import sys
import time
from concurrent.futures import CancelledError
from contextlib import suppress
from importlib import invalidate_caches
from typing import Any, Self

import cv2
import numpy as np

from ..errors import CameraLost
from ..glance import Freeze
from ..images import Pixels
from ..preprocess import Size
from ..records import Frame
from .absence import CameraAway, Search
from .attached import Attached
from .lores import Aim, lores_for
from .pace import Rate

CONTINUOUS = 2
"""libcamera's AfModeContinuous: without it, a Camera Module 3 stays at whatever distance it had."""

WAIT_S = 0.5
"""For a job at a time; the same job is waited for again."""

REAP_S = 0.2
"""For a job that was cancelled: it may have been done just then, and its request is ours to release."""


class PiCamera:
    """Delivers the sensor's frames. Opened once in a process's life: libcamera leaks when it is opened again.

    Whatever happens after that is for a new process; a camera that is not there yet is waited for.
    """

    live = True

    def __init__(
        self,
        number: int,
        main: Size,
        max_fps: float,
        timeout_s: float,
        search: Search,
        frozen_s: float = 0.0,
        aim: Aim | None = None,
    ) -> None:
        """`main` is the size asked for where the image processor cannot deliver what `aim` needs."""
        self.skipped = 0
        self._number, self._main, self._timeout_s, self._search = number, main, timeout_s, search
        self._max_fps, self._frame_us = max_fps, round(1e6 / max_fps)
        self._rate, self._freeze = Rate(max_fps), Freeze(frozen_s)
        self._aim = aim
        self._camera: Any = None
        self._job: Any = None
        self._failed: str | None = None
        """Why it could not be opened; a second try is for another process."""

        self._stream, self._width, self._yuv = "main", main.width, False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        if self._camera is not None:
            self._let_go()
            self._camera.close()

    def capture(self) -> Frame:
        try:
            if self._camera is None or self._failed:
                self._open()
        except CameraLost as error:
            raise CameraAway(self._search.missed(str(error))) from None
        while True:
            request = self._request()
            try:
                taken_ns = int(request.get_metadata()["SensorTimestamp"])
                pixels = self._pixels(request) if self._rate.admits(taken_ns) else None
            finally:
                request.release()
            if pixels is not None:
                break
        if self._freeze.holds(pixels, taken_ns):
            raise self._lost(f"has shown the same pictures for {self._freeze.limit_s:g} s")
        self._search.found()
        return Frame(pixels, taken_ns)

    def skip(self) -> None:
        if self._camera is None or self._failed:
            self.capture()  # which opens it, or says why not
            return
        while True:
            request = self._request()
            try:
                admitted = self._rate.admits(int(request.get_metadata()["SensorTimestamp"]))
            finally:
                request.release()
            if admitted:
                self._search.found()
                return

    def limit(self, fps: float) -> None:
        self._frame_us = round(1e6 / min(fps, self._max_fps))
        if self._camera is not None and not self._failed:
            # A frame that the sensor does not read out costs nothing; one that cannot wait so long comes sooner.
            self._camera.set_controls({"FrameDurationLimits": (self._frame_us, self._frame_us)})

    def _open(self) -> None:
        if self._failed:
            raise CameraLost(self._failed)
        camera_class = _imported()
        found = [int(info.get("Num", place)) for place, info in enumerate(camera_class.global_camera_info())]
        if self._number not in found:
            there = f"there are {found}" if found else "there is none"
            raise CameraLost(f"camera {self._number} cannot be opened ({there}); check the ribbon cable")
        try:
            self._camera = camera_class(self._number)
            self._configure(str(getattr(getattr(camera_class, "platform", None), "name", "VC4")))
            self._camera.start()
        except (RuntimeError, IndexError, OSError) as error:
            self._failed = f"camera {self._number} cannot be opened ({error}); check the ribbon cable"
            raise CameraLost(self._failed) from error

    def _configure(self, platform: str) -> None:
        controls: dict[str, object] = {"FrameDurationLimits": (self._frame_us, self._frame_us)}
        if "AfMode" in self._camera.camera_controls:
            controls["AfMode"] = CONTINUOUS
        lores, asked = lores_for(self._aim, self._main), None
        if lores:
            # Up to the Pi 4 a second stream can only be YUV; below 1280x720 it is BT.601, which OpenCV takes it for.
            form = "BGR888" if platform == "PISP" else "YUV420"
            asked = {"format": form, "size": tuple(lores.size), "preserve_ar": lores.keeps_shape}
        self._camera.configure(
            self._camera.create_video_configuration(
                # "BGR888" is red, green, blue in memory: picamera2 names the bytes of a little-endian word.
                main={"format": "BGR888", "size": tuple(self._main)},
                lores=asked,
                controls=controls,
                buffer_count=4,
                queue=False,  # a queued frame may be older than the request for it
            )
        )
        self._stream = "lores" if asked else "main"
        got = self._camera.stream_configuration(self._stream)
        wanted = asked["format"] if asked else "BGR888"
        if got["format"] != wanted:
            raise RuntimeError(f"its {self._stream} stream is {got['format']} instead of {wanted}")
        self._width, self._yuv = int(got["size"][0]), wanted == "YUV420"

    def _request(self) -> Any:
        """Wait for a completed request, which must be released.

        One job is kept until it is done: a second would leave the first's frame to nobody, a buffer lost for good.
        """
        until_s = time.monotonic() + self._timeout_s
        self._job = self._job or self._camera.capture_request(wait=False)
        while True:
            left_s = until_s - time.monotonic()
            try:
                request = self._job.get_result(timeout=max(0.0, min(WAIT_S, left_s)))
            except TimeoutError:
                if left_s <= WAIT_S:
                    raise self._lost(f"delivers no frames for {self._timeout_s:g} s") from None
                continue
            except (RuntimeError, OSError, CancelledError) as error:
                self._job = None
                raise self._lost(f"fails ({error})") from error
            self._job = None
            return request

    def _pixels(self, request: Any) -> Pixels:
        array = request.make_array(self._stream)
        if not self._yuv:
            return np.ascontiguousarray(array, dtype=np.uint8)
        # libcamera's YUV420 is I420, U before V; OpenCV's YUV420p, which picamera2's manual uses, is V before U.
        # Rows are as long as the stride, which may exceed the picture's width: converted whole, then cut.
        pixels: Pixels = cv2.cvtColor(array, cv2.COLOR_YUV2RGB_I420)[:, : self._width].astype(np.uint8, copy=False)
        return pixels

    def _lost(self, how: str) -> CameraLost:
        """Give up what is pending; the process is to end, and a new one starts afresh."""
        self._let_go()
        return CameraLost(f"camera {self._number} {how}; check the ribbon cable")

    def _let_go(self) -> None:
        """Cancel the pending job; one that was done just then has a request, which is released."""
        job, self._job = self._job, None
        if job is not None:
            self._camera.cancel_all_and_flush()
            with suppress(TimeoutError, CancelledError, RuntimeError):
                job.get_result(timeout=REAP_S).release()


def _imported() -> Any:
    """Return picamera2's class. Raises CameraLost, with the remedy, while it is not there; apt may bring it."""
    invalidate_caches()
    try:
        from picamera2 import Picamera2
    except (ImportError, ValueError) as error:
        raise CameraLost(_why(error)) from None
    return Picamera2


def _why(error: Exception) -> str:
    if isinstance(error, ValueError):  # apt's build meets a numpy 2
        return f"picamera2 cannot be imported ({error}); on Bookworm it needs numpy below 2"
    if not any(path.endswith("/dist-packages") for path in sys.path):
        return f"picamera2 cannot be imported ({error}); make the virtual environment with --system-site-packages"
    return f"picamera2 cannot be imported ({error}); run: sudo apt install -y python3-picamera2 --no-install-recommends"


def pi_cameras() -> list[Attached]:
    """Return what libcamera knows; nothing where picamera2 cannot be imported."""
    try:
        camera_class = _imported()
    except CameraLost:
        return []
    found = []
    for place, info in enumerate(camera_class.global_camera_info()):
        number, model, path = info.get("Num", place), str(info.get("Model", "?")), str(info.get("Id", "?"))
        # libcamera lists USB cameras too; those have neither a second stream nor frame durations.
        usb = "usb" in path.lower()
        remedy = "use its v4l2:/dev/video…" if usb else ""
        found.append(Attached(f"picamera2:{number}", model, "libcamera", path, not usb, remedy))
    return found
