# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""MQTT against a real mosquitto that each test starts on a port of its own."""

import json
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion

from network_camera import NetworkCamera
from said import wait_for

Start = Callable[..., "subprocess.Popen[str]"]


class Broker:
    """A mosquitto that keeps nothing on disk, so that a restart forgets what was retained."""

    def __init__(self, program: str, folder: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = int(free.getsockname()[1])
        self._program, self._config = program, folder / "mosquitto.conf"
        self._process: subprocess.Popen[bytes] | None = None
        self.configure("allow_anonymous true")

    def configure(self, *lines: str) -> None:
        self._config.write_text("\n".join([f"listener {self.port} 127.0.0.1", "persistence false", *lines, ""]))

    def start(self) -> None:
        self._process = subprocess.Popen([self._program, "-c", self._config], stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except ConnectionRefusedError:
                time.sleep(0.02)
            else:
                return
        pytest.fail("mosquitto does not start")

    def stop(self) -> None:
        if self._process:
            self._process.terminate()
            self._process.wait(10)
            self._process = None


class Observer:
    """Somebody who subscribed to everything; keeps the last message of each topic, and all of them in order."""

    def __init__(self, port: int, **login: str) -> None:
        self.last: dict[str, paho.MQTTMessage] = {}
        self.all: list[tuple[str, str]] = []
        self._client = paho.Client(CallbackAPIVersion.VERSION2)
        if login:
            self._client.username_pw_set(**login)
        self._client.on_connect = lambda client, *_: client.subscribe("#", qos=1)
        self._client.on_message = self._note
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()

    def _note(self, _client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
        self.all.append((message.topic, message.payload.decode()))
        self.last[message.topic] = message

    def wait(self, topic: str, payload: str | None = None, seconds: float = 15) -> paho.MQTTMessage:
        """Wait until the topic's last message is this (any, where no payload is given)."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            message = self.last.get(topic)
            if message and (payload is None or message.payload.decode() == payload):
                return message
            time.sleep(0.02)
        pytest.fail(f"{topic} {payload!r} did not come; came: {self.all[-10:]}")

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@pytest.fixture
def broker(need_tool: Callable[..., str], tmp_path: Path) -> Iterator[Broker]:
    found = Broker(need_tool("mosquitto", "mosquitto"), tmp_path)
    yield found
    found.stop()


@pytest.fixture
def observe() -> Iterator[Callable[..., Observer]]:
    observers: list[Observer] = []

    def begin(port: int, **login: str) -> Observer:
        observers.append(Observer(port, **login))
        return observers[-1]

    yield begin
    for observer in observers:
        observer.close()


@pytest.fixture
def run(start: Start, broker: Broker, colours: Path, tmp_path: Path) -> Callable[..., "subprocess.Popen[str]"]:
    """Start the daemon with the broker in its settings; its node is called "door"."""

    def begin(extra: str = "", camera: str = "synthetic:64x48@20", **options: Any) -> "subprocess.Popen[str]":
        settings = tmp_path / "labelcam.toml"
        settings.write_text(
            f'[decision]\nthreshold = 0.1\n[mqtt]\nhost = "127.0.0.1"\nport = {broker.port}\nnode = "door"\n{extra}'
        )
        options = {"stdout": subprocess.DEVNULL} | options
        return start("run", "--settings", settings, "--model", colours, "--camera", camera, **options)

    return begin


def test_availability_and_state_are_retained(
    broker: Broker, observe: Callable[..., Observer], run: Callable[..., Any]
) -> None:
    """Somebody who comes later learns at once that the camera is online and what it sees."""
    broker.start()
    witness = observe(broker.port)
    run()
    witness.wait("labelcam/door/availability", "online")
    witness.wait("labelcam/door/state")
    late = observe(broker.port)
    assert late.wait("labelcam/door/availability", "online").retain
    message = late.wait("labelcam/door/state")
    assert message.retain
    state = json.loads(message.payload)
    assert (state["schema"], state["model"]) == (1, "colours")
    assert state["state"] in ("red", "green", "blue", "unknown")


def test_events_are_told_and_not_retained(
    broker: Broker, observe: Callable[..., Observer], run: Callable[..., Any], photographs: Path
) -> None:
    """Each change is one event in order; an old event must not greet who comes later."""
    broker.start()
    observer = observe(broker.port)
    process = run(camera=f"photos:{photographs}?loop&fps=4")
    deadline = time.monotonic() + 15
    while sum(topic.endswith("/event") for topic, _ in observer.all) < 4 and time.monotonic() < deadline:
        time.sleep(0.05)
    events = [json.loads(payload) for topic, payload in observer.all if topic == "labelcam/door/event"]
    assert len(events) >= 4
    assert all(set(event) >= {"type", "label", "duration_s", "time"} for event in events)
    assert all(a["type"] != b["type"] for a, b in pairwise(events))
    process.send_signal(signal.SIGTERM)
    process.wait(10)
    late = observe(broker.port)
    late.wait("labelcam/door/availability", "offline")
    assert "labelcam/door/event" not in late.last


def test_a_lost_camera_is_a_retained_state(
    broker: Broker, observe: Callable[..., Observer], run: Callable[..., Any]
) -> None:
    """Who comes later learns that nobody knows what is there; what was there has left, until the camera is back."""
    broker.start()
    observer = observe(broker.port)
    camera = NetworkCamera((240, 40, 30))
    run("[camera]\ntimeout_seconds = 1.0\n", camera=camera.url)
    assert json.loads(observer.wait("labelcam/door/state").payload)["camera"] == "ok"
    camera.unplug()
    deadline = time.monotonic() + 15
    while json.loads(observer.last["labelcam/door/state"].payload)["camera"] == "ok":
        assert time.monotonic() < deadline
        time.sleep(0.02)
    late = observe(broker.port).wait("labelcam/door/state")
    state = json.loads(late.payload)
    assert (late.retain, state["state"], state["camera"], state["model"]) == (True, None, "lost", "colours")
    assert "secret" not in state["reason"]
    assert json.loads(observer.last["labelcam/door/event"].payload)["type"] == "leave"
    camera.plug()
    while json.loads(observer.last["labelcam/door/state"].payload)["camera"] == "lost":
        assert time.monotonic() < deadline
        time.sleep(0.02)
    camera.unplug()


def test_the_last_leave_is_told(
    broker: Broker, observe: Callable[..., Observer], run: Callable[..., Any], photographs: Path, tmp_path: Path
) -> None:
    """At SIGTERM what is there leaves before the daemon says goodbye."""
    broker.start()
    observer = observe(broker.port)
    (tmp_path / "same").mkdir()
    (tmp_path / "same" / "red.png").write_bytes((photographs / "1_red.png").read_bytes())
    process = run(camera=f"photos:{tmp_path / 'same'}?loop&fps=20")
    observer.wait("labelcam/door/event")
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0
    observer.wait("labelcam/door/availability", "offline")
    events = [json.loads(payload)["type"] for topic, payload in observer.all if topic == "labelcam/door/event"]
    assert events == ["enter", "leave"]


def test_sigterm_says_goodbye(broker: Broker, observe: Callable[..., Observer], run: Callable[..., Any]) -> None:
    """Stopped on purpose, the daemon itself says offline, and exits 0 within two seconds."""
    broker.start()
    observer = observe(broker.port)
    process = run()
    observer.wait("labelcam/door/availability", "online")
    begun = time.monotonic()
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0
    assert time.monotonic() - begun < 2
    observer.wait("labelcam/door/availability", "offline")
    assert observe(broker.port).wait("labelcam/door/availability", "offline").retain


def test_the_last_will_speaks_for_the_dead(
    broker: Broker, observe: Callable[..., Observer], run: Callable[..., Any]
) -> None:
    """Killed without a chance to say anything, it is offline all the same, and that is retained."""
    broker.start()
    observer = observe(broker.port)
    process = run()
    observer.wait("labelcam/door/availability", "online")
    process.send_signal(signal.SIGKILL)
    observer.wait("labelcam/door/availability", "offline")
    assert observe(broker.port).wait("labelcam/door/availability", "offline").retain


def test_a_broker_that_comes_later_gets_the_state(
    broker: Broker, observe: Callable[..., Observer], run: Callable[..., Any], tmp_path: Path
) -> None:
    """A missing broker is normal life: the run begins without it, and tells it everything when it is there."""
    with (tmp_path / "said").open("w") as said:
        process = run(stderr=said)
    wait_for("mqtt-unreachable", tmp_path / "said")
    assert process.poll() is None
    broker.start()
    observer = observe(broker.port)
    observer.wait("labelcam/door/availability", "online")
    assert json.loads(observer.wait("labelcam/door/state").payload)["model"] == "colours"
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0
    assert "Traceback" not in (tmp_path / "said").read_text()


def test_a_broker_that_never_comes_changes_nothing(run: Callable[..., Any], tmp_path: Path) -> None:
    """The run goes on and ends at once when asked to, although the broker cannot be told."""
    with (tmp_path / "said").open("w") as said:
        process = run(stderr=said)
    wait_for("mqtt-unreachable", tmp_path / "said")
    begun = time.monotonic()
    process.send_signal(signal.SIGTERM)
    assert (process.wait(10), time.monotonic() - begun < 2.5) == (0, True)


def test_a_broker_that_was_restarted_is_told_again(
    broker: Broker, observe: Callable[..., Observer], run: Callable[..., Any], photographs: Path, tmp_path: Path
) -> None:
    """A broker that forgot what it retained gets availability and state afresh, without waiting for a change."""
    broker.start()
    observer = observe(broker.port)
    (tmp_path / "same").mkdir()
    (tmp_path / "same" / "red.png").write_bytes((photographs / "1_red.png").read_bytes())
    run(camera=f"photos:{tmp_path / 'same'}?loop&fps=20")
    observer.wait("labelcam/door/state")
    broker.stop()
    time.sleep(0.5)
    broker.start()
    again = observe(broker.port)
    again.wait("labelcam/door/availability", "online")
    assert json.loads(again.wait("labelcam/door/state").payload)["model"] == "colours"


def protected(broker: Broker, tmp_path: Path, need_tool: Callable[..., str]) -> None:
    """Let only the user "cam" in, with the password "right"."""
    passwords = tmp_path / "passwords"
    subprocess.run(
        [need_tool("mosquitto_passwd", "mosquitto"), "-b", "-c", passwords, "cam", "right"],
        check=True, capture_output=True,
    )  # fmt: skip
    passwords.chmod(0o644)
    broker.configure("allow_anonymous false", f"password_file {passwords}", "user root")


def secret(tmp_path: Path, text: str, mode: int = 0o600) -> str:
    """The settings lines that log in with this password."""
    path = tmp_path / "password"
    path.write_text(text)
    path.chmod(mode)
    return f'user = "cam"\npassword_file = "{path}"\n'


def test_a_wrong_password_is_a_warning_and_the_right_one_gets_in(
    broker: Broker, run: Callable[..., Any], tmp_path: Path, need_tool: Callable[..., str], observe: Callable[..., Any]
) -> None:
    """Refused, the run goes on with a warning that says what to check; the password itself is never logged."""
    protected(broker, tmp_path, need_tool)
    broker.start()
    with (tmp_path / "said").open("w") as said:
        process = run(secret(tmp_path, "wrong\n"), camera="synthetic:64x48@20", stderr=said)
    wait_for("mqtt-refused", tmp_path / "said")
    assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0
    stderr = (tmp_path / "said").read_text()
    assert "check user and password" in stderr
    assert "wrong" not in stderr
    run(secret(tmp_path, "right\n"))
    observe(broker.port, username="cam", password="right").wait("labelcam/door/availability", "online")


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o606])
def test_a_password_that_others_can_read_is_refused(
    mode: int, run: Callable[..., Any], tmp_path: Path, the_error: Callable[[str], str]
) -> None:
    """An open password file is a mistake in the settings: 78, with the chmod that mends it."""
    process = run(secret(tmp_path, "right", mode))
    _, stderr = process.communicate(timeout=20)
    assert process.returncode == 78
    assert f"has mode {mode:04o}, open to others; run: chmod 600" in the_error(stderr)


def test_a_missing_password_file_is_refused(
    run: Callable[..., Any], tmp_path: Path, the_error: Callable[[str], str]
) -> None:
    """Better no start than an anonymous one."""
    process = run(f'user = "cam"\npassword_file = "{tmp_path / "gone"}"\n')
    _, stderr = process.communicate(timeout=20)
    assert process.returncode == 78
    assert "cannot be read (No such file" in the_error(stderr)


def test_a_bad_certificate_is_refused(run: Callable[..., Any], tmp_path: Path, the_error: Callable[[str], str]) -> None:
    """A CA file that is none is found out at start."""
    (tmp_path / "ca.pem").write_text("no certificate")
    process = run(f'tls = true\nca_file = "{tmp_path / "ca.pem"}"\n')
    _, stderr = process.communicate(timeout=20)
    assert process.returncode == 78
    assert "mqtt.ca_file" in the_error(stderr)
