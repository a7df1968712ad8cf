# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The real daemon with everybody listening at once."""

import json
import signal
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from examples import ODD
from labelcam.publishing import lately_s
from labelcam.settings import settings_from_toml
from mosquitto import Broker, Observer, eventually
from webhook_server import Server

Start = Callable[..., "subprocess.Popen[str]"]


def quoted(text: str) -> str:
    """A text as TOML has it."""
    return json.dumps(text, ensure_ascii=False)


@pytest.fixture
def run(start: Start, colours: Path, photographs: Path, tmp_path: Path) -> Callable[..., "subprocess.Popen[str]"]:
    """Start the daemon with these settings, over photographs that never end."""

    def begin(settings: str, **options: Any) -> "subprocess.Popen[str]":
        (tmp_path / "labelcam.toml").write_text(settings)
        camera = f"photos:{photographs}?loop&fps=10"
        command = ("run", "--settings", tmp_path / "labelcam.toml", "--model", colours, "--camera", camera)
        return start(*command, **({"stdout": subprocess.DEVNULL} | options))

    return begin


def test_an_odd_label_goes_everywhere(
    run: Callable[..., Any], broker: Broker, observe: Callable[..., Observer], tmp_path: Path
) -> None:
    """A label with quotes, emoji and newlines comes through every publisher of one daemon as it was."""
    broker.start()
    observer, server = observe(broker.port), Server()
    file, sock = tmp_path / "readings.jsonl", tmp_path / "readings.sock"
    process = run(
        f'[decision]\nthreshold = 0.1\n[decision.groups]\n{quoted(ODD)} = ["red"]\n'
        f'[mqtt]\nhost = "127.0.0.1"\nport = {broker.port}\nnode = "door"\nreadings = true\n'
        f"[home_assistant]\nenabled = true\nlabels = [{quoted(ODD)}]\n[labels.names]\n{quoted(ODD)} = {quoted(ODD)}\n"
        f'[webhook]\nurl = "{server.url}"\n[jsonl]\npath = "{file}"\nsocket = "{sock}"\n'
    )
    eventually(sock.exists, "the socket")
    with socket.socket(socket.AF_UNIX) as reader:
        reader.connect(str(sock))
        lines = reader.makefile()
        seen = [json.loads(lines.readline()) for _ in range(12)]
    assert any(reading["state"] == ODD for reading in seen)
    eventually(lambda: any(body["event"]["label"] == ODD for body in server.got), "the webhook")
    events = "labelcam/door/event"
    eventually(lambda: any(json.loads(event)["label"] == ODD for event in observer.told(events)), "the event")
    states = "labelcam/door/state"
    eventually(lambda: any(json.loads(state)["state"] == ODD for state in observer.told(states)), "the state")
    entities = json.loads(observer.wait("homeassistant/device/labelcam_door/config").payload)["cmps"]
    assert ODD in [component["name"] for component in entities.values()]
    observer.say("labelcam/door/snapshot/set", "")
    picture = observer.wait("labelcam/door/snapshot").payload
    assert cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR).shape == (48, 64, 3)
    process.send_signal(signal.SIGTERM)
    _, stderr = process.communicate(timeout=20)
    assert process.returncode == 0, stderr
    observer.wait("labelcam/door/availability", "offline")
    assert [json.loads(line) for line in file.read_text().splitlines()][-1]["seq"] >= seen[-1]["seq"]
    assert not sock.exists()
    told = [json.loads(event) for event in observer.told(events)]
    eventually(lambda: [body["event"]["label"] for body in server.got] == [event["label"] for event in told], "all")
    server.end()


def test_labels_that_home_assistant_cannot_have_stop_the_start(
    run: Callable[..., Any], the_error: Callable[[str], str]
) -> None:
    """A sensor for what the model does not know would be off for ever: 78, with what was meant."""
    process = run('[mqtt]\nhost = "127.0.0.1"\n[home_assistant]\nenabled = true\nlabels = ["red", "gren"]\n', env={})
    _, stderr = process.communicate(timeout=30)
    assert process.returncode == 78
    assert "[home_assistant] labels: 'gren' is no label and no group of this model; did you mean 'green'?" in the_error(
        stderr
    )


def test_private_mode_gives_nobody_a_picture(
    run: Callable[..., Any], broker: Broker, observe: Callable[..., Observer]
) -> None:
    """With camera.private there is no snapshot, whoever asks."""
    broker.start()
    observer = observe(broker.port)
    run(
        f'[camera]\nprivate = true\n[mqtt]\nhost = "127.0.0.1"\nport = {broker.port}\nnode = "door"\n'
        "[home_assistant]\nenabled = true\n"
    )
    entities = json.loads(observer.wait("homeassistant/device/labelcam_door/config").payload)["cmps"]
    assert not {"image", "button"} & {component["p"] for component in entities.values()}
    states = len(observer.told("labelcam/door/state"))
    observer.say("labelcam/door/snapshot/set", "")
    eventually(lambda: len(observer.told("labelcam/door/state")) > states, "another state")
    assert "labelcam/door/snapshot" not in observer.last


@pytest.mark.parametrize(
    ("setting", "why"),
    [
        ('path = "/"', "jsonl.path = '/' is there and is no file"),
        ('socket = "/etc/passwd"', "jsonl.socket = '/etc/passwd' is there and is no socket"),
    ],
)
def test_what_can_never_be_written_stops_the_start(
    setting: str, why: str, run: Callable[..., Any], the_error: Callable[[str], str]
) -> None:
    """A mistake in the settings is said at once: 78."""
    process = run(f"[jsonl]\n{setting}\n")
    _, stderr = process.communicate(timeout=30)
    assert process.returncode == 78
    assert why in the_error(stderr)


@pytest.mark.parametrize(
    ("camera", "seconds"),
    [("photos:x?fps=0.05", 60.0), ("photos:x?fps=10", 10.0), ("photos:x", 10.0), ("v4l2:/dev/video0", 10.0)],
)
def test_between_two_frames_of_a_slow_source_all_is_well(camera: str, seconds: float) -> None:
    """/healthz waits for three of its frames, as the daemon itself does, whatever max_fps says."""
    assert lately_s(settings_from_toml(f'[camera]\nsource = "{camera}"\n')) == seconds
