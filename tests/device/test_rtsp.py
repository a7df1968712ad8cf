# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""A real RTSP stream, from a camera that the test unplugs."""

import json
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from labelcam.camera import Camera, CameraLost, open_camera, parse_spec
from network_camera import NetworkCamera
from service_manager import ServiceManager

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def network_camera() -> Iterator[NetworkCamera]:
    camera = NetworkCamera((240, 40, 30))
    yield camera
    camera.unplug()


def test_a_network_cameras_frames_arrive_in_rgb(network_camera: NetworkCamera) -> None:
    """A stream over RTSP is decoded, red stays red, and the frames are stamped as they come."""
    with open_camera(parse_spec(network_camera.url), 10.0, 5.0) as camera:
        frames = [camera.capture() for _ in range(5)]
    assert camera.live
    assert all(frame.pixels.shape == (48, 64, 3) for frame in frames)
    assert np.abs(frames[-1].pixels.mean(axis=(0, 1)) - (240, 40, 30)).max() < 12
    stamps = [frame.taken_ns for frame in frames]
    assert stamps == sorted(stamps)
    assert time.monotonic_ns() - stamps[-1] < 5e9
    assert network_camera.asked[-1] in ("PLAY", "TEARDOWN")


def test_of_a_quick_stream_as_many_frames_are_used_as_were_asked_for(network_camera: NetworkCamera) -> None:
    """Twenty frames a second come, five are asked for, five are used: one every 200 ms."""
    with open_camera(parse_spec(network_camera.url), 5.0, 5.0) as camera:
        stamps = [camera.capture().taken_ns for _ in range(9)]
    assert 0.17 < np.median(np.diff(stamps)) / 1e9 < 0.3


def watch(camera: Camera) -> None:
    """Capture until the camera is lost."""
    while True:
        camera.capture()


@pytest.mark.parametrize("fault", ["unplugged", "frozen"])
def test_a_stream_that_ends_is_a_lost_camera(network_camera: NetworkCamera, fault: str) -> None:
    """Closed or merely silent, the camera is lost within the time-out; its password is not in the message."""
    with open_camera(parse_spec(network_camera.url), 10.0, 1.5) as camera:
        camera.capture()
        getattr(network_camera, fault).set()
        begun = time.monotonic()
        with pytest.raises(CameraLost, match="the stream has ended") as lost:
            watch(camera)
    assert time.monotonic() - begun < 6
    assert "secret" not in str(lost.value)


class Watched:
    """The real daemon, with what it has said so far."""

    def __init__(self, start: Start, folder: Path, model: Path, url: str, settings: str, **env: str) -> None:
        file = folder / "labelcam.toml"
        file.write_text(f"[camera]\ntimeout_seconds = 1.0\n{settings}")
        self.process = start("run", "--json", "--settings", file, "--model", model, "--camera", url, env=env)
        self.lines: list[dict[str, Any]] = []
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self.lines.append(json.loads(line))

    def wait(self, found: Callable[[list[dict[str, Any]]], bool], seconds: float = 20) -> None:
        deadline = time.monotonic() + seconds
        while not found(self.lines):
            assert self.process.poll() is None, "the daemon has ended"
            assert time.monotonic() < deadline, self.lines[-5:]
            time.sleep(0.02)

    def end(self) -> tuple[int, str]:
        code = self.process.wait(30)
        assert self.process.stderr
        return code, self.process.stderr.read()


def lost(lines: list[dict[str, Any]]) -> bool:
    return any(line.get("camera") == "lost" for line in lines)


@pytest.fixture
def daemon(start: Start, tmp_path: Path, colours: Path) -> Callable[..., Watched]:
    def begin(camera: NetworkCamera, settings: str = "", **env: str) -> Watched:
        return Watched(start, tmp_path, colours, camera.url, settings, **env)

    return begin


def test_a_camera_that_comes_back_is_found_by_the_same_process(
    network_camera: NetworkCamera, daemon: Callable[..., Watched], tmp_path: Path
) -> None:
    """Unplugged and plugged in again: what was there leaves, nobody restarts, the count of frames goes on.

    Meanwhile it is the search that keeps the watchdog quiet, and the status says so.
    """
    systemd = ServiceManager(str(tmp_path / "notify"))
    watched = daemon(network_camera, NOTIFY_SOCKET=systemd.address, WATCHDOG_USEC="6600000")
    watched.wait(lambda lines: len(lines) >= 5)
    network_camera.unplug()
    watched.wait(lost)
    (said,) = (line for line in watched.lines if line.get("camera") == "lost")
    assert (said["label"], said["state"], said["seq"]) == (None, None, None)
    assert (said["event"]["type"], said["event"]["label"]) == ("leave", "red")
    assert "rtsp://127.0.0.1" in said["reason"]
    time.sleep(2.5)
    silent = len(watched.lines)
    assert watched.lines[-1] == said  # readings stop
    watched.wait(lambda _: any("STATUS=camera lost" in message for message in systemd.messages))
    while_lost = [message for message in systemd.messages if "STATUS=camera lost" in message]
    assert all(message.startswith("WATCHDOG=1\n") for message in while_lost)
    network_camera.plug()
    watched.wait(lambda lines: len(lines) >= silent + 5)
    watched.process.terminate()
    code, stderr = watched.end()
    assert code == 0, stderr
    seqs = [line["seq"] for line in watched.lines if line["seq"] is not None]
    assert seqs == sorted(set(seqs))
    first = watched.lines[silent]
    assert (first["label"], first["event"]["type"]) == ("red", "enter")
    assert ("camera-away" in stderr, "camera-back" in stderr) == (True, True)
    assert "secret" not in stderr


@pytest.mark.parametrize("fault", ["unplug", "freeze"])
def test_a_camera_that_stays_away_is_given_up(
    network_camera: NetworkCamera, daemon: Callable[..., Watched], the_error: Callable[[str], str], fault: str
) -> None:
    """After its time the daemon dies loudly with 74; what came before is not lost with the camera."""
    watched = daemon(network_camera, "give_up_seconds = 3.0\n")
    watched.wait(lambda lines: len(lines) >= 3)
    if fault == "freeze":
        network_camera.frozen.set()
    else:
        network_camera.unplug()
    code, stderr = watched.end()
    assert code == 74
    summary, _, error = stderr.rstrip().rpartition("\n")
    assert "labelcam: gone for 3 s: rtsp://127.0.0.1" in the_error(error)
    assert " frames in " in summary
    assert "secret" not in stderr
    assert lost(watched.lines)


def test_a_stream_of_the_same_picture_for_ever_is_a_lost_camera(
    network_camera: NetworkCamera, daemon: Callable[..., Watched], the_error: Callable[[str], str]
) -> None:
    """A camera that hangs inside may go on sending its last picture; that is no better than none."""
    watched = daemon(network_camera, "frozen_seconds = 2.0\ngive_up_seconds = 2.0\n")
    watched.wait(lambda lines: len(lines) >= 5)
    code, stderr = watched.end()
    assert code == 74
    assert "the same pictures for 2 s" in the_error(stderr.rstrip().rpartition("\n")[2])


def test_a_camera_that_is_missing_at_start_is_waited_for(daemon: Callable[..., Watched]) -> None:
    """The daemon may be up before the camera is."""
    later = NetworkCamera((30, 40, 240), plugged=False)
    watched = daemon(later)
    watched.wait(lost)
    assert watched.process.poll() is None
    later.plug()
    watched.wait(lambda lines: len(lines) >= 3)
    assert watched.lines[0]["camera"] == "lost"  # a broker may remember what was there in an earlier life
    assert [line["label"] for line in watched.lines[:3]] == [None, "blue", "blue"]
    later.unplug()


def test_a_camera_that_never_comes_ends_the_daemon(
    daemon: Callable[..., Watched], the_error: Callable[[str], str], tmp_path: Path
) -> None:
    """After its time 74, and nobody was told that we are ready or alive."""
    systemd = ServiceManager(str(tmp_path / "notify"))
    env = {"NOTIFY_SOCKET": systemd.address, "WATCHDOG_USEC": "30000000"}
    never = NetworkCamera((0, 0, 0), plugged=False)
    begun = time.monotonic()
    code, stderr = daemon(never, "start_seconds = 2.0\n", **env).end()
    assert code == 74
    assert 2.0 < time.monotonic() - begun < 12
    assert "no stream there" in the_error(stderr)
    assert any("waiting for the camera" in message for message in systemd.messages)
    assert not any(word in message for message in systemd.messages for word in ("READY", "WATCHDOG"))


def test_a_camera_that_may_be_silent_for_longer_than_the_watchdog_is_refused(
    network_camera: NetworkCamera, daemon: Callable[..., Watched], the_error: Callable[[str], str], tmp_path: Path
) -> None:
    """Better a refusal at start than a kill in the middle of a search."""
    env = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "5000000"}
    code, stderr = daemon(network_camera, **env).end()
    assert code == 78
    assert "silent for 6 s is too much for a watchdog of 5 s" in the_error(stderr)


def test_a_signal_is_answered_while_the_camera_is_still_being_opened(
    colours: object, start: Callable[..., "subprocess.Popen[str]"]
) -> None:
    """A camera that takes the connection and then says nothing does not keep the daemon from ending."""
    with socket.create_server(("127.0.0.1", 0)) as mute:
        daemon = start("run", "--model", colours, "--camera", f"rtsp://127.0.0.1:{mute.getsockname()[1]}/live")
        connection, _ = mute.accept()  # kept: closed, it would be a camera that is not there
        begun = time.monotonic()
        daemon.terminate()
        daemon.communicate(timeout=10)
        connection.close()
    assert daemon.returncode == 0
    assert time.monotonic() - begun < 4


def test_a_signal_is_answered_while_the_camera_is_looked_for(daemon: Callable[..., Watched]) -> None:
    """The wait between two attempts is no reason to be late."""
    watched = daemon(NetworkCamera((0, 0, 0), plugged=False))
    watched.wait(lost)
    time.sleep(2.0)  # into one of the longer waits
    begun = time.monotonic()
    watched.process.terminate()
    assert watched.end()[0] == 0
    assert time.monotonic() - begun < 2
