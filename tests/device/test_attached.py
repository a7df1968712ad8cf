# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0

import json
import os
import struct
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from labelcam.camera.attached import Attached, v4l2_devices
from labelcam.cli import main

CAPTURE, MPLANE, META, M2M, DEVICE_CAPS = 0x1, 0x1000, 0x800000, 0x4000, 0x80000000


def said(driver: str, card: str, bus: str, own: int, all_of_it: int = CAPTURE | META) -> bytes:
    """A struct v4l2_capability, as <linux/videodev2.h> has it."""
    words = driver.encode(), card.encode(), bus.encode(), 0x060600, all_of_it | DEVICE_CAPS, own, 0, 0, 0
    return struct.pack("=16s32s32sIIIIII", *words)


DEVICES = {
    "video0": said("uvcvideo", "HD Pro Webcam C920", "usb-0000:01:00.0-1.2", CAPTURE),
    "video1": said("uvcvideo", "HD Pro Webcam C920", "usb-0000:01:00.0-1.2", META),
    "video2": said("vivid\0junk", "vivid\x1b[2J", "platform:vivid-000", MPLANE),
    "video10": said("bcm2835-codec", "bcm2835-codec-decode", "platform:bcm2835-codec", M2M),
    "video14": said("bcm2835-isp", "bcm2835-isp-capture0", "platform:bcm2835-isp", CAPTURE),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in (*DEVICES, "video3", "videodrome", "null"):
        (tmp_path / name).touch()
    return tmp_path


def ioctl(device: int, request: int, argument: bytes) -> bytes:
    """Answer for the node that the descriptor is of."""
    assert request == 0x80685600  # VIDIOC_QUERYCAP, as strace shows it
    assert len(argument) == 104
    name = Path(f"/proc/self/fd/{device}").readlink().name
    if name not in DEVICES:
        raise OSError(25, "Inappropriate ioctl for device")
    return DEVICES[name]


def test_cameras_are_told_from_what_else_has_a_node(folder: Path) -> None:
    """Of a webcam's two nodes one captures; codecs do not; those of a Pi's own camera are picamera2's."""
    found = v4l2_devices(folder, ioctl)
    assert found[0] == Attached(
        f"v4l2:{folder / 'video0'}", "HD Pro Webcam C920", "uvcvideo", "usb-0000:01:00.0-1.2", usable=True
    )
    assert [Path(camera.camera).name for camera in found] == ["video0", "video2", "video14"]
    assert [camera.usable for camera in found] == [True, True, False]
    assert found[2].remedy == "use --camera picamera2"


def test_no_name_can_move_the_terminals_cursor(folder: Path) -> None:
    """What a device calls itself is text up to its null, without control characters."""
    assert (v4l2_devices(folder, ioctl)[1].driver, v4l2_devices(folder, ioctl)[1].name) == ("vivid", "vivid?[2J")


def test_no_descriptor_is_left_open(folder: Path) -> None:
    """Looking often costs nothing."""
    before = len(list(Path("/proc/self/fd").iterdir()))
    v4l2_devices(folder, ioctl)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_a_device_that_may_not_be_opened_has_a_remedy(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the group 'video' nothing is known but that it is there."""

    def refuse(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    found = v4l2_devices(folder, ioctl)
    assert {camera.usable for camera in found} == {False}
    assert "group 'video'" in found[0].remedy


def test_what_is_no_device_is_passed_over(folder: Path) -> None:
    """Real files answer the real ioctl with an error; they are no cameras."""
    assert v4l2_devices(folder) == []


def test_the_command_lists_what_is_attached(
    capsys: pytest.CaptureFixture[str], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line a camera with what --camera takes, and the forms of those that cannot be found by looking."""
    monkeypatch.setattr("labelcam.cameras.v4l2_devices", lambda: v4l2_devices(folder, ioctl))
    assert main(["cameras"]) == 0
    shown = capsys.readouterr().out
    assert f"v4l2:{folder / 'video0'}" in shown
    assert "HD Pro Webcam C920" in shown
    assert "rtsp://USER:PASSWORD@HOST:554/PATH" in shown


def test_the_command_has_a_json_form(
    labelcam: Callable[..., SimpleNamespace], environment: dict[str, str], tmp_path: Path
) -> None:
    """With picamera2 there, its cameras come first; a USB camera that libcamera lists as well is pointed to v4l2."""
    stand_ins = Path(__file__).parents[1] / "stand_ins"
    env = environment | {"PYTHONPATH": str(stand_ins), "ACCOUNT": str(tmp_path / "account")}
    done = labelcam("cameras", "--json", env=env)
    assert done.returncode == 0, done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    assert document["schema"] == 1
    cameras = document["cameras"]
    assert [(camera["camera"], camera["name"], camera["usable"]) for camera in cameras[:3]] == [
        ("picamera2:0", "imx219", True),
        ("picamera2:1", "imx219", True),
        ("picamera2:2", "USB Camera", False),
    ]
    assert {form["camera"].split(":")[0] for form in document["forms"]} == {"rtsp", "video", "photos", "synthetic"}


def test_a_machine_without_cameras_is_no_error(labelcam: Callable[..., SimpleNamespace]) -> None:
    """Nothing attached is an answer, too."""
    done = labelcam("cameras")
    assert done.returncode == 0, done.stderr
    assert "others:" in done.stdout
