# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""What a broker is still to be told: the newest of every retained topic, every event in order, and never much.

paho sends what a lost connection left unacknowledged *after* everything that is published on the new one. An old state
would be retained over a newer one. Hence of each topic at most one message is under way; the next waits for its answer.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

EVENTS = 1000
"""Events that a broker may be behind before the oldest are dropped."""

EVENTS_UNDER_WAY = 10
"""Of them, those that wait for its answer."""

POURED_UNDER_WAY = 100
"""Messages of no lasting worth that may wait to be written; with a broker that hangs, the socket takes no more."""


@dataclass(frozen=True, slots=True)
class Message:
    """Something to publish."""

    topic: str
    payload: str | bytes
    qos: int = 1
    retain: bool = False


class Outgoing:
    """Called from the publisher's thread and from paho's; never waits, and sends on whichever thread comes along."""

    def __init__(self, send: Callable[[Message], int | None]) -> None:
        """`send` returns a number that `acknowledged` will be called with, or None if it cannot send just now."""
        self._send = send
        self.lost = 0
        """Messages that were dropped."""

        self._connected = False
        self._kept: dict[str, Message] = {}
        self._due: dict[str, None] = {}
        """Topics, in order, whose newest message is still to be sent."""

        self._events: deque[Message] = deque()
        self._under_way: dict[int, Message] = {}
        self._resent: set[int] = set()
        """Events that the last connection left unacknowledged: the ones after them wait for them."""

        self._inbox: deque[Callable[[], None]] = deque()
        self._working = threading.Lock()

    def keep(self, topic: str, payload: str | bytes) -> None:
        """Have the broker retain this, now and whenever it may have forgotten; an older one is no longer sent."""
        self._post(partial(self._keep, Message(topic, payload, retain=True)))

    def tell(self, topic: str, payload: str) -> None:
        """Send an event, once and in order, however long the broker is away."""
        self._post(partial(self._tell, Message(topic, payload)))

    def pour(self, topic: str, payload: str | bytes) -> None:
        """Send something that is soon stale; where the broker does not take it at once, it is lost and counted."""
        self._post(partial(self._pour, Message(topic, payload, qos=0)))

    def connected(self) -> None:
        """Begin, and tell everything that is kept: a broker that was restarted may have forgotten it."""
        self._post(self._connect)

    def disconnected(self) -> None:
        """Wait until there is a broker again."""
        self._post(self._disconnect)

    def acknowledged(self, number: int) -> None:
        """Take note that a message has arrived."""
        self._post(partial(self._acknowledge, number))

    def again(self) -> None:
        """Tell everything that is kept once more, to somebody who has just come."""
        self._post(self._all_due)

    def drain(self, seconds: float) -> None:
        """Wait until everything is acknowledged, for so long at most."""
        deadline_s = time.monotonic() + seconds
        while self._is_busy() and time.monotonic() < deadline_s:
            time.sleep(0.005)

    def _is_busy(self) -> bool:
        return bool(self._inbox or self._working.locked() or self._events or self._due or self._under_way)

    # One thread at a time works; the others leave what they want in the inbox and go. No lock is waited for: paho calls
    # `acknowledged` while it holds one of its own, which `send` takes as well.

    def _post(self, work: Callable[[], None]) -> None:
        self._inbox.append(work)
        while self._inbox and self._working.acquire(blocking=False):
            try:
                while self._inbox:
                    self._inbox.popleft()()
                self._advance()
            finally:
                self._working.release()

    def _keep(self, message: Message) -> None:
        self._kept[message.topic] = message
        self._due.pop(message.topic, None)
        self._due[message.topic] = None

    def _tell(self, message: Message) -> None:
        self._events.append(message)
        if len(self._events) > EVENTS:
            self._events.popleft()
            self.lost += 1

    def _pour(self, message: Message) -> None:
        waiting = sum(not other.qos for other in self._under_way.values())
        number = self._send(message) if self._connected and waiting < POURED_UNDER_WAY else None
        if number is None:
            self.lost += 1
        else:
            self._under_way[number] = message

    def _connect(self) -> None:
        self._connected = True
        self._resent = {number for number, message in self._under_way.items() if not message.retain}
        self._all_due()

    def _all_due(self) -> None:
        self._due = dict.fromkeys(self._kept)

    def _disconnect(self) -> None:
        self._connected = False
        # paho forgets these, and sends the others again.
        for number in [number for number, message in self._under_way.items() if not message.qos]:
            del self._under_way[number]
            self.lost += 1

    def _acknowledge(self, number: int) -> None:
        self._under_way.pop(number, None)
        self._resent.discard(number)

    def _advance(self) -> None:
        """Send what may be sent."""
        if self._connected:
            self._send_events()
            self._send_kept()

    def _send_events(self) -> None:
        under_way = sum(message.qos == 1 and not message.retain for message in self._under_way.values())
        while self._events and not self._resent and under_way < EVENTS_UNDER_WAY:
            if (number := self._send(self._events[0])) is None:
                return
            self._under_way[number] = self._events.popleft()
            under_way += 1

    def _send_kept(self) -> None:
        busy = {message.topic for message in self._under_way.values() if message.retain}
        for topic in [topic for topic in self._due if topic not in busy]:
            if (number := self._send(self._kept[topic])) is None:
                return
            self._under_way[number] = self._kept[topic]
            del self._due[topic]
