# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""PiCamera against a stand-in that keeps picamera2's rules: stand_ins/picamera2.py says which."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from labelcam.camera.lores import Aim, Lores, lores_for
from labelcam.preprocess import Fit, Preprocess, Size
from labelcam.view import Region, View

STAND_INS = Path(__file__).parents[1] / "stand_ins"
MAIN = Size(640, 480)

SETTINGS = """
[camera]
timeout_seconds = 1.0
start_seconds = {}
{}
[limits]
max_fps = 20
"""


class OnAPi:
    """Runs the real command where `import picamera2` finds the stand-in."""

    def __init__(self, folder: Path, environment: dict[str, str], model: Path) -> None:
        self._folder, self._environment, self._model = folder, environment, model
        self._account = folder / "account.json"

    def start(
        self, fault: str, *arguments: str, settings: str = "", installed: Path = STAND_INS, start_s: int = 1, **env: str
    ) -> "subprocess.Popen[str]":
        path = os.pathsep.join([str(installed), os.environ.get("PYTHONPATH", "")])
        env = self._environment | {"PYTHONPATH": path, "FAULT": fault, "ACCOUNT": str(self._account)} | env
        file = self._folder / "labelcam.toml"
        file.write_text(SETTINGS.format(start_s, settings))
        command = [sys.executable, "-m", "labelcam", "run", "--settings", file, "--model", self._model, *arguments]
        return subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def run(self, fault: str, *arguments: str, settings: str = "", **env: str) -> tuple[int, str, str, dict[str, Any]]:
        process = self.start(fault, *arguments, settings=settings, **env)
        stdout, stderr = process.communicate(timeout=60)
        return process.returncode, stdout, stderr, self.account()

    def account(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self._account.read_text()) if self._account.is_file() else {}
        return found


@pytest.fixture
def on_a_pi(tmp_path: Path, environment: dict[str, str], colours: Path) -> OnAPi:
    return OnAPi(tmp_path, environment, colours)


def labels(stdout: str) -> list[str]:
    return [label for line in stdout.splitlines() if (label := json.loads(line)["label"])]


@pytest.mark.parametrize(("platform", "form"), [("VC4", "YUV420"), ("PISP", "BGR888")])
def test_the_image_processor_delivers_what_the_network_takes(on_a_pi: OnAPi, platform: str, form: str) -> None:
    """A small stream, cut to the network's shape: YUV up to the Pi 4, RGB on a Pi 5; what is red comes out red."""
    code, stdout, stderr, account = on_a_pi.run(
        "", "--camera", "picamera2:1", "--frames", "10", "--json", PLATFORM=platform
    )
    assert code == 0, stderr
    assert set(labels(stdout)) == {"red"}
    assert min(json.loads(line)["age_ms"] for line in stdout.splitlines()) >= 15  # stamped at the sensor
    config = account["config"]
    assert config["main"] == {"format": "BGR888", "size": [640, 480]}
    assert config["lores"] == {"format": form, "size": [88, 66], "preserve_ar": True}  # 11 times 8x6
    assert config["controls"] == {"FrameDurationLimits": [50_000, 50_000]}
    assert (config["queue"], config["buffer_count"], config["number"]) == (False, 4, 1)
    assert (account["opened"], account["closed"], account["left_pending"]) == (1, 1, 0)


def test_no_buffer_is_ever_lost(on_a_pi: OnAPi) -> None:
    """Every request is released before the next is asked for: one job and one buffer at a time, however long."""
    code, _, stderr, account = on_a_pi.run("", "--frames", "60", "--json")
    assert code == 0, stderr
    assert account["released"] == account["taken"] >= 60
    assert (account["most_pending"], account["most_held"], account["starved"]) == (1, 1, 0)


def test_whoever_keeps_requests_stalls_the_camera(tmp_path: Path) -> None:
    """The stand-in knows the leak that it is there for: a job that timed out and was forgotten costs a buffer."""
    program = """
import os, time
from picamera2 import Picamera2, account
camera = Picamera2(0)
stream = {"format": "BGR888", "size": (64, 64)}
limits = {"FrameDurationLimits": (20_000, 20_000)}
camera.configure({"main": stream, "lores": None, "controls": limits, "queue": False, "buffer_count": 4})
camera.start()
for _ in range(4):
    try:
        camera.capture_request(wait=False).get_result(timeout=0.0)
    except TimeoutError:
        pass
time.sleep(0.5)
try:
    camera.capture_request(wait=False).get_result(timeout=0.5)
except TimeoutError:
    print("starved", account["starved"] > 0, account["most_held"])
"""
    env = {"PYTHONPATH": str(STAND_INS), "ACCOUNT": str(tmp_path / "account")}
    done = subprocess.run([sys.executable, "-c", program], env=env, capture_output=True, text=True, timeout=60)
    assert done.stdout == "starved True 4\n", done.stderr


def test_a_region_is_cut_from_the_main_stream(on_a_pi: OnAPi) -> None:
    """What the image processor cannot cut out is cut out by us: beside the centre everything is blue."""
    code, stdout, stderr, account = on_a_pi.run("", "--frames", "3", "--json", settings="region = [0.0, 0.0, 0.1, 1.0]")
    assert code == 0, stderr
    assert set(labels(stdout)) == {"blue"}
    assert account["config"]["lores"] is None


def test_a_lens_that_can_focus_is_focused(on_a_pi: OnAPi) -> None:
    """Continuous autofocus, where the camera has one."""
    account = on_a_pi.run("", "--frames", "2", AUTOFOCUS="1")[-1]
    assert account["config"]["controls"]["AfMode"] == 2


def test_a_request_is_released_even_when_its_pixels_cannot_be_read(on_a_pi: OnAPi) -> None:
    """A failure between request and release must not cost a buffer, and ends the program."""
    code, _, stderr, account = on_a_pi.run("array", "--frames", "10")
    assert code != 0
    assert "the buffer cannot be mapped" in stderr
    assert account["released"] == account["taken"]
    assert account["closed"] == 1


def test_a_camera_that_stalls_is_lost_and_its_job_flushed(on_a_pi: OnAPi, the_error: Callable[[str], str]) -> None:
    """No frame for the time-out: exit 74; the pending job is cancelled, never replaced by a second or forgotten."""
    code, stdout, stderr, account = on_a_pi.run("stall", "--json")
    assert code == 74
    said, _, error = stderr.rstrip().rpartition("\n")
    assert re.search(r"camera 0 delivers no frames for 1 s; check the ribbon cable", the_error(error))
    assert " frames in " in said
    assert (account["flushed"], account["most_pending"], account["left_pending"]) == (1, 1, 0)
    assert 1 <= account["released"] == account["taken"] <= 5
    last = json.loads(stdout.splitlines()[-1])
    assert (last["camera"], last["state"], last["label"]) == ("lost", None, None)


def test_a_frame_that_comes_while_its_job_is_cancelled_is_released(on_a_pi: OnAPi) -> None:
    """The race between the time-out and the flush costs no buffer either."""
    code, _, _, account = on_a_pi.run("late")
    assert code == 74
    assert 2 <= account["released"] == account["taken"] <= 6


def test_a_hiccup_is_waited_for_with_the_same_job(on_a_pi: OnAPi) -> None:
    """Frames that come late, but in time, find the job that was waiting: no second one is ever made."""
    code, stdout, stderr, account = on_a_pi.run("hiccup", "--frames", "12", "--json")
    assert code == 0, stderr
    assert len(labels(stdout)) == 12
    assert (account["most_pending"], account["starved"]) == (1, 0)
    assert account["released"] == account["taken"]


def test_a_job_that_fails_is_a_lost_camera(on_a_pi: OnAPi) -> None:
    """A job that somebody else cancels ends the process with 74 as well, and everything is given back."""
    code, _, stderr, account = on_a_pi.run("cancelled")
    assert code == 74, stderr
    assert "Traceback" not in stderr
    assert account["released"] == account["taken"]


def test_a_sensor_that_repeats_itself_is_lost(on_a_pi: OnAPi) -> None:
    """The very same pictures without any noise are no pictures: 74, and a fresh start."""
    code, _, stderr, account = on_a_pi.run("frozen", settings="frozen_seconds = 1.0")
    assert code == 74
    assert "has shown the same pictures for 1 s" in stderr
    assert account["released"] == account["taken"]


@pytest.mark.parametrize("fault", ["stuck", ""])
def test_a_driver_that_hangs_in_close_does_not_hang_the_end(on_a_pi: OnAPi, fault: str) -> None:
    """SIGTERM is answered within two seconds with exit code 0, by force where picamera2's stop() blocks for ever."""
    process = on_a_pi.start(fault, "--json", "--frames", "9999")
    assert process.stdout
    process.stdout.readline()
    begun = time.monotonic()
    process.send_signal(signal.SIGTERM)
    _, stderr = process.communicate(timeout=20)
    assert process.returncode == 0
    assert time.monotonic() - begun < 2.5
    assert " frames in " in stderr
    assert on_a_pi.account()["closed"] == (0 if fault else 1)


def test_a_stalled_camera_that_cannot_be_closed_ends_with_74(on_a_pi: OnAPi) -> None:
    """An unplugged ribbon cable: nothing comes, and close() never returns."""
    code, _, stderr, _ = on_a_pi.run("stuck")
    assert code == 74
    assert "delivers no frames" in stderr


@pytest.mark.parametrize(
    ("fault", "told", "opened"),
    [
        ("absent", "cannot be opened (there is none)", 0),
        ("busy", "Device or resource busy", 1),
        ("start", "Failed to start camera", 1),
        ("format", "lores stream is XBGR8888 instead of YUV420", 1),
    ],
)
def test_a_camera_that_cannot_be_opened_is_waited_for_and_lost(
    fault: str, told: str, opened: int, on_a_pi: OnAPi, the_error: Callable[[str], str]
) -> None:
    """No ribbon cable, or another program that holds it: after its time exit 74, and never a second Picamera2."""
    begun = time.monotonic()
    code, _, stderr, account = on_a_pi.run(fault)
    assert code == 74
    assert told in the_error(stderr)
    assert time.monotonic() - begun > 1.0
    assert account["opened"] == opened
    assert account["closed"] == (0 if fault in ("absent", "busy") else 1)


def test_a_camera_that_does_not_exist_is_told_apart(on_a_pi: OnAPi) -> None:
    """The numbers that there are stand in the message."""
    stderr = on_a_pi.run("", "--camera", "picamera2:7", settings="")[2]
    assert "camera 7 cannot be opened (there are [0, 1, 2])" in stderr


def test_a_camera_that_comes_later_is_used(on_a_pi: OnAPi) -> None:
    """Within its time a camera may appear, and then the one Picamera2 is made."""
    code, stdout, stderr, account = on_a_pi.run("later", "--frames", "3", "--json", settings="")
    assert code == 0, stderr
    assert len(labels(stdout)) == 3
    assert "camera-back" in stderr
    assert account["opened"] == 1


def test_without_picamera2_the_remedy_is_apt(
    labelcam: Callable[..., Any], colours: Path, tmp_path: Path, the_error: Callable[[str], str]
) -> None:
    """picamera2 is never on the package index; the error names the Debian package, or the venv that hides it."""
    settings = tmp_path / "labelcam.toml"
    settings.write_text("[camera]\nstart_seconds = 0\n")
    done = labelcam("run", "--model", colours, "--settings", settings)
    if "cannot be imported" not in done.stderr and Path("/usr/lib/python3/dist-packages/picamera2").exists():
        pytest.skip("this machine has picamera2")
    assert done.returncode == 74
    debian = any(path.endswith("/dist-packages") for path in sys.path)
    remedy = "run: sudo apt install -y python3-picamera2" if debian else "--system-site-packages"
    assert remedy in the_error(done.stderr)


def test_picamera2_may_be_installed_while_we_run(on_a_pi: OnAPi, tmp_path: Path) -> None:
    """A Lite image lacks it: the service need not be restarted, nor can it use up its starts meanwhile."""
    process = on_a_pi.start("", "--frames", "3", "--json", installed=tmp_path, start_s=50)
    assert process.stderr
    away = next(line for line in process.stderr if "camera-away" in line)
    assert "picamera2 cannot be imported (No module named 'picamera2')" in away
    shutil.copy(STAND_INS / "picamera2.py", tmp_path)
    stdout, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert len(labels(stdout)) == 3


AIM = Aim(Size(224, 224), Preprocess(), View())


@pytest.mark.parametrize(
    ("aim", "wanted"),
    [
        (AIM, Lores(Size(224, 224), keeps_shape=True)),
        (replace(AIM, how=Preprocess(Fit.SQUEEZE)), Lores(Size(224, 224), keeps_shape=False)),
        (replace(AIM, how=Preprocess(Fit.LETTERBOX)), Lores(Size(224, 168), keeps_shape=True)),
        (replace(AIM, how=Preprocess(fraction=0.875)), Lores(Size(256, 256), keeps_shape=True)),
        (replace(AIM, size=Size(96, 128)), Lores(Size(96, 128), keeps_shape=True)),
        (replace(AIM, size=Size(96, 128), view=View(rotate=90)), Lores(Size(128, 96), keeps_shape=True)),
        (replace(AIM, size=Size(97, 97)), Lores(Size(98, 98), keeps_shape=True)),
        (replace(AIM, size=Size(28, 28)), Lores(Size(84, 84), keeps_shape=True)),
        (replace(AIM, how=Preprocess(Fit.LETTERBOX), view=View(rotate=270)), Lores(Size(224, 168), keeps_shape=True)),
        (replace(AIM, size=Size(512, 512)), None),
        (replace(AIM, view=View(Region(0.1, 0.1, 0.5, 0.5))), None),
        (None, None),
    ],
)
def test_the_small_stream_has_just_the_pixels_that_are_needed(aim: Aim | None, wanted: Lores | None) -> None:
    """Even, not below what image processors do, never enlarged; None where only the main stream serves."""
    assert lores_for(aim, MAIN) == wanted
