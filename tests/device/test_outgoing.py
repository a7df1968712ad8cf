# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0

import threading

from labelcam.publish.mqtt.outgoing import EVENTS, EVENTS_UNDER_WAY, POURED_UNDER_WAY, Message, Outgoing


class Wire:
    """Numbers what is sent, as paho does."""

    def __init__(self) -> None:
        self.sent: list[Message] = []
        self.out = Outgoing(self.send)

    def send(self, message: Message) -> int:
        self.sent.append(message)
        return len(self.sent)

    def payloads(self, topic: str) -> list[str | bytes]:
        return [message.payload for message in self.sent if message.topic == topic]

    def acknowledge_all(self) -> None:
        number = 0
        while number < len(self.sent):
            number += 1
            self.out.acknowledged(number)


def test_of_a_retained_topic_the_newest_is_sent_when_the_one_before_has_arrived() -> None:
    """A broker that hangs costs one message a topic, and is told the truth as soon as it goes on."""
    wire = Wire()
    wire.out.connected()
    for number in range(1000):
        wire.out.keep("state", str(number))
    assert wire.payloads("state") == ["0"]
    wire.out.acknowledged(1)
    assert wire.payloads("state") == ["0", "999"]


def test_what_the_last_connection_left_is_never_sent_over_something_newer() -> None:
    """Paho resends it after whatever is published on the new connection: the new state waits until that has arrived."""
    wire = Wire()
    wire.out.connected()
    wire.out.keep("state", "old")
    wire.out.disconnected()
    wire.out.keep("state", "new")
    wire.out.connected()
    assert wire.payloads("state") == ["old"]
    wire.out.acknowledged(1)
    assert wire.payloads("state") == ["old", "new"]


def test_everything_kept_is_told_on_every_connect() -> None:
    """A broker that was restarted has forgotten it."""
    wire = Wire()
    wire.out.keep("availability", "online")
    wire.out.keep("state", "red")
    wire.out.connected()
    wire.acknowledge_all()
    wire.out.disconnected()
    wire.out.connected()
    assert wire.payloads("availability") == ["online"] * 2
    assert wire.payloads("state") == ["red"] * 2


def test_events_wait_for_the_broker_in_order_and_in_bounds() -> None:
    """The oldest of more than a thousand are dropped and counted; few are under way at a time."""
    wire = Wire()
    for number in range(EVENTS + 5):
        wire.out.tell("event", str(number))
    wire.out.connected()
    assert len(wire.sent) == EVENTS_UNDER_WAY
    wire.acknowledge_all()
    assert wire.payloads("event") == [str(number) for number in range(5, EVENTS + 5)]
    assert wire.out.lost == 5


def test_events_do_not_overtake_those_that_are_sent_again() -> None:
    """What the last connection left unacknowledged comes first."""
    wire = Wire()
    wire.out.connected()
    wire.out.tell("event", "first")
    wire.out.disconnected()
    wire.out.tell("event", "second")
    wire.out.connected()
    assert wire.payloads("event") == ["first"]
    wire.out.acknowledged(1)
    assert wire.payloads("event") == ["first", "second"]


def test_what_is_poured_is_lost_where_nobody_takes_it() -> None:
    """Neither a broker that is away nor one that hangs may grow our memory; every loss is counted."""
    wire = Wire()
    wire.out.pour("reading", "while away")
    wire.out.connected()
    for number in range(3 * POURED_UNDER_WAY):
        wire.out.pour("reading", str(number))
    assert len(wire.sent) == POURED_UNDER_WAY
    assert wire.out.lost == 1 + 2 * POURED_UNDER_WAY
    wire.out.disconnected()
    assert wire.out.lost == 1 + 3 * POURED_UNDER_WAY


def test_two_threads_leave_nothing_behind() -> None:
    """However calls and answers cross, everything is sent in the end: none is left to a thread that has just gone."""
    wire = Wire()
    wire.out.connected()
    done = threading.Event()

    def answer() -> None:
        number = 0
        while not (done.is_set() and number == len(wire.sent)):
            if number < len(wire.sent):
                number += 1
                wire.out.acknowledged(number)
            else:
                done.wait(0.0005)

    thread = threading.Thread(target=answer, daemon=True)
    thread.start()
    for number in range(2000):
        wire.out.tell("event", str(number))
        wire.out.keep("state", str(number))
        if number % 100 == 0:
            wire.out.drain(20)
    wire.out.drain(20)
    done.set()
    thread.join(20)
    assert wire.payloads("event") == [str(number) for number in range(2000)]
    assert wire.payloads("state")[-1] == "1999"
