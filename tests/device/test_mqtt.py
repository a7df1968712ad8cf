# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""MQTT against a real mosquitto that each test starts on a port of its own."""

import json
import signal
import subprocess
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from mosquitto import Broker, Observer, eventually
from network_camera import NetworkCamera
from said import wait_for

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def run(start: Start, broker: Broker, colours: Path, tmp_path: Path) -> Callable[..., "subprocess.Popen[str]"]:
    """Start the daemon with the broker in its settings; its node is called "door"."""

    def begin(extra: str = "", camera: str = "synthetic:64x48@20", **options: Any) -> "subprocess.Popen[str]":
        settings = tmp_path / "labelcam.toml"
        settings.write_text(
            f'[decision]\nthreshold = 0.1\n[mqtt]\nhost = "127.0.0.1"\nport = {broker.port}\nnode = "door"\n{extra}'
        )
        (tmp_path / "stderr").write_text("")
        with (tmp_path / "stderr").open("a") as stderr:
            options = {"stdout": subprocess.DEVNULL, "stderr": stderr} | options
            return start("run", "--settings", settings, "--model", colours, "--camera", camera, **options)

    return begin


@pytest.fixture
def wait_for_log(tmp_path: Path) -> Callable[[str], str]:
    """Wait until the daemon has logged something; return all that it has logged."""

    def wait(text: str) -> str:
        wait_for(text, tmp_path / "stderr")
        return (tmp_path / "stderr").read_text()

    return wait


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
    broker: Broker, observe: Callable[..., Observer], run: Callable[..., Any], wait_for_log: Callable[[str], str]
) -> None:
    """A missing broker is normal life: the run begins without it, and tells it everything when it is there."""
    process = run()
    wait_for_log("mqtt-unreachable")
    assert process.poll() is None
    broker.start()
    observer = observe(broker.port)
    observer.wait("labelcam/door/availability", "online")
    assert json.loads(observer.wait("labelcam/door/state").payload)["model"] == "colours"
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0
    assert "Traceback" not in wait_for_log("mqtt-connected")


def test_a_broker_that_never_comes_changes_nothing(run: Callable[..., Any], wait_for_log: Callable[[str], str]) -> None:
    """The run goes on and ends at once when asked to, although the broker cannot be told; that is said once."""
    process = run()
    wait_for_log("mqtt-unreachable")
    time.sleep(2)  # two more attempts
    begun = time.monotonic()
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0
    assert time.monotonic() - begun < 2.5
    assert wait_for_log("mqtt-unreachable").count("mqtt-unreachable") == 1


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
    broker: Broker,
    run: Callable[..., Any],
    tmp_path: Path,
    need_tool: Callable[..., str],
    observe: Callable[..., Any],
    wait_for_log: Callable[[str], str],
) -> None:
    """Refused, the run goes on with one warning that says what to check; the password itself is never logged."""
    protected(broker, tmp_path, need_tool)
    broker.start()
    process = run(secret(tmp_path, "wrong\n"))
    wait_for_log("mqtt-refused")
    time.sleep(2)  # two more attempts
    assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0
    stderr = wait_for_log("check user and password")
    assert stderr.count("mqtt-refused") == 1
    assert "mqtt-disconnected" not in stderr
    assert "wrong" not in stderr
    run(secret(tmp_path, "right\n"))
    observe(broker.port, username="cam", password="right").wait("labelcam/door/availability", "online")


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o606])
def test_a_password_that_others_can_read_is_refused(
    mode: int, run: Callable[..., Any], tmp_path: Path, the_error: Callable[[str], str]
) -> None:
    """An open password file is a mistake in the settings: 78, with the chmod that mends it."""
    process = run(secret(tmp_path, "right", mode))
    assert process.wait(20) == 78
    stderr = (tmp_path / "stderr").read_text()
    assert f"has mode {mode:04o}, open to others; run: chmod 600" in the_error(stderr)


def test_a_missing_password_file_is_refused(
    run: Callable[..., Any], tmp_path: Path, the_error: Callable[[str], str]
) -> None:
    """Better no start than an anonymous one."""
    process = run(f'user = "cam"\npassword_file = "{tmp_path / "gone"}"\n')
    assert process.wait(20) == 78
    stderr = (tmp_path / "stderr").read_text()
    assert "cannot be read (No such file" in the_error(stderr)


def test_a_bad_certificate_is_refused(run: Callable[..., Any], tmp_path: Path, the_error: Callable[[str], str]) -> None:
    """A CA file that is none is found out at start."""
    (tmp_path / "ca.pem").write_text("no certificate")
    process = run(f'tls = true\nca_file = "{tmp_path / "ca.pem"}"\n')
    assert process.wait(20) == 78
    stderr = (tmp_path / "stderr").read_text()
    assert "mqtt.ca_file" in the_error(stderr)


def test_a_broker_that_hangs_does_not_hold_up_the_end(
    broker: Broker, observe: Callable[..., Observer], run: Callable[..., Any]
) -> None:
    """Asked to stop while the broker answers nothing, the daemon is gone within two seconds all the same."""
    broker.start()
    observer = observe(broker.port)
    process = run("readings = true\n")
    observer.wait("labelcam/door/reading")
    broker.hang()
    begun = time.monotonic()
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0
    assert time.monotonic() - begun < 3  # two on a machine that has nothing else to do


def test_new_settings_reach_home_assistant_by_sighup(
    broker: Broker, observe: Callable[..., Observer], run: Callable[..., Any], tmp_path: Path
) -> None:
    """A sensor that the new settings do not have disappears, without a restart; the device is online again at once."""
    broker.start()
    observer = observe(broker.port)
    process = run('[home_assistant]\nenabled = true\nlabels = ["red", "green"]\n')
    topic = "homeassistant/device/labelcam_door/config"
    assert "name" in json.loads(observer.wait(topic).payload)["cmps"]["is_green"]
    settings = tmp_path / "labelcam.toml"
    settings.write_text(settings.read_text().replace('["red", "green"]', '["red"]'))
    process.send_signal(signal.SIGHUP)
    gone = {"p": "binary_sensor"}
    eventually(lambda: json.loads(observer.last[topic].payload)["cmps"].get("is_green") == gone, "the end of green")
    observer.wait("labelcam/door/availability", "online")
    settings.write_text(settings.read_text().replace('["red"]', '["redd"]'))
    process.send_signal(signal.SIGHUP)
    wait_for("did you mean 'red'?", tmp_path / "stderr")
    assert process.poll() is None


@pytest.mark.parametrize("trusted", [True, False])
def test_an_encrypted_broker_is_held_against_its_certificate(
    trusted: bool,
    broker: Broker,
    run: Callable[..., Any],
    tmp_path: Path,
    certificate: Path,
    wait_for_log: Callable[[str], str],
) -> None:
    """With the authority in ca_file we get in; without it nothing is said to whoever answers there."""
    broker.configure(f"certfile {certificate}", f"keyfile {certificate}", "allow_anonymous true", "user root")
    broker.start()
    ca_file = f'ca_file = "{certificate}"\n' if trusted else ""
    process = run(f"tls = true\n{ca_file}")
    told = wait_for_log("mqtt-connected" if trusted else "mqtt-")
    assert ("mqtt-connected" in told) is trusted
    assert trusted or "its certificate is not good" in told, told
    assert process.poll() is None
