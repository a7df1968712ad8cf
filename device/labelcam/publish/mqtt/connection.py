# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""One connection to a broker, whenever it can be had: the only file that knows paho."""

import logging
import ssl
import sys
import time
from collections.abc import Callable
from typing import Any

from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode

from ...credentials import read_credential
from ...errors import SettingsError
from ...settings import MqttSettings
from .outgoing import Message, Outgoing

log = logging.getLogger(__name__)

KEEPALIVE_S = 30
"""A broker that hangs is noticed after twice as long; it says that we are offline after one and a half times."""

RETRY_S = 30
"""At most so far apart are the attempts to reach it."""

LOG_EVERY_S = 60.0
ANSWER_S = 5.0
GOODBYE_S = 0.8
"""What the broker may take to acknowledge the last words."""

Heard = Callable[[bytes, bool], None]
"""Called with what came on a topic, and whether the broker had retained it from before."""


class Connection:
    """Connects, and goes on trying, the first time as well: a missing broker is normal life."""

    def __init__(self, settings: MqttSettings, availability: str) -> None:
        """Prepare, without touching the network. Raises SettingsError if the secrets or certificates cannot be used.

        `availability` is the topic that says "online", and "offline" when we are gone.
        """
        self._settings, self._availability = settings, availability
        self._where = f"{settings.host}:{settings.port}"
        self._trouble = ""
        """Why there is no connection."""

        self._logged: dict[str, float] = {}
        """When each line was logged last."""

        self._heard: dict[str, Heard] = {}
        self._client = _client(settings, f"labelcam-{settings.node_name}")
        self.out = Outgoing(self._send)
        self._client.reconnect_delay_set(min_delay=1, max_delay=RETRY_S)
        self._client.will_set(availability, "offline", qos=1, retain=True)
        self._client.on_connect = self._connected
        self._client.on_connect_fail = self._unreachable
        self._client.on_disconnect = self._disconnected
        self._client.on_publish = lambda _client, _data, number, *_: self.out.acknowledged(number)
        self._client.on_message = self._hear

    def listen(self, topic: str, heard: Heard) -> None:
        """Subscribe on every connect, so before `open`; `heard` is called on paho's thread and must not raise."""
        self._heard[topic] = heard

    def open(self) -> None:
        """Begin to connect."""
        self.out.keep(self._availability, "online")
        self._client.connect_async(self._settings.host, self._settings.port, KEEPALIVE_S)
        self._client.loop_start()

    def close(self) -> None:
        """Say offline, wait a moment for everything to arrive, and break off."""
        if self._client.is_connected():
            self.out.keep(self._availability, "offline")
            self.out.drain(GOODBYE_S)  # if the broker goes away meanwhile, its last will says the same
        self._client.disconnect()
        self._client.loop_stop()
        # Its callbacks lead back to us. Without such a ring it goes now, and its sockets with it.
        self._client = paho.Client(CallbackAPIVersion.VERSION2)

    def _send(self, message: Message) -> int | None:
        info = self._client.publish(message.topic, message.payload, message.qos, message.retain)
        # A message that paho keeps for when it is connected again is acknowledged in time, too.
        return info.mid if info.rc == MQTTErrorCode.MQTT_ERR_SUCCESS or self._keeps(message, info.rc) else None

    @staticmethod
    def _keeps(message: Message, rc: MQTTErrorCode) -> bool:
        return message.qos > 0 and rc == MQTTErrorCode.MQTT_ERR_NO_CONN

    def _connected(self, client: paho.Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            self._tell_once(f"mqtt-refused broker={self._where} reason={reason}; check user and password")
            return
        self._trouble = ""
        self._log(logging.INFO, f"mqtt-connected broker={self._where} availability={self._availability}")
        if self._heard:
            client.subscribe([(topic, 1) for topic in self._heard])
        self.out.connected()

    def _unreachable(self, _client: paho.Client, _data: Any) -> None:
        # paho does not say why, but calls us while it handles the error.
        why = _why(sys.exc_info()[1])
        self._tell_once(
            f"mqtt-unreachable broker={self._where} reason={why!r}; trying again, at most {RETRY_S} s apart"
        )

    def _disconnected(self, _client: paho.Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        self.out.disconnected()
        if reason != MQTTErrorCode.MQTT_ERR_SUCCESS and reason != 0 and not self._trouble:
            self._tell_once(f"mqtt-disconnected broker={self._where} reason={reason}; trying again")

    def _tell_once(self, trouble: str) -> None:
        """Warn of what is new: an SD card must live with a broker that is away for a month."""
        if trouble != self._trouble:
            self._log(logging.WARNING, trouble)
        self._trouble = trouble

    def _log(self, level: int, line: str) -> None:
        """Log a line, once a minute at most: two clients of one name throw each other out every second."""
        now_s = time.monotonic()
        if now_s - self._logged.get(line, -LOG_EVERY_S) >= LOG_EVERY_S:
            self._logged[line] = now_s
            log.log(level, "%s", line)

    def _hear(self, _client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
        if heard := self._heard.get(message.topic):
            heard(bytes(message.payload), message.retain)


def reason_unreachable(settings: MqttSettings) -> str:
    """Return why the broker does not let us in right now, with the remedy; an empty text if it does.

    Raises SettingsError if the secrets or certificates cannot be used.
    """
    where = f"{settings.host}:{settings.port}"
    client = _client(settings, "")  # under our own name it would throw out a daemon that runs
    answers: list[Any] = []
    client.on_connect = lambda _client, _data, _flags, reason, _properties: answers.append(reason)
    deadline_s = time.monotonic() + ANSWER_S
    try:
        client.connect(settings.host, settings.port)
        while not answers and time.monotonic() < deadline_s and client.loop(0.1) == MQTTErrorCode.MQTT_ERR_SUCCESS:
            continue
        client.disconnect()
    except OSError as error:
        return f"no broker at {where} ({_why(error)}); start it, or check host, port and tls under [mqtt]"
    if not answers:
        return f"{where} does not answer as a broker does; check host, port and tls under [mqtt]"
    return f"{where} does not let us in ({answers[0]}); check user and password" if answers[0].is_failure else ""


def _client(settings: MqttSettings, name: str) -> paho.Client:
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id=name)
    if settings.user:
        password = read_credential("mqtt", settings.password_file, "mqtt.password_file")
        client.username_pw_set(settings.user, password)
    if settings.tls:
        try:
            client.tls_set(ca_certs=settings.ca_file or None)
        except (OSError, ValueError) as error:
            what = f"mqtt.ca_file = {settings.ca_file!r}"
            raise SettingsError(f"{what} cannot be used ({error}); give a PEM file") from None
    return client


def _why(error: BaseException | None) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not good ({error.verify_message}), see ca_file"
    return getattr(error, "strerror", None) or str(error)
