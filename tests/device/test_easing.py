# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""What heat does to a run: fewer frames, counted as such, and the reason told."""

import json
import logging
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from math import inf
from pathlib import Path
from typing import Any, Self

import cv2
import numpy as np
import pytest

from labelcam.allowance import WITHHELD, Allowance
from labelcam.camera import BadFrame, CameraAway, CameraLost, Patience, open_camera, parse_spec
from labelcam.camera.absence import Search
from labelcam.camera.pace import Rate
from labelcam.camera.reconnecting import Reconnecting
from labelcam.easing import DEAF_S, Easing, bounds_of
from labelcam.records import Frame, Vitals
from labelcam.restraint import Bounds
from labelcam.sampler import Sample
from labelcam.settings import CameraSettings, LimitsSettings, Settings
from pictures_on_disk import write_png
from recorded_board import INA219, hwmon, write

TESTS = Path(__file__).parents[1]
SECOND_NS = 1_000_000_000
HOT = LimitsSettings(max_fps=10.0, max_celsius=75.0)


def sample(second: float, celsius: float | None = None, watts: float | None = None, throttled: bool = False) -> Sample:
    return Sample(int(second * SECOND_NS), watts, Vitals(watts, celsius, throttled, None), None)


def eased(bounds: Bounds, frames: Callable[[], int] = lambda: 0) -> Easing:
    return Easing(bounds, frames)


def test_the_reason_is_told_with_both_rates_and_the_limit(caplog: pytest.LogCaptureFixture) -> None:
    """In one sentence; the log has it once for each change, however long it goes on."""
    caplog.set_level(logging.INFO)
    easing = eased(Bounds(max_celsius=75, ceiling=10, lowest=0.3))
    for second in range(120):
        easing.take(sample(second, 81.0))
    assert easing.sentence
    assert easing.sentence.endswith(" instead of 10 frames a second: 81 °C is above limits.max_celsius, 75")
    assert easing.limit is not None
    assert easing.limit < 5
    for second in range(120, 1500):
        easing.take(sample(second, 55.0))
    assert (easing.sentence, easing.limit, easing.allowed) == (None, None, inf)
    assert [message.split()[0] for message in caplog.messages] == ["rate-lowered", "rate-restored"]


@pytest.mark.parametrize(
    ("bounds", "told", "why"),
    [
        (Bounds(max_watts=4, ceiling=10), {"watts": 5.0}, "5 W is above limits.max_watts, 4"),
        (Bounds(max_celsius=90, ceiling=10), {"celsius": 60.0, "throttled": True}, "the firmware holds the board back"),
        (Bounds(max_celsius=70, ceiling=10), {"celsius": 69.9}, "70 °C is near limits.max_celsius, 70"),
    ],
)
def test_each_reason_has_its_words(bounds: Bounds, told: dict[str, Any], why: str) -> None:
    """Power, firmware, and a temperature that is kept just below its limit."""
    easing = eased(bounds)
    for second in range(60):
        easing.take(sample(second, **told))
    assert easing.sentence
    assert easing.sentence.endswith(why)


@pytest.mark.parametrize(
    ("bounds", "said"), [(Bounds(max_celsius=75), "max_celsius is 75"), (Bounds(max_watts=4), "max_watts is 4")]
)
def test_a_limit_that_nobody_can_watch_is_remarked(bounds: Bounds, said: str) -> None:
    """Not at once: a meter may just be away. And not any more when it is there."""
    easing = eased(bounds)
    easing.take(sample(0))
    assert easing.sentence is None
    for second in range(1, int(DEAF_S) + 2):
        easing.take(sample(second))
    assert easing.sentence
    assert said in easing.sentence
    easing.take(sample(DEAF_S + 3, 40.0, 3.0))
    assert easing.sentence is None


def test_what_is_reached_is_the_frames_of_the_last_seconds() -> None:
    """Five frames a second are five, whatever the camera was asked for; another camera begins anew."""
    frames = 0
    easing = eased(Bounds(max_celsius=75), lambda: frames)
    for second in range(20):
        easing.take(sample(second, 60.0))
        frames += 5
    for second in range(20, 40):
        easing.take(sample(second, 80.0))
        frames += 5
    assert easing.sentence
    assert "instead of 5 frames" in easing.sentence
    frames = 0
    easing.take(sample(41, 80.0))  # nobody is told a negative rate


def test_the_lowest_rate_keeps_watchdog_and_camera_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """A frame every five seconds at least; more often where a hang would be suspected before."""
    settings, spec = Settings(limits=HOT), parse_spec("v4l2:/dev/video0")
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    assert bounds_of(settings, spec) == Bounds(75.0, 0.0, 10.0, 3 / 10)
    patient = replace(settings, camera=CameraSettings(timeout_seconds=60))
    assert bounds_of(patient, spec).lowest == 1 / 5
    monkeypatch.setenv("NOTIFY_SOCKET", "/run/notify")
    monkeypatch.setenv("WATCHDOG_USEC", "3000000")
    assert bounds_of(patient, spec).lowest == pytest.approx(1 / 0.9)
    slow = replace(patient, limits=replace(HOT, max_fps=0.5))
    assert bounds_of(slow, spec).lowest == 0.5
    assert bounds_of(settings, parse_spec("photos:/x")).ceiling == inf
    assert bounds_of(settings, parse_spec("synthetic:64x48@25")).ceiling == 25


class Clocked:
    """A camera whose frames come by a clock that only its own waiting moves."""

    def __init__(self, fps: float, live: bool = True) -> None:
        self.live, self.skipped, self.limits = live, 0, list[float]()
        self.now_ns, self._fps = SECOND_NS, fps
        self.decoded = self.passed_over = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        pass

    def _next(self) -> None:
        self.now_ns += int(SECOND_NS / self._fps)

    def capture(self) -> Frame:
        self._next()
        self.decoded += 1
        return Frame(np.zeros((4, 4, 3), np.uint8), self.now_ns)

    def skip(self) -> None:
        self._next()
        self.passed_over += 1

    def limit(self, fps: float) -> None:
        self.limits.append(fps)


@pytest.fixture
def clocked(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Clocked]:
    def make(fps: float, live: bool = True) -> Clocked:
        camera = Clocked(fps, live)
        monkeypatch.setattr(time, "monotonic_ns", lambda: camera.now_ns)
        return camera

    return make


@pytest.mark.parametrize("allowed", [7.0, 4.0, 1.0, 0.3])
def test_a_live_camera_gives_as_many_frames_as_there_is_leave_for(
    clocked: Callable[..., Clocked], allowed: float
) -> None:
    """The others are passed over undecoded, each counted by its own reason."""
    camera = clocked(10.0)
    allowance = Allowance(camera, lambda: allowed, pytest.fail)
    withheld = 0
    for _ in range(1000):
        try:
            allowance.next_frame()
        except BadFrame as error:
            withheld += error.reason == WITHHELD
    assert camera.decoded == pytest.approx(100 * allowed, abs=2)
    assert camera.passed_over == withheld == 1000 - camera.decoded
    assert camera.limits == [allowed]


def test_a_source_that_waits_makes_its_frames_later(clocked: Callable[..., Clocked]) -> None:
    """Nothing is passed over: a photograph is read when its time has come."""
    camera = clocked(1e9, live=False)
    waits: list[float] = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        camera.now_ns += int(seconds * SECOND_NS)

    allowance = Allowance(camera, lambda: 4.0, wait)
    for _ in range(41):
        allowance.next_frame()
    assert (camera.decoded, camera.passed_over) == (41, 0)
    assert sum(waits) == pytest.approx(10.0, abs=0.3)


def test_without_a_limit_a_camera_is_asked_for_every_frame(clocked: Callable[..., Clocked]) -> None:
    """Nothing is reckoned, nothing is set; and a limit that is gone is gone."""
    camera = clocked(10.0)
    leave = [inf]
    allowance = Allowance(camera, lambda: leave[0], pytest.fail)
    for _ in range(50):
        allowance.next_frame()
    assert (camera.decoded, camera.limits) == (50, [])
    leave[0] = 5.0
    for _ in range(10):
        try:
            allowance.next_frame()
        except BadFrame:
            continue
    leave[0] = inf
    for _ in range(50):
        allowance.next_frame()
    assert camera.limits == [5.0, inf]


def test_a_limit_that_moves_all_the_time_keeps_its_mean() -> None:
    """Every second another rate: the frame that is due moves with it, none is given away and none for nothing."""
    rate, admitted = Rate(10.0, made_up_for=1.0), 0
    for tick in range(10_000):
        if tick % 10 == 0:
            rate.become(3.0 + (tick // 10) % 2 * 0.1)
        admitted += rate.admits(tick * 10_000_000)  # a hundred a second
    assert admitted == pytest.approx(100 * 3.05, rel=0.02)


class Wire:
    """A connection that breaks at a skip."""

    def read(self) -> Frame:
        return Frame(np.zeros((4, 4, 3), np.uint8), time.monotonic_ns())

    def skip(self) -> None:
        raise CameraLost("the cable is out")

    def close(self) -> None:
        pass


def test_a_camera_that_goes_while_it_is_passed_over_is_away() -> None:
    """Skipping notices what capturing notices."""
    camera = Reconnecting(Wire, Search(Patience(60, 60)), timeout_s=1.0)
    camera.capture()
    with pytest.raises(CameraAway, match="the cable is out"):
        camera.skip()


def test_files_that_play_live_go_on_while_they_are_passed_over(tmp_path: Path) -> None:
    """A passed-over second of a video is missing, not shown later; so are photographs, and looping goes on."""
    for number in range(4):
        write_png(tmp_path / f"{number}.png", np.full((8, 8, 3), number * 40, np.uint8))
    with open_camera(parse_spec(f"photos:{tmp_path}?loop&fps=500"), 1000, 1) as photos:
        assert photos.capture().source == "0.png"
        for _ in range(9):
            photos.skip()
        assert photos.capture().source == "2.png"
    film = tmp_path / "film.avi"
    writer = cv2.VideoWriter(str(film), cv2.VideoWriter.fourcc(*"MJPG"), 25, (64, 48))
    for number in range(6):
        writer.write(np.full((48, 64, 3), number * 40, np.uint8))
    writer.release()
    with open_camera(parse_spec(f"video:{film}?fps=500"), 1000, 1) as video:
        for _ in range(4):
            video.skip()
        assert abs(int(video.capture().pixels.mean()) - 160) < 12
    with open_camera(parse_spec("synthetic:8x8@500"), 1000, 1) as synthetic:
        first = synthetic.capture().pixels
        for _ in range(7):
            synthetic.skip()
        assert (synthetic.capture().pixels == first).all()


@pytest.fixture
def board(tmp_path: Path) -> Path:
    """The kernel's files of a board that is far too hot, with a power sensor."""
    root = tmp_path / "root"
    write(root / "sys/class/thermal/thermal_zone0", {"type": "cpu-thermal", "temp": 96000})
    hwmon(root, 1, INA219)
    return root


@pytest.fixture
def on_the_board(board: Path, environment: dict[str, str]) -> Iterator[Callable[..., "subprocess.Popen[str]"]]:
    """Start the real command on that board."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: object, **env: str) -> "subprocess.Popen[str]":
        command = [sys.executable, str(TESTS / "on_a_recorded_board.py"), str(board), *map(str, arguments)]
        options: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        started.append(subprocess.Popen(command, env=environment | env, **options))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


SETTINGS = """
[limits]
max_celsius = 60
max_fps = 20
[power]
meter = "hwmon"
[journal]
folder = "{}"
"""


@pytest.mark.parametrize("camera", ["synthetic:64x48@20", "synthetic:64x48"])
def test_a_hot_board_gets_fewer_frames_and_says_why(
    on_the_board: Callable[..., "subprocess.Popen[str]"], colours: Path, tmp_path: Path, camera: str
) -> None:
    """In the summary, in the journal and once in the log; a live camera's frames are counted, a pulled one waits."""
    settings, summary = tmp_path / "labelcam.toml", tmp_path / "summary.json"
    settings.write_text(SETTINGS.format(tmp_path / "journal"))
    source = ("--model", colours, "--camera", camera, "--seconds", 14, "--summary", summary)
    process = on_the_board("run", "--settings", settings, *source)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 0, stderr
    told = json.loads(summary.read_text())
    assert "96 °C is above limits.max_celsius, 60" in told["remarks"]["rate"]
    full = float(told["remarks"]["rate"].split(" instead of ")[1].split()[0])
    assert told["fps_limit"] < 0.8 * full
    assert stderr.count("rate-lowered") == 1
    live = "@" in camera
    assert (told["dropped_reasons"].get("rate", 0) > 10) == live
    last = sum(told["dropped_reasons"].values()) - told["dropped"]
    assert 0 <= last < 10  # after the last reading
    assert told["last_minute"]["celsius"] == {"min": 96.0, "max": 96.0}
    lines = [json.loads(line) for line in (tmp_path / "journal" / "00000001.jsonl").read_text().splitlines()]
    assert lines[-1]["fps_limit"] == told["fps_limit"]
    assert lines[-1]["energy"]["mj_per_inference"] == pytest.approx(1784 / lines[-1]["fps"], rel=0.01)
    assert lines[-1]["news"][0]["subject"] == "rate"


def test_a_pi_cameras_sensor_is_told_to_take_fewer_frames(
    on_the_board: Callable[..., "subprocess.Popen[str]"], colours: Path, tmp_path: Path
) -> None:
    """While it runs, by picamera2's own control: what the sensor does not read out costs nothing."""
    settings, account = tmp_path / "labelcam.toml", tmp_path / "account.json"
    settings.write_text(SETTINGS.format(tmp_path / "journal"))
    path = os.pathsep.join([str(TESTS / "stand_ins"), os.environ.get("PYTHONPATH", "")])
    source = ("--model", colours, "--camera", "picamera2", "--seconds", 8, "--json")
    process = on_the_board("run", "--settings", settings, *source, PYTHONPATH=path, ACCOUNT=str(account))
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 0, stderr
    told = json.loads(account.read_text())
    durations = [controls["FrameDurationLimits"] for controls in told["controls_set"]]
    assert all(low == high > 50_000 for low, high in durations)
    assert durations[-1][0] > 55_000
    assert told["opened"] == 1
    assert told["taken"] == told["released"]
