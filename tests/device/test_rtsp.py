# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""A real RTSP stream, from a camera of eighty lines: JPEG over RTP (RFC 2435), interleaved in the RTSP connection."""

import socket
import struct
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from labelcam.camera import Camera, CameraLost, open_camera, parse_spec

SDP = "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=test\r\nt=0 0\r\nm=video 0 RTP/AVP 26\r\na=control:track1\r\n"


class NetworkCamera:
    """Shows one colour at 20 frames a second to whoever plays it, until it is unplugged."""

    def __init__(self, colour: tuple[int, int, int]) -> None:
        picture = np.full((48, 64, 3), colour[::-1], np.uint8)
        self._jpeg = cv2.imencode(".jpg", picture)[1].tobytes()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"rtsp://user:secret@127.0.0.1:{self._listener.getsockname()[1]}/live"
        self.unplugged, self.frozen = threading.Event(), threading.Event()
        self.asked: list[str] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        connection, _ = self._listener.accept()
        with connection:
            while not self.unplugged.is_set():
                request = connection.recv(4096).decode(errors="replace")
                if not request:
                    return
                method = request.split(" ", 1)[0]
                self.asked.append(method)
                connection.sendall(self._answer(method, request).encode())
                if method == "PLAY":
                    self._play(connection)

    def _answer(self, method: str, request: str) -> str:
        sequence = next(line for line in request.split("\r\n") if line.lower().startswith("cseq"))
        head = f"RTSP/1.0 200 OK\r\n{sequence}\r\n"
        if method == "OPTIONS":
            return f"{head}Public: DESCRIBE, SETUP, PLAY, TEARDOWN\r\n\r\n"
        if method == "DESCRIBE":
            return f"{head}Content-Type: application/sdp\r\nContent-Length: {len(SDP)}\r\n\r\n{SDP}"
        if method == "SETUP":
            return f"{head}Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\nSession: 1\r\n\r\n"
        return f"{head}Session: 1\r\n\r\n"

    def _play(self, connection: socket.socket) -> None:
        for number in range(10_000):
            if self.unplugged.wait(0.05):
                return
            if self.frozen.is_set():
                self.unplugged.wait(30)
            try:
                connection.sendall(self._packet(number))
            except OSError:
                return

    def _packet(self, number: int) -> bytes:
        """One picture in one RTP packet: type 1 (4:2:0), its quantisation tables in band (Q = 255)."""
        tables = b"".join(self._jpeg[at + 5 : at + 69] for at in self._markers(0xDB))
        start = self._markers(0xDA)[0]
        scan = self._jpeg[start + 2 + int.from_bytes(self._jpeg[start + 2 : start + 4]) : -2]
        header = bytes([0, 0, 0, 0, 1, 255, 64 // 8, 48 // 8]) + struct.pack(">BBH", 0, 0, len(tables))
        rtp = struct.pack(">BBHII", 0x80, 0x80 | 26, number & 0xFFFF, number * 4500, 1) + header + tables + scan
        return b"$\0" + struct.pack(">H", len(rtp)) + rtp

    def _markers(self, kind: int) -> list[int]:
        found, at = [], 2
        while at < len(self._jpeg) and self._jpeg[at + 1] != 0xDA:
            if self._jpeg[at + 1] == kind:
                found.append(at)
            at += 2 + int.from_bytes(self._jpeg[at + 2 : at + 4])
        return found if kind != 0xDA else [at]


@pytest.fixture
def network_camera() -> Iterator[NetworkCamera]:
    camera = NetworkCamera((240, 40, 30))
    yield camera
    camera.unplugged.set()


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


def test_a_run_ends_with_74_when_its_network_camera_goes(
    network_camera: NetworkCamera,
    labelcam: Callable[..., SimpleNamespace],
    colours: object,
    the_error: Callable[[str], str],
) -> None:
    """The daemon classifies the stream, and dies loudly when it ends: systemd starts it afresh."""
    threading.Timer(2.5, network_camera.unplugged.set).start()
    done = labelcam("run", "--model", colours, "--camera", network_camera.url, "--json")
    assert done.returncode == 74
    assert done.stdout.splitlines()[0].count('"label": "red"') >= 1
    summary, _, error = done.stderr.rstrip().rpartition("\n")
    assert "the stream has ended" in the_error(error)
    assert " frames in " in summary  # what came before is not lost with the camera
    assert "secret" not in done.stderr


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
