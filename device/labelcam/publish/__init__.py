# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The seam between readings and everyone who wants them: one bounded queue and one thread for each publisher."""

import logging
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Protocol

from ..account import Summary
from ..records import ModelCard, Notice, Reading

log = logging.getLogger(__name__)

QUEUE_LENGTH = 256
"""Readings that a slow publisher may be behind before its oldest are dropped: about 25 s at 10 frames a second."""


CLOSE_S = 1.2
"""What all publishers together may take to say their last words: a stop takes two seconds at most, camera and all."""

REPORT_EVERY_S = 60.0

Item = Reading | Summary | Notice | ModelCard

Watch = Callable[[str, str, int], None]
"""Called on a publisher's thread with its name, what it has just sent, and when that began (monotonic, ns)."""


class Publisher(Protocol):
    """Sends readings somewhere, on a thread of its own. What a publisher derived from this leaves out does nothing."""

    name: str

    lossless: bool = False
    """True: a finite source waits for this publisher rather than have it lose a reading."""

    ended: bool = False
    """It has failed for good; a reload makes another."""

    report_every_s: float = REPORT_EVERY_S
    """How often it wants the account of the run so far."""

    first_report_s: float = REPORT_EVERY_S
    """After how long it wants the first one, if that is sooner."""

    @property
    def lost(self) -> int:
        """How many things it took and could not get rid of; what its queue drops is counted there."""
        return 0

    def open(self) -> None:
        """Make contact, without waiting for it."""
        return

    def introduce(self, card: ModelCard) -> None:  # noqa: ARG002, for those who care
        """Learn what runs from now on; called before the first reading, and when another model takes over."""
        return

    def wants(self, reading: Reading) -> bool:
        """Whether this reading is worth sending.

        Called on the pipeline's thread, so it must be quick: it is there because waking a thread in vain costs more.
        """
        ...

    def publish(self, reading: Reading) -> None:
        """Send one reading."""
        ...

    def report(self, summary: Summary) -> None:  # noqa: ARG002, the same
        """Send the account of the run so far; called every `report_every_s`, and when something remarkable happens."""
        return

    def notice(self, notice: Notice) -> None:  # noqa: ARG002, the same
        """Send what there is to say without a reading, if it matters here."""
        return

    def hurry(self) -> None:
        """Wait for nothing any more: the end has begun. Called on another thread, while this one may be sending."""
        return

    def close(self) -> None:
        """Send what must be sent last and break off."""
        return


class Outbox:
    """A publisher behind its queue."""

    def __init__(self, publisher: Publisher, after: "Outbox | None" = None, watch: Watch | None = None) -> None:
        """`after` is one that must have ended first: two clients of one name would throw each other out."""
        self.publisher = publisher
        self._watch = watch
        self.dropped = 0
        self.report_at_s = time.monotonic() + min(publisher.report_every_s, publisher.first_report_s)
        self._after = after
        self._queue: deque[Item] = deque()
        self._changed = threading.Condition()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name=f"publish-{publisher.name}", daemon=True)

    def open(self) -> None:
        self._thread.start()

    def offer(self, item: Item, wait: Callable[[], bool]) -> None:
        """Hand an item over. Where the queue is full, wait for room as long as `wait()`, then drop the oldest."""
        with self._changed:
            while len(self._queue) >= QUEUE_LENGTH and self.publisher.lossless and self._thread.is_alive() and wait():
                self._changed.wait(0.1)  # short, so that a signal is answered soon
            if len(self._queue) >= QUEUE_LENGTH:
                self._queue.popleft()
                self.dropped += 1
            self._queue.append(item)
            self._changed.notify_all()

    def has_ended(self) -> bool:
        """Whether nothing more will come of it."""
        return not self._thread.is_alive()

    def lost(self) -> int:
        """Return how many items did not arrive, as far as one knows."""
        return self.dropped + self.publisher.lost

    def finish(self) -> None:
        """Take no more; what is queued is still sent."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self.publisher.hurry()

    def join(self, deadline_s: float, wait: Callable[[], bool]) -> None:
        """Wait until everything is sent: a lossless publisher as long as `wait()`, others until the deadline.

        What is left then is counted as dropped.
        """
        while self.publisher.lossless and self._thread.is_alive() and wait():
            self._thread.join(0.1)
        self._thread.join(max(0.0, deadline_s - time.monotonic()))
        with self._changed:
            self.dropped += len(self._queue)
            self._queue.clear()
        if self._thread.is_alive():
            log.warning("publisher-stuck name=%s: its last readings are lost", self.publisher.name)

    def _run(self) -> None:
        if self._after:
            self._after.join(time.monotonic() + CLOSE_S, wait=lambda: False)
            self._after = None
        try:
            self.publisher.open()
            while (item := self._take()) is not None:
                self._hand_over(item)
            self.publisher.close()
        except BrokenPipeError:
            log.debug("publisher-ended name=%s: its reader left", self.publisher.name)
        except Exception as error:
            log.warning("publisher-ended name=%s reason=%r", self.publisher.name, str(error))
            log.debug("publisher-ended", exc_info=True)
        self.publisher.ended = not self._closing

    def _hand_over(self, item: Item) -> None:
        begun_ns = time.monotonic_ns() if self._watch else 0
        self._send(item)
        if self._watch:
            self._watch(self.publisher.name, type(item).__name__.lower(), begun_ns)

    def _send(self, item: Item) -> None:
        match item:
            case Reading():
                self.publisher.publish(item)
            case Summary():
                self.publisher.report(item)
            case Notice():
                self.publisher.notice(item)
            case ModelCard():
                self.publisher.introduce(item)

    def _take(self) -> Item | None:
        with self._changed:
            self._changed.wait_for(lambda: self._queue or self._closing)
            item = self._queue.popleft() if self._queue else None
            self._changed.notify_all()
            return item


class Publishers:
    """All of them together. Only for the pipeline's thread."""

    def __init__(
        self, publishers: Mapping[str, Publisher], wait: Callable[[], bool], watch: Watch | None = None
    ) -> None:
        """While `wait()` is true, those that are to lose nothing are waited for."""
        self._wait, self._watch = wait, watch
        self._outboxes: dict[str, Outbox] = {}
        self._gone: list[tuple[str, Outbox]] = []
        """Those that may still be about their last words."""

        self._lost_before: Counter[str] = Counter()
        """By those that have said them."""

        self.report_at_s = 0.0
        """When the next account is due."""

        self.become(publishers)

    def become(self, publishers: Mapping[str, Publisher]) -> None:
        """Run these from now on: those that run already go on, what is not among them says its last words."""
        before, self._outboxes = self._outboxes, {}
        for name, publisher in publishers.items():
            old = before.get(name)
            if old and old.publisher is publisher:
                self._outboxes[name] = before.pop(name)
                continue
            self._outboxes[name] = Outbox(publisher, old, self._watch)
            self._outboxes[name].open()
        for name, gone in before.items():
            gone.finish()
            self._gone.append((name, gone))
        self._forget_the_silent()
        self._set_due()

    def _forget_the_silent(self) -> None:
        for name, outbox in [(name, outbox) for name, outbox in self._gone if outbox.has_ended()]:
            outbox.join(0.0, wait=lambda: False)
            self._lost_before[name] += outbox.lost()
            self._gone.remove((name, outbox))

    def offer(self, reading: Reading) -> None:
        """Hand a reading to every publisher that wants it; blocks only where a finite source is to lose nothing."""
        for outbox in self._outboxes.values():
            if outbox.publisher.wants(reading):
                outbox.offer(reading, self._wait)

    def tell(self, item: Notice | ModelCard | Summary) -> None:
        """Hand it to every publisher."""
        for outbox in self._outboxes.values():
            outbox.offer(item, self._wait)

    def report(self, summary: Summary, now_s: float) -> None:
        """Hand the account of the run so far to the publishers for which it is due."""
        for outbox in self._outboxes.values():
            if now_s >= outbox.report_at_s:
                outbox.report_at_s = now_s + outbox.publisher.report_every_s
                outbox.offer(summary, self._wait)
        self._set_due()

    def _set_due(self) -> None:
        due = (outbox.report_at_s for outbox in self._outboxes.values())
        self.report_at_s = min(due, default=time.monotonic() + REPORT_EVERY_S)

    def dropped(self) -> dict[str, int]:
        """Return how many items each publisher had to drop, and lost on the way."""
        lost = self._lost_before.copy()
        for name, outbox in (*self._gone, *self._outboxes.items()):
            lost[name] += outbox.lost()
        return dict(lost)

    def ended(self) -> list[str]:
        """Return which have failed for good, and do nothing any more."""
        return [name for name, outbox in self._outboxes.items() if outbox.publisher.ended]

    def close(self) -> None:
        """Let every publisher finish, all of them in little over a second; lossless ones while they are waited for."""
        for outbox in self._outboxes.values():
            outbox.finish()
        deadline_s = time.monotonic() + CLOSE_S
        for outbox in (*(outbox for _, outbox in self._gone), *self._outboxes.values()):
            outbox.join(deadline_s, self._wait)


@contextmanager
def run_publishers(
    publishers: Mapping[str, Publisher], wait: Callable[[], bool], watch: Watch | None = None
) -> Iterator[Publishers]:
    """Run publishers, each under its name and on its thread, for the length of the block.

    While `wait()` is true, those that are to lose nothing are waited for.
    """
    running = Publishers(publishers, wait, watch)
    try:
        yield running
    finally:
        running.close()
