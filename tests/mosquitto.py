# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""A real mosquitto that tests start, kill and let hang, and somebody who listens to it."""

import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion


class Broker:
    """A mosquitto that keeps nothing on disk, so that a restart forgets what was retained."""

    def __init__(self, program: str, folder: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = int(free.getsockname()[1])
        self._program, self._config = program, folder / "mosquitto.conf"
        self._process: subprocess.Popen[bytes] | None = None
        self.configure("allow_anonymous true")

    def configure(self, *lines: str) -> None:
        """Write its settings, for the next start."""
        self._config.write_text("\n".join([f"listener {self.port} 127.0.0.1", "persistence false", *lines, ""]))

    def start(self) -> None:
        """Return when it answers."""
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
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it without a chance to say goodbye."""
        self._end(signal.SIGKILL)

    def _end(self, how: signal.Signals) -> None:
        if self._process:
            self._process.send_signal(how)
            self._process.send_signal(signal.SIGCONT)
            self._process.wait(10)
            self._process = None

    def hang(self) -> None:
        """Stop answering, with every connection open."""
        assert self._process
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Answer again."""
        assert self._process
        self._process.send_signal(signal.SIGCONT)


class Observer:
    """Somebody who subscribed to everything; keeps the last message of each topic, and all of them in order."""

    def __init__(self, port: int, **login: str) -> None:
        self.last: dict[str, paho.MQTTMessage] = {}
        self.all: list[tuple[str, str]] = []
        self._subscribed = threading.Event()
        self._client = paho.Client(CallbackAPIVersion.VERSION2)
        if login:
            self._client.username_pw_set(**login)
        self._client.on_connect = lambda client, *_: client.subscribe("#", qos=1)
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        self._client.on_message = self._note
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        assert self._subscribed.wait(20)

    def _note(self, _client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
        self.all.append((message.topic, message.payload.decode(errors="replace")))
        self.last[message.topic] = message

    def wait(self, topic: str, payload: str | None = None, seconds: float = 30) -> paho.MQTTMessage:
        """Wait until the topic's last message is this (any, where no payload is given)."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            message = self.last.get(topic)
            if message and (payload is None or message.payload == payload.encode()):
                return message
            time.sleep(0.02)
        pytest.fail(f"{topic} {payload!r} did not come; came: {self.all[-10:]}")

    def told(self, topic: str) -> list[str]:
        """Return everything that came on a topic, in order."""
        return [payload for name, payload in self.all if name == topic]

    def say(self, topic: str, payload: str, *, retain: bool = False) -> None:
        """Publish something."""
        self._client.publish(topic, payload, qos=1, retain=retain).wait_for_publish(20)

    def close(self) -> None:
        """Leave."""
        self._client.disconnect()
        self._client.loop_stop()


def eventually(truth: Callable[[], bool], what: str, seconds: float = 30) -> None:
    """Wait until something is true; fail, saying what did not happen, if it takes longer."""
    deadline = time.monotonic() + seconds
    while not truth():
        if time.monotonic() > deadline:
            pytest.fail(f"{what} did not happen within {seconds:g} s")
        time.sleep(0.02)
