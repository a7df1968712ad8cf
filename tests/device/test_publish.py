# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0

import io
import json
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from labelcam.account import Summary
from labelcam.publish import QUEUE_LENGTH, Outbox, Publisher, run_publishers
from labelcam.publish.jsonl import JsonLines
from labelcam.publish.lines import Lines
from labelcam.records import Decision, Event, Label, Notice, Reading, Stage

ODD = 'a "quoted" \\ label\nin two lines, \u2028 \u2029 \U0001f426 é \x00'


def reading(seq: int, label: str = "cat") -> Reading:
    decision = Decision((Label(label, 0.9),), label, None)
    return Reading(seq, datetime.now(UTC), None, decision, 1.0, dict.fromkeys(Stage, 1.0), 0)


class Slow(Publisher):
    """A publisher that publishes one reading each time it is let."""

    name = "slow"

    def __init__(self, lossless: bool, failure: OSError | None = None) -> None:
        self.lossless, self.seen, self.closed = lossless, [], False
        self.may_go = threading.Semaphore(0)
        self._failure = failure

    def wants(self, reading: Reading) -> bool:  # noqa: ARG002, every one
        return True

    def publish(self, reading: Reading) -> None:
        self.may_go.acquire()
        if self._failure:
            raise self._failure
        self.seen.append(reading.seq)

    def report(self, summary: Summary) -> None:
        pass

    def close(self) -> None:
        self.closed = True

    def let_go(self) -> None:
        self.may_go.release(100_000)


def always() -> bool:
    return True


def never() -> bool:
    return False


@pytest.mark.parametrize(("lossless", "wait"), [(False, always), (True, never), (False, never)])
def test_a_slow_publisher_loses_its_oldest_and_counts_them(lossless: bool, wait: Callable[[], bool]) -> None:
    """Offering never waits for a publisher that may lose readings; what is lost is the oldest, and it is counted."""
    publisher = Slow(lossless)
    begun = time.monotonic()
    with run_publishers({"slow": publisher}, wait) as out:
        for seq in range(QUEUE_LENGTH * 3):
            out.offer(reading(seq))
        assert time.monotonic() - begun < 1
        dropped = out.dropped()["slow"]
        publisher.let_go()
    assert len(publisher.seen) == QUEUE_LENGTH * 3 - dropped
    assert dropped >= QUEUE_LENGTH * 2 - 1
    assert publisher.seen == sorted(publisher.seen)
    assert publisher.seen[-1] == QUEUE_LENGTH * 3 - 1
    assert publisher.closed


def test_a_finite_source_waits_for_a_lossless_publisher() -> None:
    """Where a source can wait, nothing is lost: the pipeline stands still until there is room."""
    publisher = Slow(lossless=True)
    threading.Timer(0.2, publisher.let_go).start()
    with run_publishers({"slow": publisher}, always) as out:
        for seq in range(QUEUE_LENGTH * 3):
            out.offer(reading(seq))
    assert publisher.seen == list(range(QUEUE_LENGTH * 3))
    assert out.dropped() == {"slow": 0}


@pytest.mark.parametrize("failure", [BrokenPipeError(), OSError(28, "No space left on device")])
def test_a_publisher_that_died_is_not_waited_for(failure: OSError) -> None:
    """When the reader of a full queue goes away, the pipeline goes on; it does not wait for ever for room."""
    publisher = Slow(lossless=True, failure=failure)
    threading.Timer(0.2, publisher.let_go).start()
    begun = time.monotonic()
    with run_publishers({"slow": publisher}, always) as out:
        for seq in range(QUEUE_LENGTH * 2):
            out.offer(reading(seq))
    assert time.monotonic() - begun < 2


def test_what_a_replaced_publisher_loses_at_last_is_counted() -> None:
    """It had not sent everything when another took its place; what it never sends is lost like anything else."""
    stuck, heir = Slow(lossless=False), Slow(lossless=False)
    heir.let_go()
    with run_publishers({"slow": stuck}, always) as out:
        for seq in range(10):
            out.offer(reading(seq))
        out.become({"slow": heir})
        out.offer(reading(10))
        deadline = time.monotonic() + 10
        while not heir.seen and time.monotonic() < deadline:
            time.sleep(0.01)
        assert heir.seen == [10]
        assert out.dropped()["slow"] >= 9
        for _ in range(3):  # nothing is counted twice
            out.become({"slow": heir})
        assert 9 <= out.dropped()["slow"] <= 10
        stuck.let_go()


def test_one_slow_publisher_does_not_hold_up_another() -> None:
    """Each has its own queue and thread."""
    stuck, quick = Slow(lossless=False), Slow(lossless=False)
    quick.let_go()
    quick.name = "quick"
    with run_publishers({"stuck": stuck, "quick": quick}, always) as out:
        for seq in range(50):
            out.offer(reading(seq))
        deadline = time.monotonic() + 2
        while len(quick.seen) < 50 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert quick.seen == list(range(50))
        stuck.let_go()


def test_a_publisher_that_hangs_does_not_hang_the_end(caplog: pytest.LogCaptureFixture) -> None:
    """Closing waits its time and goes on, with a warning that names the publisher."""
    publisher = Slow(lossless=False)
    outbox = Outbox(publisher)
    outbox.open()
    outbox.offer(reading(0), never)
    begun = time.monotonic()
    outbox.finish()
    outbox.join(time.monotonic() + 0.2, never)
    assert time.monotonic() - begun < 1
    assert "publisher-stuck name=slow" in caplog.text
    publisher.let_go()


def test_no_label_can_break_the_lines() -> None:
    """Quotes, line ends of every kind and emoji are escaped: one reading stays one line, and the label comes back."""
    stream = io.StringIO()
    publisher = JsonLines(Lines(stream, ended=lambda: None))
    publisher.publish(reading(0, ODD))
    publisher.publish(reading(1))
    lines = stream.getvalue().splitlines()
    assert len(lines) == 2
    assert json.loads(lines[0])["label"] == ODD
    assert stream.getvalue().isascii()


def test_a_lost_camera_is_a_line_with_a_readings_keys() -> None:
    """Who parses readings finds every key there, with nothing in it; at the end nothing is added to the readings."""
    stream = io.StringIO()
    publisher = JsonLines(Lines(stream, ended=lambda: None))
    leave = Event("leave", ODD, 3.21)
    publisher.publish(reading(0))
    publisher.notice(Notice(datetime.now(UTC), "lost", "unplugged; plug it in", leave))
    publisher.notice(Notice(datetime.now(UTC), "ok", event=leave))
    first, lost = (json.loads(line) for line in stream.getvalue().splitlines())
    assert set(lost) == {*first, "camera", "reason"}
    assert (lost["camera"], lost["reason"], lost["label"], lost["state"], lost["top"]) == (
        *("lost", "unplugged; plug it in", None, None, []),
    )
    assert lost["event"] == {"type": "leave", "label": ODD, "duration_s": 3.21}


def test_notices_keep_their_place_among_the_readings() -> None:
    """A publisher hears of a lost camera after the readings before it."""
    heard: list[object] = []

    class Hearing(Slow):
        def publish(self, reading: Reading) -> None:
            heard.append(reading.seq)

        def notice(self, notice: Notice) -> None:
            heard.append(notice.camera)

    with run_publishers({"hearing": Hearing(lossless=True)}, always) as out:
        out.offer(reading(0))
        out.tell(Notice(datetime.now(UTC), "lost"))
        out.offer(reading(1))
    assert heard == [0, "lost", 1]


def test_a_reader_that_left_is_told_once() -> None:
    """When the other end of the pipe has gone, the run is asked to stop."""

    class Gone(io.StringIO):
        def flush(self) -> None:
            raise BrokenPipeError

    told: list[bool] = []
    publisher = JsonLines(Lines(Gone(), ended=lambda: told.append(True)))
    with pytest.raises(BrokenPipeError):
        publisher.publish(reading(0))
    assert told == [True]
