# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The window: a page with the live picture, and what programs may ask for over HTTP. Off unless it is enabled.

Nothing in this package is imported before, because aiohttp alone takes 13 MB.
"""

import socket
import time
from collections.abc import Callable

from ...account import Summary
from ...credentials import read_credential
from ...pictures import Pictures
from ...records import ModelCard, Notice, Reading
from ...settings import HttpSettings, LabelsSettings
from .. import Publisher
from .app import make_app
from .bell import Bell
from .feed import Feed
from .guard import Guard
from .keys import Keys
from .server import Server

IDLE_S = 1.0
"""How often a reading is taken while nobody watches: for the plot's first three minutes, and for /api/v1/state."""

WATCHED_S = 0.05
"""How often while somebody does: more cannot be seen."""

THUMBNAIL = 240
"""Pixels of an event's picture on its longer side."""


class Window(Publisher):
    """Keeps the newest of everything, and serves it on a thread of its own."""

    name = "http"
    report_every_s = 2.0

    def __init__(
        self,
        settings: HttpSettings,
        labels: LabelsSettings,
        pictures: Pictures | None,
        lately_s: float = 10.0,
        node: str = "labelcam",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepare, without touching the network. `pictures` is None in private mode.

        What was classified within `lately_s` counts as lately; `node` is what this machine is called. Raises
        SettingsError if the token cannot be used, or if there is none and others than this machine could connect.
        """
        keys = Keys(read_credential("http", settings.token_file, "http.token_file"), settings.host)
        self._clock, self._pictures = clock, pictures
        self._bell = Bell()
        self._feed = Feed(node, labels.names, lately_s, clock, private=pictures is None, guarded=keys.needed)
        guard = Guard(settings, keys)
        app = make_app(self._feed, self._bell, pictures, guard, keys, settings.max_clients)
        self._server = Server(app, guard, self._bell, settings)
        self._due_s = self._sampled_s = 0.0

    @property
    def port(self) -> int:
        """The port that is listened on; 0 before there is one."""
        return self._server.port

    def open(self) -> None:
        self._server.start()

    def introduce(self, card: ModelCard) -> None:
        self._feed.introduce(card)
        self._bell.ring()

    def wants(self, reading: Reading) -> bool:
        # What the page says of the moment is asked for here, so that nobody has to be woken to keep it.
        now_s = self._clock()
        self._feed.note(reading, now_s)
        if reading.decision.event is None and now_s < self._due_s and not self._feed.lost:
            return False
        self._due_s = now_s + (WATCHED_S if self._feed.viewers else IDLE_S)
        return True

    def publish(self, reading: Reading) -> None:
        now_s = self._clock()
        if now_s >= self._sampled_s + IDLE_S:
            self._sampled_s = now_s
            self._feed.sample(reading)
        if event := reading.decision.event:
            self._feed.happen(event, reading.time, self._thumbnail(reading.seq))
        self._feed.show(reading)
        self._bell.ring()

    def _thumbnail(self, seq: int) -> bytes | None:
        picture = self._pictures.of(seq) if self._pictures else None
        return picture.jpeg(longest=THUMBNAIL, quality=80) if picture else None

    def report(self, summary: Summary) -> None:
        self._feed.account(summary)
        self._bell.ring()

    def notice(self, notice: Notice) -> None:
        if notice.event:
            self._feed.happen(notice.event, notice.time, None)
        self._feed.notice(notice)
        self._bell.ring()

    def close(self) -> None:
        self._server.stop()


def reason_closed(settings: HttpSettings) -> str:
    """Return why the port cannot be listened on right now; an empty text if it can."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        socket.create_server((settings.host, settings.port), family=family).close()
    except OSError as error:
        return error.strerror or str(error)
    return ""
