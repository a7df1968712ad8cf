# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""A real mosquitto on this host, and what arrives at it."""

import json
import queue
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion


@dataclass(frozen=True, slots=True)
class Broker:
    """Where it listens."""

    port: int

    @contextmanager
    def heard(self, topic: str) -> Iterator["queue.Queue[dict[str, Any]]"]:
        """Give what is published under a topic from now on; what is retained may be another test's."""
        found: queue.Queue[dict[str, Any]] = queue.Queue()
        client = paho.Client(CallbackAPIVersion.VERSION2)
        client.on_connect = lambda client, *_: client.subscribe(topic, qos=1)
        client.on_message = lambda _client, _data, message: message.retain or found.put(json.loads(message.payload))
        client.connect("127.0.0.1", self.port)
        client.loop_start()
        try:
            yield found
        finally:
            client.disconnect()
            client.loop_stop()


@contextmanager
def broker(folder: Path) -> Iterator[Broker]:
    """Run one that keeps nothing on disk."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    config = folder / "mosquitto.conf"
    config.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\n")
    process = subprocess.Popen(["mosquitto", "-c", config], stderr=subprocess.DEVNULL)
    try:
        _wait_for(port)
        yield Broker(port)
    finally:
        process.terminate()
        process.wait(10)


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(f"mosquitto does not listen on {port}")
