# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""MQTT: the state retained, events, telemetry, a picture when asked for one, and a last will for when we are gone."""

import json
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import partial
from types import MappingProxyType
from typing import Any

from ...account import Summary
from ...pictures import Pictures
from ...records import SCHEMA, Event, ModelCard, Notice, Reading
from ...settings import HomeAssistantSettings, MqttSettings
from .. import Publisher
from ..home_assistant import discovery, discovery_topic
from .connection import Connection, reason_unreachable
from .introduction import Introduction

__all__ = ["Mqtt", "reason_unreachable"]

log = logging.getLogger(__name__)

HEARTBEAT_S = 60.0
"""The state is published when it changes, and at least this often."""

SNAPSHOT_EVERY_S = 0.5
"""Whoever asks for a snapshot sooner after another gets that one."""

NO_NAMES: Mapping[str, str] = MappingProxyType({})
NO_HOME_ASSISTANT = HomeAssistantSettings()


class Mqtt(Publisher):
    """Keeps one connection to a broker, whenever it can be had, and says there what is seen."""

    name = "mqtt"
    first_report_s = 5.0  # Home Assistant shows what it has not been told as unknown

    def __init__(
        self,
        settings: MqttSettings,
        home_assistant: HomeAssistantSettings = NO_HOME_ASSISTANT,
        names: Mapping[str, str] = NO_NAMES,
        pictures: Pictures | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepare, without touching the network. Raises SettingsError if the secrets or certificates cannot be used.

        `names` is what labels are called where people read them; without `pictures` there are no snapshots.
        """
        self._topic = f"{settings.base_topic}/{settings.node_name}"
        self._readings, self._pictures, self._clock = settings.readings, pictures, clock
        self._model = ""
        self._state: str | None = None
        self._due_s = self._next_snapshot_s = 0.0
        self._connection = Connection(settings, f"{self._topic}/availability")
        self._out = self._connection.out
        compose = partial(discovery, self._topic, settings.node_name, home_assistant, names, pictures is not None)
        self._introduction = Introduction(
            discovery_topic(home_assistant, settings.node_name),
            compose if home_assistant.enabled else None,
            self._out.keep,
        )
        self._connection.listen(self._introduction.topic, self._introduction.remembered)
        if home_assistant.enabled:
            self._connection.listen(f"{home_assistant.discovery_prefix}/status", self._greet)
        if pictures:
            self._connection.listen(f"{self._topic}/snapshot/set", self._snapshot)

    @property
    def lost(self) -> int:
        return self._out.lost

    def open(self) -> None:
        if self._pictures is None:
            log.info("mqtt-no-snapshots reason='camera.private is set'")
        self._connection.open()

    def introduce(self, card: ModelCard) -> None:
        self._model = card.name
        document = asdict(card) | {"labels": len(card.labels), "fidelity": dict(card.fidelity)}
        self._out.keep(f"{self._topic}/model", json.dumps({"schema": SCHEMA, **document}))
        self._introduction.introduce(card)

    def wants(self, reading: Reading) -> bool:
        return self._readings or self._is_news(reading)

    def _is_news(self, reading: Reading) -> bool:
        changed = reading.decision.event is not None or reading.decision.state != self._state
        return changed or self._clock() >= self._due_s

    def publish(self, reading: Reading) -> None:
        document = reading.as_json() | {"model": self._model, "camera": "ok"}
        if self._readings:
            self._out.pour(f"{self._topic}/reading", json.dumps(document))
        if not self._is_news(reading):
            return
        if reading.decision.event:
            self._tell(reading.decision.event, document["time"])
        self._state, self._due_s = reading.decision.state, self._clock() + HEARTBEAT_S
        self._keep("state", document)

    def report(self, summary: Summary) -> None:
        self._keep("telemetry", summary.as_json())

    def notice(self, notice: Notice) -> None:
        document = notice.as_json() | {"model": self._model}
        if notice.event:
            self._tell(notice.event, document["time"])
        if notice.camera == "lost":
            self._state = None  # whatever comes when it is back is news
            self._keep("state", document)

    def close(self) -> None:
        self._connection.close()

    def _tell(self, event: Event, time: str) -> None:
        self._out.tell(f"{self._topic}/event", json.dumps({**event.as_json(), "time": time}))

    def _keep(self, name: str, document: Mapping[str, Any]) -> None:
        self._out.keep(f"{self._topic}/{name}", json.dumps(document))

    # The rest is called on the connection's thread.

    def _greet(self, payload: bytes, retained: bool) -> None:
        """Tell Home Assistant everything when it has come: it may have missed what was said while it was away."""
        if payload == b"online" and not retained:
            self._out.again()

    def _snapshot(self, _payload: bytes, retained: bool) -> None:
        """Publish the newest picture. It is not retained: no picture stays on the broker."""
        now_s = self._clock()
        picture = self._pictures.newest() if self._pictures else None
        if picture and not retained and now_s >= self._next_snapshot_s:
            self._next_snapshot_s = now_s + SNAPSHOT_EVERY_S
            self._out.pour(f"{self._topic}/snapshot", picture.jpeg())
