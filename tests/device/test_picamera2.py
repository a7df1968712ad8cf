# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Tests PiCamera against a stand-in module that keeps picamera2's documented rules of jobs and requests.

The manual (section 6.1): capture_request(wait=False) returns a job; its get_result gives a request, which must be
released, or its buffer is lost; a job that is forgotten will take a frame that nobody releases.
"""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

STAND_IN = """
import atexit, json, os, threading, time
import numpy as np

FAULT = os.environ.get("FAULT", "")
account = {"opened": 0, "closed": 0, "jobs": 0, "requests": 0, "released": 0, "flushed": 0, "pending": 0,
           "config": None}

def tell():
    with open(os.environ["ACCOUNT"], "w") as file:
        json.dump(account, file)

class Request:
    def __init__(self, number):
        self.number = number
        account["requests"] += 1
    def make_array(self, name):
        assert name == "main"
        if FAULT == "array" and self.number == 3:
            raise RuntimeError("the buffer cannot be mapped")
        if FAULT == "many":
            time.sleep(0.001)
        return np.full((480, 640, 3), (250, 30, 20), np.uint8)
    def get_metadata(self):
        return {"SensorTimestamp": time.monotonic_ns() - 15_000_000}
    def release(self):
        account["released"] += 1
        assert account["released"] <= account["requests"]
        tell()

class Job:
    def __init__(self, number):
        self.number = number
    def get_result(self, timeout=None):
        if FAULT == "stall" and self.number == 5:
            time.sleep(timeout)
            raise TimeoutError
        time.sleep(0.01)
        account["pending"] -= 1
        return Request(self.number)

class Picamera2:
    def __init__(self, number):
        if FAULT == "absent":
            raise IndexError("list index out of range")
        account["opened"] += 1
        self.started = False
    def create_video_configuration(self, **what):
        return what
    def configure(self, config):
        account["config"] = {"format": config["main"]["format"], "size": list(config["main"]["size"]),
                             "limits": list(config["controls"]["FrameDurationLimits"]),
                             "queue": config["queue"], "buffer_count": config["buffer_count"]}
    def start(self):
        if FAULT == "start":
            raise RuntimeError("Failed to start camera")
        self.started = True
    def capture_request(self, wait=None):
        assert self.started and wait is False
        account["jobs"] += 1
        account["pending"] += 1
        assert account["pending"] == 1, "a second job while the first is pending loses a buffer"
        return Job(account["jobs"])
    def cancel_all_and_flush(self):
        account["flushed"] += 1
        account["pending"] = 0
        tell()
    def close(self):
        account["closed"] += 1
        tell()
"""


@pytest.fixture
def on_a_pi(tmp_path: Path, environment: dict[str, str], colours: Path) -> Callable[..., Any]:
    """Run the real command where `import picamera2` finds the stand-in; returns the process and its account."""
    (tmp_path / "picamera2.py").write_text(STAND_IN)
    told = tmp_path / "account.json"

    def run(fault: str, *arguments: str) -> tuple["subprocess.CompletedProcess[str]", dict[str, Any]]:
        env = environment | {"PYTHONPATH": str(tmp_path), "FAULT": fault, "ACCOUNT": str(told)}
        settings = tmp_path / "labelcam.toml"
        settings.write_text("[camera]\ntimeout_seconds = 0.5\n[limits]\nmax_fps = 20\n")
        command = [sys.executable, "-m", "labelcam", "run", "--settings", settings, "--model", colours, *arguments]
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=60)
        return done, json.loads(told.read_text()) if told.is_file() else {}

    return run


def test_frames_are_rgb_and_every_request_is_released(on_a_pi: Callable[..., Any]) -> None:
    """What the sensor sees in red is classified as red, stamped at the sensor, and no buffer is kept."""
    done, account = on_a_pi("", "--camera", "picamera2:1", "--frames", "10", "--json")
    assert done.returncode == 0, done.stderr
    readings = [json.loads(line) for line in done.stdout.splitlines()]
    assert {reading["label"] for reading in readings} == {"red"}
    assert min(reading["age_ms"] for reading in readings) >= 15
    asked = {"format": "BGR888", "size": [640, 480], "limits": [50_000, 50_000], "queue": False, "buffer_count": 4}
    assert account["config"] == asked
    assert (account["opened"], account["closed"]) == (1, 1)
    assert account["released"] == account["requests"] >= 10


def test_a_request_is_released_even_when_its_pixels_cannot_be_read(on_a_pi: Callable[..., Any]) -> None:
    """A failure between request and release must not cost a buffer, and ends the program."""
    done, account = on_a_pi("array", "--frames", "10")
    assert done.returncode != 0
    assert "the buffer cannot be mapped" in done.stderr
    assert account["released"] == account["requests"]
    assert account["closed"] == 1


def test_a_camera_that_stalls_is_lost_and_its_job_cancelled(
    on_a_pi: Callable[..., Any], the_error: Callable[[str], str]
) -> None:
    """No frame for the time-out: exit 74, the pending job cancelled and never replaced by a second."""
    done, account = on_a_pi("stall")
    assert done.returncode == 74
    assert re.search(r"no frames? for 0\.5 s", the_error(done.stderr))
    assert (account["flushed"], account["jobs"], account["pending"]) == (1, 5, 0)
    assert account["released"] == account["requests"] == 4


@pytest.mark.parametrize(("fault", "told"), [("absent", "cannot be opened"), ("start", "Failed to start camera")])
def test_a_camera_that_cannot_be_opened_is_lost(
    fault: str, told: str, on_a_pi: Callable[..., Any], the_error: Callable[[str], str]
) -> None:
    """No ribbon cable, or another program that holds the camera: exit 74 and where to look."""
    done, account = on_a_pi(fault)
    assert done.returncode == 74
    assert told in the_error(done.stderr)
    assert account.get("opened", 0) == account.get("closed", 0)


def test_without_picamera2_the_remedy_is_apt(
    labelcam: Callable[..., Any], colours: Path, the_error: Callable[[str], str]
) -> None:
    """picamera2 is never on the package index; the error names the Debian package."""
    done = labelcam("run", "--model", colours)
    if "cannot be imported" not in done.stderr and Path("/usr/lib/python3/dist-packages/picamera2").exists():
        pytest.skip("this machine has picamera2")
    assert done.returncode == 74
    assert "sudo apt install -y python3-picamera2" in the_error(done.stderr)
