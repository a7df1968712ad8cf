# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Every event is posted to an address as JSON, in order, and again until it is taken or too old."""

import json
import logging
import socket
import threading
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from ..credentials import read_credential
from ..errors import SettingsError
from ..records import SCHEMA, ModelCard, Notice, Reading
from ..settings import WebhookSettings
from . import Publisher
from .posting import NotTaken, Poster, Refused

log = logging.getLogger(__name__)

FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 60.0
"""Between attempts; each is twice as long as the one before."""

LAST_WORDS_S = 0.9
"""What all events that are left at the end may take, within what all publishers together may."""


class Webhook(Publisher):
    """One event at a time: those behind it wait in the queue, so that none overtakes another."""

    name = "webhook"

    def __init__(self, settings: WebhookSettings, node: str) -> None:
        """Prepare, without touching the network. Raises SettingsError if the token cannot be used."""
        self._settings, self._node, self._model = settings, node, ""
        self._where = urlsplit(settings.url).netloc  # the rest may be a secret of its own
        headers = {"Content-Type": "application/json", "User-Agent": "labelcam"}
        if token := read_credential("webhook", settings.token_file, "webhook.token_file"):
            if not token.isascii() or not token.isprintable():
                raise SettingsError("the webhook's token holds characters that no header may; write it again")
            headers["Authorization"] = f"Bearer {token}"
        self._poster = Poster(settings.url, headers, settings.timeout_seconds)
        self._hurry = threading.Event()
        self._deadline_s = float("inf")
        self._given_up = 0
        self._trouble = ""

    @property
    def lost(self) -> int:
        return self._given_up

    def introduce(self, card: ModelCard) -> None:
        self._model = card.name

    def wants(self, reading: Reading) -> bool:
        event = reading.decision.event
        return event is not None and event.type in self._settings.events

    def publish(self, reading: Reading) -> None:
        document = reading.as_json()
        self._deliver({"time": document["time"], "event": document["event"], "camera": "ok", "reading": document})

    def notice(self, notice: Notice) -> None:
        if notice.event and notice.event.type in self._settings.events:
            document = notice.as_json()
            told = {key: document[key] for key in ("time", "event", "camera", "reason")}
            self._deliver({**told, "reading": None})

    def hurry(self) -> None:
        self._deadline_s = time.monotonic() + LAST_WORDS_S
        self._hurry.set()
        last_moment = threading.Timer(LAST_WORDS_S, self._poster.cut)
        last_moment.daemon = True
        last_moment.start()

    def _deliver(self, told: Mapping[str, Any]) -> None:
        """Post it until it is taken, refused for good, or too old; at the end, once more and no longer."""
        body = json.dumps({"schema": SCHEMA, "node": self._node, "model": self._model, **told}).encode()
        give_up_s, pause_s = time.monotonic() + self._settings.retry_seconds, FIRST_PAUSE_S
        while True:
            last = self._hurry.is_set()
            try:
                self._post(body)
            except Refused as error:
                self._give_up(f"{error}; not tried again, check url and token")
                return
            except NotTaken as error:
                pause_s = max(pause_s, error.pause_s)
                if last or time.monotonic() + pause_s > give_up_s:
                    self._give_up(str(error))
                    return
                self._tell(f"{error}; trying again")
            else:
                self._tell("")
                return
            self._hurry.wait(pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)

    def _post(self, body: bytes) -> None:
        if time.monotonic() >= self._deadline_s:
            raise NotTaken("there is no time left")
        self._poster.post(body)

    def _give_up(self, why: str) -> None:
        self._given_up += 1
        self._tell(why)

    def _tell(self, trouble: str) -> None:
        if trouble and trouble != self._trouble:
            log.warning("webhook-failed host=%s reason=%r", self._where, trouble)
        elif self._trouble and not trouble:
            log.warning("webhook-again host=%s given_up=%d", self._where, self._given_up)
        self._trouble = trouble


def reason_unreachable(settings: WebhookSettings) -> str:
    """Return why nobody can be reached at the address right now; an empty text if somebody can."""
    parts = urlsplit(settings.url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        socket.create_connection((parts.hostname or "", port), timeout=2.0).close()
    except (OSError, UnicodeError) as error:
        return getattr(error, "strerror", None) or str(error)
    return ""
