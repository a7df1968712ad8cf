# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0

import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labelcam.camera import Camera, CameraLost, CameraSpec, EndOfFrames, open_camera, parse_spec
from labelcam.errors import LabelcamError, SettingsError
from labelcam.preprocess import Size
from labelcam.records import Frame
from pictures_on_disk import write_png

Labelcam = Callable[..., SimpleNamespace]


def camera(spec: str, timeout_s: float = 2.0) -> Camera:
    return open_camera(parse_spec(spec), max_fps=10.0, timeout_s=timeout_s)


def all_frames(spec: str, limit: int = 1000) -> list[Frame]:
    """Every frame of a finite camera, or the first `limit`."""
    found = []
    with camera(spec) as opened:
        try:
            while len(found) < limit:
                found.append(opened.capture())
        except EndOfFrames:
            pass
    return found


def lost(spec: str, timeout_s: float = 2.0) -> str:
    """Why the camera cannot be used."""
    with pytest.raises(CameraLost) as raised, camera(spec, timeout_s) as opened:
        opened.capture()
    assert raised.value.exit_code == 74
    return str(raised.value)


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("picamera2", CameraSpec("picamera2", "0")),
        ("picamera2:1", CameraSpec("picamera2", "1")),
        ("v4l2:/dev/video0", CameraSpec("v4l2", "/dev/video0")),
        ("v4l2:0", CameraSpec("v4l2", "0")),
        ("rtsp://me:pw@cam:554/a?b=c&fps=3", CameraSpec("rtsp", "rtsp://me:pw@cam:554/a?b=c&fps=3")),
        ("video:a.mp4", CameraSpec("video", "a.mp4")),
        ("video:a.mp4?loop", CameraSpec("video", "a.mp4", loop=True)),
        ("video:a.mp4?fps=2.5&loop", CameraSpec("video", "a.mp4", 2.5, loop=True)),
        ("video:what?.mp4", CameraSpec("video", "what?.mp4")),
        ("video:what?.mp4?loop", CameraSpec("video", "what?.mp4", loop=True)),
        ("photos:a:b", CameraSpec("photos", "a:b")),
        ("photos:dir?loop&fps=3", CameraSpec("photos", "dir", 3.0, loop=True)),
        ("synthetic", CameraSpec("synthetic", "", size=Size(640, 480))),
        ("synthetic:", CameraSpec("synthetic", "", size=Size(640, 480))),
        ("synthetic:8x6@30", CameraSpec("synthetic", "", 30.0, size=Size(8, 6))),
    ],
)
def test_every_form_of_a_camera_is_understood(text: str, spec: CameraSpec) -> None:
    """The forms that the help names mean what it says; a question mark in a name or an address stays there."""
    assert parse_spec(text) == spec


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "use one of picamera2"),
        ("webcam", "no such kind 'webcam'"),
        ("picamera", "did you mean 'picamera2'?"),
        ("/tmp", "did you mean photos:/tmp?"),
        ("/etc/passwd", "did you mean video:/etc/passwd?"),
        ("/dev/video0", "did you mean v4l2:/dev/video0?"),
        ("foto:x", "did you mean 'photos'?"),
        ("picamera2:front", "'front' is no camera number"),
        ("v4l2", "names no device"),
        ("photos:", "names no folder"),
        ("video", "names no file"),
        ("video:a?fps=fast", "'fast' is no frame rate"),
        ("photos:a?fps=0", "'0' is no frame rate"),
        ("photos:a?fps=nan", "'nan' is no frame rate"),
        ("synthetic:big", "no size"),
        ("synthetic:0x5", "no size"),
        ("synthetic:640x480@-1", "'-1' is no frame rate"),
        ("rtsp:nothing", "rtsp://"),
        ("rtsp://", "rtsp://"),
        ("rtsp://[::1", "rtsp://"),
    ],
)
def test_what_is_no_camera_is_refused_with_the_forms_there_are(text: str, told: str) -> None:
    """A mistake in a camera's name costs exit code 78 and one line that helps."""
    with pytest.raises(SettingsError) as refused:
        parse_spec(text)
    assert told in str(refused.value)


@given(kind=st.sampled_from(["", "photos", "video", "rtsp", "synthetic", "picamera2", "v4l2"]), rest=st.text())
def test_any_text_is_a_camera_or_our_own_error(kind: str, rest: str) -> None:
    """No text whatever makes the parser fail in another way."""
    for text in (f"{kind}:{rest}", f"{kind}://{rest}", f"{kind}{rest}"):
        with suppress(LabelcamError):
            open_camera(parse_spec(text), 10.0, 1.0)


def test_photographs_come_sorted_and_named(photographs: Path) -> None:
    """The folder's order is the order of the readings, and every frame knows its file."""
    frames = all_frames(f"photos:{photographs}")
    assert [frame.source for frame in frames] == ["1_red.png", "2_green.png", "3_blue.png"]
    assert [int(frame.pixels.argmax(axis=2).mean()) for frame in frames] == [0, 1, 2]


def test_photographs_can_be_repeated(photographs: Path) -> None:
    """`?loop` starts again after the last, in the same order."""
    frames = all_frames(f"photos:{photographs}?loop", 7)
    assert [frame.source for frame in frames[3:]] == ["1_red.png", "2_green.png", "3_blue.png", "1_red.png"]


def test_an_unreadable_photograph_is_skipped_and_counted(
    photographs: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A damaged image costs one warning that names it, never the run."""
    write_png(tmp_path / "a.png", np.zeros((4, 4, 3), np.uint8))
    write_png(tmp_path / "c.png", np.zeros((4, 4, 3), np.uint8))
    (tmp_path / "b.png").write_text("no picture")
    with camera(f"photos:{tmp_path}") as opened:
        assert [opened.capture().source, opened.capture().source] == ["a.png", "c.png"]
        assert opened.skipped == 1
        with pytest.raises(EndOfFrames):
            opened.capture()
    assert "b.png" in caplog.text


@pytest.mark.parametrize("options", ["", "?loop"])
def test_a_folder_of_nothing_readable_is_a_lost_camera(tmp_path: Path, options: str) -> None:
    """Where not one image can be read, the run ends rather than wait for ever."""
    (tmp_path / "a.jpg").write_text("no picture")
    assert "none of its 1 images can be read" in lost(f"photos:{tmp_path}{options}")


def test_a_loop_whose_photographs_vanish_ends(tmp_path: Path) -> None:
    """When every photograph is deleted while the loop runs, the camera is lost; it does not spin."""
    write_png(tmp_path / "a.png", np.zeros((4, 4, 3), np.uint8))
    with camera(f"photos:{tmp_path}?loop") as opened:
        opened.capture()
        (tmp_path / "a.png").unlink()
        ended = threading.Event()

        def capture() -> None:
            with pytest.raises(CameraLost):
                opened.capture()
            ended.set()

        threading.Thread(target=capture, daemon=True).start()
        assert ended.wait(3.0)


def test_a_folder_that_is_empty_or_missing_is_a_lost_camera(tmp_path: Path) -> None:
    """Each gets its own sentence."""
    assert "holds no image" in lost(f"photos:{tmp_path}")
    assert "no such folder" in lost(f"photos:{tmp_path / 'gone'}")


@pytest.fixture(scope="session")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten frames of 64x48, each brighter than the one before."""
    path = tmp_path_factory.mktemp("video") / "ten.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 10, (64, 48))
    assert writer.isOpened()
    for number in range(10):
        writer.write(np.full((48, 64, 3), (20 * number, 10, 250), np.uint8))
    writer.release()
    return path


def test_a_videos_frames_come_in_order_and_in_rgb(video: Path) -> None:
    """Every frame once, from the first to the last, red before blue."""
    frames = all_frames(f"video:{video}")
    assert len(frames) == 10
    blues = [float(frame.pixels[..., 2].mean()) for frame in frames]
    assert blues == sorted(blues)
    assert all(frame.pixels[..., 0].mean() > 235 for frame in frames)
    assert {frame.source for frame in frames} == {"ten.avi"}


def test_a_video_can_be_repeated(video: Path) -> None:
    """`?loop` starts again at the first frame."""
    frames = all_frames(f"video:{video}?loop", 21)
    assert np.array_equal(frames[0].pixels, frames[10].pixels)
    assert np.array_equal(frames[9].pixels, frames[19].pixels)


@pytest.mark.parametrize(("spec", "live"), [("video:{}", False), ("video:{}?fps=50", True), ("photos:{}?fps=9", True)])
def test_a_rate_makes_a_file_live(spec: str, live: bool, video: Path) -> None:
    """With `?fps=` the world goes on without us, without it frames wait to be pulled."""
    assert camera(spec.format(video)).live is live


@pytest.mark.parametrize("spec", ["video:{}?fps=50", "synthetic:8x6@50"])
def test_a_rate_is_kept(spec: str, video: Path) -> None:
    """Ten frames at 50 a second take 180 ms, not less."""
    begun = time.monotonic()
    assert len(all_frames(spec.format(video), 10)) == 10
    assert 0.17 < time.monotonic() - begun < 1.0


def test_what_is_no_video_is_a_lost_camera(tmp_path: Path) -> None:
    """A text file and a missing one each get a sentence with the path."""
    (tmp_path / "text.mp4").write_text("no video\n" * 100)
    assert "text.mp4: cannot be opened as a video" in lost(f"video:{tmp_path / 'text.mp4'}")
    assert "gone.mp4: no such video file" in lost(f"video:{tmp_path / 'gone.mp4'}")


def test_the_synthetic_camera_moves_and_is_the_same_everywhere() -> None:
    """Frames of the size asked for, different from one another, the same in every run."""
    first, again = all_frames("synthetic:64x48", 9), all_frames("synthetic:64x48", 9)
    assert first[0].pixels.shape == (48, 64, 3)
    assert not np.array_equal(first[0].pixels, first[1].pixels)
    assert all(np.array_equal(a.pixels, b.pixels) for a, b in zip(first, again, strict=True))
    assert not camera("synthetic:64x48").live
    assert camera("synthetic:64x48@5").live


@pytest.mark.parametrize("device", ["/dev/video97", "97"])
def test_a_usb_camera_that_is_not_there_is_named(device: str) -> None:
    """The remedy says how to see what is there."""
    assert "/dev/video97: no such camera" in lost(f"v4l2:{device}")


def test_a_device_that_is_no_camera_is_refused() -> None:
    """Some other device does not pass for a camera."""
    assert "/dev/null: cannot be opened as a camera" in lost("v4l2:/dev/null")


def test_the_address_of_a_lost_network_camera_hides_its_password(
    labelcam: Labelcam, colours: Path, the_error: Callable[[str], str], tmp_path: Path
) -> None:
    """Logs are shared; the user's name and password appear nowhere on the way to exit code 74."""
    settings = tmp_path / "impatient.toml"
    settings.write_text("[camera]\nstart_seconds = 0\n")
    source = ("--camera", "rtsp://admin:hunter2@127.0.0.1:9/live?token=abc123")
    done = labelcam("run", "--settings", settings, "--model", colours, *source)
    assert done.returncode == 74
    assert "rtsp://127.0.0.1:9/live" in the_error(done.stderr)
    assert not any(secret in done.stderr + done.stdout for secret in ("hunter2", "admin", "abc123"))


def test_a_network_camera_that_never_answers_is_lost_in_time() -> None:
    """A host that accepts the connection and says nothing costs the time-out, not for ever."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        begun = time.monotonic()
        assert "no stream there" in lost(f"rtsp://127.0.0.1:{silent.getsockname()[1]}/live", timeout_s=1.0)
        assert time.monotonic() - begun < 5
