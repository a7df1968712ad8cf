# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""MQTT: the state retained, events, telemetry, and a last will that tells when we are gone."""

import json
import logging
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode

from ..account import Summary
from ..credentials import read_credential
from ..errors import SettingsError
from ..records import Event, ModelCard, Notice, Reading
from ..settings import MqttSettings
from . import Publisher

log = logging.getLogger(__name__)

HEARTBEAT_S = 60.0
"""The state is published when it changes, and at least this often."""


class Mqtt(Publisher):
    """Keeps one connection to a broker, whenever it can be had, and says there what is seen."""

    name = "mqtt"

    def __init__(self, settings: MqttSettings, clock: Callable[[], float] = time.monotonic) -> None:
        """Prepare, without touching the network. Raises SettingsError if the secrets or certificates cannot be used."""
        node = settings.node or socket.gethostname()
        self._topic = f"{settings.base_topic}/{node}"
        self._where = f"{settings.host}:{settings.port}"
        self._settings, self._model, self._clock = settings, "", clock
        self._state: str | None = None
        self._retained: dict[str, str] = {}
        self._due_s = 0.0
        self._refused = False
        self._client = paho.Client(CallbackAPIVersion.VERSION2, client_id=f"labelcam-{node}")
        self._client.reconnect_delay_set(min_delay=1, max_delay=60)
        self._client.max_queued_messages_set(100)
        self._client.will_set(f"{self._topic}/availability", "offline", qos=1, retain=True)
        self._client.on_connect = self._connected
        self._client.on_connect_fail = self._unreachable
        self._client.on_disconnect = self._disconnected
        if settings.user:
            self._client.username_pw_set(
                settings.user, read_credential("mqtt", settings.password_file, "mqtt.password_file")
            )
        if settings.tls:
            self._set_up_tls(settings.ca_file)

    def _set_up_tls(self, ca_file: str) -> None:
        try:
            self._client.tls_set(ca_certs=ca_file or None)
        except (OSError, ValueError) as error:
            raise SettingsError(f"mqtt.ca_file = {ca_file!r} cannot be used ({error}); give a PEM file") from None

    def open(self) -> None:
        # The network thread connects, and goes on trying, the first time as well: a missing broker is normal life.
        self._client.connect_async(self._settings.host, self._settings.port)
        self._client.loop_start()

    def introduce(self, card: ModelCard) -> None:
        self._model = card.name

    def wants(self, reading: Reading) -> bool:
        changed = reading.decision.event is not None or reading.decision.state != self._state
        return changed or self._clock() >= self._due_s

    def publish(self, reading: Reading) -> None:
        document = reading.as_json() | {"model": self._model, "camera": "ok"}
        if reading.decision.event:
            self._tell(reading.decision.event, document["time"])
        self._state, self._due_s = reading.decision.state, self._clock() + HEARTBEAT_S
        self._retain("state", document)

    def report(self, summary: Summary) -> None:
        self._client.publish(f"{self._topic}/telemetry", json.dumps(summary.as_json()))

    def notice(self, notice: Notice) -> None:
        document = notice.as_json() | {"model": self._model}
        if notice.event:
            self._tell(notice.event, document["time"])
        if notice.camera == "lost":
            self._state = None  # whatever comes when it is back is news
            self._retain("state", document)

    def _tell(self, event: Event, time: str) -> None:
        self._client.publish(f"{self._topic}/event", json.dumps({**event.as_json(), "time": time}), qos=1)

    def _retain(self, name: str, document: dict[str, Any]) -> None:
        self._retained[name] = json.dumps(document)
        if self._client.is_connected():
            self._client.publish(f"{self._topic}/{name}", self._retained[name], qos=1, retain=True)

    def close(self) -> None:
        if self._client.is_connected():
            goodbye = self._client.publish(f"{self._topic}/availability", "offline", qos=1, retain=True)
            with suppress(RuntimeError, ValueError):  # the broker went away meanwhile; its last will says the same
                goodbye.wait_for_publish(1.0)
        self._client.disconnect()
        self._client.loop_stop()

    def _connected(self, client: paho.Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        self._refused = bool(reason.is_failure)
        if self._refused:
            log.warning("mqtt-refused broker=%s reason=%s; check user and password", self._where, reason)
            return
        log.info("mqtt-connected broker=%s topic=%s", self._where, self._topic)
        # A broker that was restarted may have forgotten everything that it retained.
        client.publish(f"{self._topic}/availability", "online", qos=1, retain=True)
        for name, payload in list(self._retained.items()):
            client.publish(f"{self._topic}/{name}", payload, qos=1, retain=True)

    def _unreachable(self, _client: paho.Client, _data: Any) -> None:
        # paho does not say why, so we ask once more: a misspelt name wants another remedy than a broker that is down.
        why = reason_unreachable(self._settings)
        log.warning("mqtt-unreachable broker=%s reason=%r; trying again, at most 60 s apart", self._where, why)

    def _disconnected(self, _client: paho.Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if reason != MQTTErrorCode.MQTT_ERR_SUCCESS and reason != 0 and not self._refused:
            log.warning("mqtt-disconnected broker=%s reason=%s; trying again", self._where, reason)


def reason_unreachable(settings: MqttSettings) -> str:
    """Return why the broker cannot be reached right now; an empty text if it can."""
    try:
        socket.create_connection((settings.host, settings.port), timeout=2.0).close()
    except OSError as error:
        return error.strerror or str(error)
    return ""
