# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""A Video4Linux camera that fails and comes back, by the fault controls of the kernel's vivid and by its plug."""

from queue import Queue
from typing import Any

import pytest

from eventually import PATIENCE_S, eventually
from flashed import PLAYED, Flashed
from picture_camera import DEVICE, PictureCamera

PLUG = "/sys/bus/platform/drivers/vivid"


@pytest.mark.parametrize("fault", ["disconnect", "inject_fatal_streaming_error"])
def test_a_camera_that_fails_is_found_again(camera_pi: Flashed, fault: str) -> None:
    """The daemon notices, looks for it and goes on by itself, in the same process."""
    before = camera_pi.show("MainPID")
    camera_pi.machine.run("v4l2-ctl", "--device=/dev/video0", f"--set-ctrl={fault}=0")
    eventually(lambda: "camera-back" in camera_pi.journal(), camera_pi.journal)
    assert "camera-away reason=/dev/video0: delivers no frames any more" in camera_pi.journal()
    eventually(lambda: "frames a second" in camera_pi.show("StatusText"), camera_pi.journal)
    assert camera_pi.show("MainPID") == before


def test_an_unplugged_camera_is_waited_for(camera_pi: Flashed) -> None:
    """A broker hears that it is lost, the watchdog is kept quiet, and with the plug labels are back."""
    before = camera_pi.show("MainPID")
    with camera_pi.states() as states:
        _wait_for(states, "ok")
        camera_pi.machine.write(f"{PLUG}/unbind", b"vivid.0")
        assert _wait_for(states, "lost")["state"] is None
        eventually(lambda: "no such camera" in camera_pi.show("StatusText"), camera_pi.journal)
        camera_pi.machine.write(f"{PLUG}/bind", b"vivid.0")
        assert _wait_for(states, "ok")["state"] == "no person"
    assert camera_pi.show("MainPID") == before


def test_the_first_camera_that_a_pi_ever_sees_is_let_in(camera_pi: Flashed) -> None:
    """The sandbox admits it though no driver of any camera was loaded when the service started."""
    pi = camera_pi.machine
    pi.run("systemctl", "stop", "labelcam")
    for module in ("vivid", "videobuf2_memops", "videodev"):  # each with what nobody needs any more then
        pi.run("modprobe", "-r", module)
    assert "video4linux" not in pi.run("cat", "/proc/devices")
    pi.run("systemctl", "start", "--no-block", "labelcam")
    eventually(lambda: "no such camera" in camera_pi.show("StatusText"), camera_pi.journal)
    waiting = camera_pi.show("MainPID")
    pi.run("modprobe", "vivid")
    eventually(lambda: camera_pi.show("ActiveState") == "active", camera_pi.journal)
    assert camera_pi.show("MainPID") == waiting


def test_what_a_camera_films_arrives_as_its_label(pi: Flashed) -> None:
    """From a real Video4Linux device to a real broker: a person who comes and goes is told as one."""
    from skimage import data  # as in conftest.py

    camera = PictureCamera(pi.machine)
    camera.attach(data.coffee())
    done = pi.flash(f"{pi.settings.read_text().replace(PLAYED, f'v4l2:{DEVICE}')}[limits]\nmax_fps = 2\n")
    assert done.exit_code == 0, done.err
    with pi.states() as states:
        for picture, label in [(data.astronaut(), "person"), (data.coffee(), "no person")] * 2:
            camera.show(picture)
            while states.get(timeout=PATIENCE_S)["state"] != label:
                pass


def _wait_for(states: "Queue[dict[str, Any]]", camera: str) -> dict[str, Any]:
    while (state := states.get(timeout=PATIENCE_S))["camera"] != camera:
        pass
    return state
