# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The Pi's own camera, through picamera2, which comes from apt and never from pip."""

from typing import Any, Self

import numpy as np

from ..errors import CameraLost
from ..preprocess import Size
from ..records import Frame
from .spec import CameraSpec


class PiCamera:
    """Delivers the sensor's frames. Opened once in a process's life: libcamera leaks when it is opened again."""

    live = True

    def __init__(self, spec: CameraSpec, size: Size, max_fps: float, timeout_s: float) -> None:
        self.skipped = 0
        self._number = int(spec.target)
        self._size = size
        self._frame_us = round(1e6 / max_fps)
        self._timeout_s = timeout_s
        self._camera: Any = None
        self._job: Any = None

    def __enter__(self) -> Self:
        try:
            from picamera2 import Picamera2
        except (ImportError, ValueError) as error:  # ValueError: apt's build meets a numpy 2 of the venv
            raise CameraLost(
                f"picamera2 cannot be imported ({error}); run: sudo apt install -y python3-picamera2 "
                "--no-install-recommends, and a venv with --system-site-packages, and on Bookworm numpy below 2"
            ) from None
        try:
            self._camera = Picamera2(self._number)
            self._camera.configure(
                self._camera.create_video_configuration(
                    # "BGR888" is red, green, blue in memory: picamera2 names the bytes of a little-endian word.
                    main={"format": "BGR888", "size": tuple(self._size)},
                    controls={"FrameDurationLimits": (self._frame_us, self._frame_us)},
                    buffer_count=4,
                    queue=False,  # a queued frame may be older than the request for it
                )
            )
            self._camera.start()
        except (RuntimeError, IndexError, OSError) as error:
            self.__exit__()
            raise CameraLost(f"camera {self._number} cannot be opened ({error}); check the ribbon cable") from error
        return self

    def __exit__(self, *exc: object) -> None:
        if self._camera is not None:
            self._camera.close()

    def capture(self) -> Frame:
        # One job is kept until it is done: a second would leave the first's frame to nobody, a buffer lost for good.
        self._job = self._job or self._camera.capture_request(wait=False)
        try:
            request = self._job.get_result(timeout=self._timeout_s)
        except TimeoutError:
            self._camera.cancel_all_and_flush()
            raise CameraLost(
                f"camera {self._number} delivers no frames for {self._timeout_s:g} s; check the ribbon cable"
            ) from None
        self._job = None
        try:
            pixels = np.ascontiguousarray(request.make_array("main"), dtype=np.uint8)
            taken_ns = int(request.get_metadata()["SensorTimestamp"])
        finally:
            request.release()
        return Frame(pixels, taken_ns)
