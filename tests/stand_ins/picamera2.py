# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Stands in for picamera2 where there is no Pi: its documented rules of jobs, requests, buffers and streams.

- `capture_request(wait=False)` gives a job; its `get_result` gives a request, or TimeoutError while the job stays in
  the list: when frames come again it takes one, which somebody must release. `cancel_all_and_flush` empties the list.
- A request holds one of `buffer_count` buffers until it is released. When none is left, no frame comes any more.
- A `lores` stream is no larger than `main`, YUV up to the Pi 4, RGB too on a Pi 5; it takes main's crop, squashed,
  unless it has `preserve_ar`. Rows are padded to a stride, which arrays of YUV keep.

The environment chooses a FAULT and a PLATFORM; ACCOUNT is a file in which everything is counted.
"""

import json
import os
import threading
import time
from concurrent.futures import CancelledError, Future
from enum import Enum
from pathlib import Path

import cv2
import numpy as np

FAULT = os.environ.get("FAULT", "")
SENSOR = (640, 480)
EXPOSURE_TO_ARRIVAL_NS = 15_000_000

account = {
    **dict.fromkeys(("opened", "closed", "jobs", "taken", "released", "flushed", "starved", "polled"), 0),
    "config": None,
    "controls_set": [],
    "most_pending": 0,
    "most_held": 0,
}
lock = threading.RLock()


def tell():
    with lock:
        unfinished = Path(os.environ["ACCOUNT"] + ".new")
        unfinished.write_text(json.dumps(account))
        unfinished.replace(os.environ["ACCOUNT"])


def count(name, by=1):
    with lock:
        account[name] += by


class Platform(Enum):
    """Which image processor: up to the Pi 4, or a Pi 5's."""

    VC4 = 0
    PISP = 1


def scene(number):
    """What the sensor sees: red in the centred square, blue beside it, and noise."""
    picture = np.full((SENSOR[1], SENSOR[0], 3), (20, 30, 250), np.uint8)
    side = SENSOR[1]
    left = (SENSOR[0] - side) // 2
    picture[:, left : left + side] = (250, 30, 20)
    noise = 0 if FAULT == "frozen" and number > 3 else number
    picture[::7, ::5, 1] = noise * 37 % 60
    return picture


def scaled(picture, size, preserve_ar):
    width, height = size
    if preserve_ar:
        scale = min(picture.shape[1] / width, picture.shape[0] / height)
        across, down = round(width * scale), round(height * scale)
        left, top = (picture.shape[1] - across) // 2, (picture.shape[0] - down) // 2
        picture = picture[top : top + down, left : left + across]
    return cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)


class Request:
    """A completed frame, and the buffer that it is in."""

    def __init__(self, camera, number):
        self._camera, self._number, self._released = camera, number, False
        self._stamp = time.monotonic_ns() - EXPOSURE_TO_ARRIVAL_NS

    def make_array(self, name):
        assert not self._released, "a released request's memory is the camera's again"
        if FAULT == "array" and self._number == 3:
            raise RuntimeError("the buffer cannot be mapped")
        config = self._camera.stream_configuration(name)
        picture = scaled(scene(self._number), config["size"], config["preserve_ar"])
        if config["format"] == "BGR888":
            return picture
        assert config["format"] == "YUV420"
        planes = cv2.cvtColor(picture, cv2.COLOR_RGB2YUV_I420)
        width, height = config["size"]
        stride = config["stride"]
        padded = np.zeros(stride * height * 3 // 2, np.uint8)  # what is beside the picture is green
        luma = padded[: stride * height].reshape(height, stride)
        luma[:, :width] = planes[:height]
        chroma = padded[stride * height :].reshape(height, stride // 2)
        chroma[:, : width // 2] = planes[height:].reshape(height, width // 2)
        return padded.reshape(height * 3 // 2, stride)

    def get_metadata(self):
        assert not self._released
        return {"SensorTimestamp": self._stamp, "ExposureTime": 10_000}

    def release(self):
        assert not self._released, "released twice"
        self._released = True
        count("released")
        self._camera.give_back()


class Job:
    """A wish for the next frame."""

    def __init__(self):
        self.future = Future()
        self.future.set_running_or_notify_cancel()

    def get_result(self, timeout=None):
        return self.future.result(timeout=timeout)


class Picamera2:
    """The camera."""

    platform = Platform[os.environ.get("PLATFORM", "VC4")]

    @staticmethod
    def global_camera_info():
        count("polled")
        if FAULT == "absent" or (FAULT == "later" and account["polled"] < 3):
            tell()
            return []
        usb = {"Num": 2, "Model": "USB Camera", "Id": r"\_SB_.PCI0.usb-1.2:1.0", "Location": 0}
        pi = [{"Num": number, "Model": "imx219", "Id": f"/base/soc/i2c0mux/imx219@1{number}"} for number in range(2)]
        return [*pi, usb]

    def __init__(self, number):
        count("opened")
        tell()
        assert account["opened"] == 1, "one Picamera2 in a process's life"
        if FAULT == "busy":
            raise RuntimeError("Failed to acquire camera: Device or resource busy")
        self.camera_controls = {"AfMode": (0, 2, 0)} if os.environ.get("AUTOFOCUS") else {}
        self._config, self._number = None, number
        self._started = threading.Event()
        self._over = threading.Event()
        self._jobs = []
        self._held = 0
        self._loop = threading.Thread(target=self._run, daemon=True)

    def create_video_configuration(self, **what):
        assert set(what) <= {"main", "lores", "controls", "buffer_count", "queue"}
        return what

    def configure(self, config):
        main, lores = config["main"], config["lores"]
        if lores:
            if lores["size"][0] > main["size"][0] or lores["size"][1] > main["size"][1]:
                raise RuntimeError("lores stream dimensions may not exceed main stream")
            if self.platform is Platform.VC4 and lores["format"] != "YUV420":
                raise RuntimeError("lores stream must be YUV")
        for stream in filter(None, (main, lores)):
            if any(edge % 2 for edge in stream["size"]):
                raise RuntimeError("width and height should be even")
        self._config = config
        account["config"] = config | {"number": self._number}
        tell()

    def stream_configuration(self, name):
        asked = self._config[name]
        form = "XBGR8888" if FAULT == "format" else asked["format"]
        bytes_wide = asked["size"][0] * (1 if form == "YUV420" else 3)
        stride = -(-bytes_wide // 64) * 64
        return {"preserve_ar": name == "main"} | asked | {"format": form, "stride": stride}

    def set_controls(self, controls):
        unknown = set(controls) - {"FrameDurationLimits", *self.camera_controls}
        if unknown:
            raise RuntimeError(f"Control {unknown.pop()} is not advertised by libcamera")
        self._config["controls"].update(controls)
        account["controls_set"].append(controls)
        tell()

    def start(self):
        if FAULT == "start":
            raise RuntimeError("Failed to start camera")
        assert self._config["queue"] is False, "a queued frame may be older than the request for it"
        self._started.set()
        self._loop.start()

    def _run(self):
        """The camera's event loop: a frame for the oldest job, as often as the frame duration says."""
        number = 0
        while not self._over.wait(self._config["controls"]["FrameDurationLimits"][0] / 1e6):
            number += 1
            if FAULT in ("stall", "late", "stuck") and number > 5:
                continue
            if FAULT == "hiccup" and number == 5:
                self._over.wait(0.8)
            if FAULT == "cancelled" and number >= 5:
                self.cancel_all_and_flush()
            self._complete(number)

    def _complete(self, number):
        with lock:
            if self._held >= self._config["buffer_count"]:
                account["starved"] += 1
                return
            if not self._jobs:
                return
            job = self._jobs.pop(0)
            self._held += 1
            account["taken"] += 1
            account["most_held"] = max(account["most_held"], self._held)
        job.future.set_result(Request(self, number))

    def give_back(self):
        with lock:
            self._held -= 1
        tell()

    def capture_request(self, wait=None):
        assert self._started.is_set()
        assert wait is False, "a timed-out wait would leave its job in the list"
        job = Job()
        with lock:
            self._jobs.append(job)
            account["jobs"] += 1
            account["most_pending"] = max(account["most_pending"], len(self._jobs))
        return job

    def cancel_all_and_flush(self):
        if FAULT == "late":
            self._complete(99)  # the frame came just between the time-out and this
        with lock:
            jobs, self._jobs = self._jobs, []
            account["flushed"] += 1
        for job in jobs:
            job.future.set_exception(CancelledError())
        tell()

    def close(self):
        if FAULT == "stuck":
            threading.Event().wait()  # as stop() does when the cable is out
        self._over.set()
        account["closed"] += 1
        account["left_pending"] = len(self._jobs)
        tell()
