# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The MQTT publisher by itself, against a real mosquitto that is killed, hangs, forgets and comes back."""

import gc
import json
import os
import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from examples import ODD, card, reading, summary
from labelcam.pictures import Pictures
from labelcam.publish.mqtt import Mqtt, reason_unreachable
from labelcam.settings import HomeAssistantSettings, MqttSettings
from mosquitto import Broker, Observer, eventually

CONFIG = "homeassistant/device/labelcam_door/config"


@pytest.fixture
def connect(broker: Broker) -> Iterator[Callable[..., Mqtt]]:
    """Open publishers for the node "door", and close them at the end."""
    publishers: list[Mqtt] = []

    def begin(home_assistant: HomeAssistantSettings | None = None, **more: Any) -> Mqtt:
        names, pictures = more.pop("names", {}), more.pop("pictures", None)
        settings = MqttSettings(host="127.0.0.1", port=broker.port, node="door", **more)
        publishers.append(Mqtt(settings, home_assistant or HomeAssistantSettings(), names, pictures))
        publishers[-1].open()
        publishers[-1].introduce(card())
        return publishers[-1]

    yield begin
    for publisher in publishers:
        publisher.close()


def labels(observer: Observer) -> list[str]:
    """The labels of all events that came, in order, each once: a broker may be told one twice."""
    return list(dict.fromkeys(json.loads(payload)["label"] for payload in observer.told("labelcam/door/event")))


def state(observer: Observer) -> str:
    message = observer.last.get("labelcam/door/state")
    return json.loads(message.payload)["state"] if message else ""


def test_nothing_stays_open_of_one_that_was_closed(broker: Broker, connect: Callable[..., Mqtt]) -> None:
    """Every reload may replace it: sockets that wait for Python to look for rings would run out."""
    broker.start()
    connect().close()
    before = len(list(Path("/proc/self/fd").iterdir()))
    gc.disable()
    try:
        for _ in range(5):
            connect().close()
        assert len(list(Path("/proc/self/fd").iterdir())) == before
    finally:
        gc.enable()


def test_a_broker_that_is_killed_loses_nothing(
    broker: Broker, observe: Callable[..., Observer], connect: Callable[..., Mqtt]
) -> None:
    """Recovery time: as long as it was away, at most 30 s, and an instant. Every event comes, and the newest state."""
    broker.start()
    mqtt = connect()
    observe(broker.port).wait("labelcam/door/availability", "online")
    broker.kill()
    for number in range(25):
        mqtt.publish(reading(number, f"label {number}", "enter"))
    broker.start()
    observer = observe(broker.port)
    eventually(lambda: len(labels(observer)) == 25, "every event")
    assert labels(observer) == [f"label {number}" for number in range(25)]
    eventually(lambda: state(observer) == "label 24", "the newest state")
    assert json.loads(observer.last["labelcam/door/model"].payload)["sha256"].startswith("0123456789abcdef")
    assert observer.last["labelcam/door/availability"].payload == b"online"


def test_a_broker_that_hangs_grows_nothing_and_misses_no_event(
    broker: Broker, observe: Callable[..., Observer], connect: Callable[..., Mqtt]
) -> None:
    """Recovery time: an instant after it goes on. Of readings, what it cannot take is lost and counted, not hoarded."""
    broker.start()
    observer = observe(broker.port)
    mqtt = connect(readings=True)
    mqtt.publish(reading(0, "x" * 1000))
    observer.wait("labelcam/door/state")
    broker.hang()
    grown = resident()
    for number in range(30_000):
        mqtt.publish(reading(number, "x" * 1000))
    for number in range(25):
        mqtt.publish(reading(number, f"label {number}", "enter"))
    assert resident() - grown < 25e6
    assert mqtt.lost > 10_000
    broker.go_on()
    eventually(lambda: state(observer) == "label 24", "the newest state")
    eventually(lambda: len(labels(observer)) == 25, "every event")
    assert labels(observer) == [f"label {number}" for number in range(25)]


def resident() -> int:
    """Bytes of memory that this process has."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_a_state_that_was_under_way_never_replaces_a_newer_one(
    broker: Broker, observe: Callable[..., Observer], connect: Callable[..., Mqtt]
) -> None:
    """A broker that hung and was killed gets what it left unanswered once more; what it retains is the newest."""
    broker.start()
    mqtt = connect()
    observe(broker.port).wait("labelcam/door/model")
    broker.hang()
    mqtt.publish(reading(1, "old"))
    broker.kill()
    mqtt.publish(reading(2, "newer"))
    mqtt.publish(reading(3, "newest"))
    broker.start()
    observer = observe(broker.port)
    eventually(lambda: state(observer) == "newest", "the newest state")
    late = observe(broker.port)
    late.wait("labelcam/door/state")
    assert state(late) == "newest"


def test_a_password_that_is_accepted_later_gets_in(
    broker: Broker,
    observe: Callable[..., Observer],
    connect: Callable[..., Mqtt],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Recovery time: at most 30 s after the broker has been put right."""
    monkeypatch.setenv("LABELCAM_MQTT_PASSWORD", "secret")
    broker.configure("allow_anonymous false")
    broker.start()
    mqtt = connect(user="cam")
    mqtt.publish(reading(1, "red", "enter"))
    eventually(lambda: "mqtt-refused" in caplog.text, "the refusal")
    broker.stop()
    broker.configure("allow_anonymous true")
    broker.start()
    observer = observe(broker.port)
    eventually(lambda: labels(observer) == ["red"], "the event", seconds=60)
    assert "secret" not in caplog.text


def test_the_odd_label_comes_through(
    broker: Broker, observe: Callable[..., Observer], connect: Callable[..., Mqtt]
) -> None:
    """Quotes, emoji and line ends are the same on the other side, in state, event and reading."""
    broker.start()
    observer = observe(broker.port)
    mqtt = connect(readings=True)
    observer.wait("labelcam/door/model")
    mqtt.publish(reading(1, ODD, "enter"))
    for topic in ("state", "reading"):
        assert json.loads(observer.wait(f"labelcam/door/{topic}").payload)["label"] == ODD
    assert json.loads(observer.wait("labelcam/door/event").payload)["label"] == ODD


def test_readings_are_published_where_asked_for(
    broker: Broker, observe: Callable[..., Observer], connect: Callable[..., Mqtt]
) -> None:
    """Every one to its topic, not retained; the state only when it changes."""
    broker.start()
    observer = observe(broker.port)
    mqtt = connect(readings=True)
    observer.wait("labelcam/door/availability", "online")
    for number in range(20):
        assert mqtt.wants(reading(number))
        mqtt.publish(reading(number))
    eventually(lambda: len(observer.told("labelcam/door/reading")) == 20, "every reading")
    assert len(observer.told("labelcam/door/state")) == 1
    late = observe(broker.port)
    late.wait("labelcam/door/state")
    assert "labelcam/door/reading" not in late.last


def test_the_account_is_retained(
    broker: Broker, observe: Callable[..., Observer], connect: Callable[..., Mqtt]
) -> None:
    """Telemetry is the summary, word for word; who comes later need not wait a minute to learn of a problem."""
    broker.start()
    told = summary(remarks={"camera": "gone; plug it in"})
    connect().report(told)
    witness = observe(broker.port)
    witness.wait("labelcam/door/telemetry")
    message = observe(broker.port).wait("labelcam/door/telemetry")
    assert message.retain
    assert json.loads(message.payload) == json.loads(json.dumps(told.as_json()))


def pictures() -> Pictures:
    """A memory with one picture in it, left half red."""
    shown = Pictures()
    pixels = np.zeros((48, 64, 3), np.uint8)
    pixels[:, :32] = (250, 0, 0)
    shown.show(reading(), pixels)
    return shown


def test_a_snapshot_is_taken_when_asked_for(
    broker: Broker, observe: Callable[..., Observer], connect: Callable[..., Mqtt]
) -> None:
    """Whatever is said on …/snapshot/set gives the newest picture as JPEG; no picture stays on the broker."""
    broker.start()
    observer = observe(broker.port)
    connect(pictures=pictures())
    observer.wait("labelcam/door/availability", "online")
    observer.say("labelcam/door/snapshot/set", "")
    message = observer.wait("labelcam/door/snapshot")
    found = cv2.imdecode(np.frombuffer(message.payload, np.uint8), cv2.IMREAD_COLOR)
    assert found.shape == (48, 64, 3)
    assert found[24, 8, 2] > 200 > 50 > found[24, 56, 2]
    late = observe(broker.port)
    late.wait("labelcam/door/availability")
    assert "labelcam/door/snapshot" not in late.last


def test_a_snapshot_can_be_asked_for_after_a_restart_of_the_broker(
    broker: Broker, observe: Callable[..., Observer], connect: Callable[..., Mqtt]
) -> None:
    """A broker that was restarted knows no subscriptions: it is asked again on every connect."""
    broker.start()
    mqtt = connect(pictures=pictures())
    observe(broker.port).wait("labelcam/door/availability", "online")
    broker.kill()
    broker.start()
    observer = observe(broker.port)
    observer.wait("labelcam/door/availability", "online")
    observer.say("labelcam/door/snapshot/set", "now")
    observer.wait("labelcam/door/snapshot")
    assert mqtt.lost == 0


def test_nobody_gets_a_picture_in_private_mode(
    broker: Broker, observe: Callable[..., Observer], connect: Callable[..., Mqtt], caplog: pytest.LogCaptureFixture
) -> None:
    """No topic listens, no entity shows one, and the log says why."""
    caplog.set_level("INFO")
    broker.start()
    observer = observe(broker.port)
    connect(HomeAssistantSettings(enabled=True))
    observer.wait("labelcam/door/availability", "online")
    observer.say("labelcam/door/snapshot/set", "now")
    observer.wait("labelcam/door/snapshot/set", "now")
    platforms = {component["p"] for component in json.loads(observer.wait(CONFIG).payload)["cmps"].values()}
    assert platforms == {"sensor", "binary_sensor"}
    assert "labelcam/door/snapshot" not in observer.last
    assert "camera.private is set" in caplog.text


def entities(observer: Observer) -> dict[str, Any]:
    return json.loads(observer.wait(CONFIG).payload)["cmps"]


def test_home_assistant_is_told_by_one_retained_message(
    broker: Broker, observe: Callable[..., Observer], connect: Callable[..., Mqtt]
) -> None:
    """Who comes later finds the device and, retained as well, everything that its sensors show."""
    broker.start()
    mqtt = connect(HomeAssistantSettings(enabled=True, labels=("red",), name="Front door"), names={"red": "Rot"})
    mqtt.publish(reading(1, "red", "enter"))
    mqtt.report(summary())
    witness = observe(broker.port)
    witness.wait("labelcam/door/telemetry")
    late = observe(broker.port)
    assert late.wait(CONFIG).retain
    assert entities(late)["is_red"]["name"] == "Rot"
    shown = {component.get("state_topic") for component in entities(late).values()} - {None}
    assert all(late.wait(topic).retain for topic in shown)
    assert len([topic for topic in late.last if topic.startswith("homeassistant/")]) == 1


def test_home_assistant_is_told_again_when_it_starts_or_the_broker_does(
    broker: Broker, observe: Callable[..., Observer], connect: Callable[..., Mqtt]
) -> None:
    """On its birth message, and on every connect, everything is published once more, the device and its states."""
    broker.start()
    observer = observe(broker.port)
    mqtt = connect(HomeAssistantSettings(enabled=True))
    mqtt.publish(reading(1, "red"))
    observer.wait(CONFIG)
    observer.wait("labelcam/door/state")
    before = len(observer.told("labelcam/door/state"))
    observer.say("homeassistant/status", "offline")
    observer.say("homeassistant/status", "online")
    eventually(lambda: len(observer.told("labelcam/door/state")) > before, "the state, once more")
    eventually(lambda: len(observer.told(CONFIG)) >= 2, "the device, once more")
    broker.kill()
    broker.start()
    late = observe(broker.port)
    assert "label" in entities(late)
    assert json.loads(late.wait("labelcam/door/state").payload)["label"] == "red"


def test_a_sensor_that_is_no_longer_wanted_disappears(
    broker: Broker, observe: Callable[..., Observer], connect: Callable[..., Mqtt]
) -> None:
    """Home Assistant lets go of a component that is reduced to its platform; the broker remembers what there was."""
    broker.start()
    before = connect(HomeAssistantSettings(enabled=True, labels=("red", "green")))
    assert "device_class" in entities(observe(broker.port))["is_green"]
    before.close()
    connect(HomeAssistantSettings(enabled=True, labels=("red",)))
    observer = observe(broker.port)
    eventually(lambda: entities(observer).get("is_green") == {"p": "binary_sensor"}, "the end of green")
    assert next(iter(entities(observer))) == "is_green"
    assert "device_class" in entities(observer)["is_red"]


def test_a_model_without_the_label_takes_its_sensor_with_it(
    broker: Broker, observe: Callable[..., Observer], connect: Callable[..., Mqtt]
) -> None:
    """When another model takes over, what it cannot see is no entity any more, and comes back with the old one."""
    broker.start()
    observer = observe(broker.port)
    mqtt = connect(HomeAssistantSettings(enabled=True, labels=("red",)))
    mqtt.introduce(card("cat", "dog", name="pets"))
    eventually(lambda: entities(observer).get("is_red") == {"p": "binary_sensor"}, "the end of red")
    assert json.loads(observer.wait(CONFIG).payload)["dev"]["mdl"] == "pets"
    mqtt.introduce(card())
    eventually(lambda: "device_class" in entities(observer)["is_red"], "the return of red")


def test_turned_off_the_device_disappears(
    broker: Broker, observe: Callable[..., Observer], connect: Callable[..., Mqtt]
) -> None:
    """Without `enabled`, labelcam takes back what an earlier life announced, and nothing that is not ours."""
    broker.start()
    observer = observe(broker.port)
    before = connect(HomeAssistantSettings(enabled=True))
    observer.wait(CONFIG)
    before.close()
    between = connect()
    observer.wait(CONFIG, "")
    between.close()
    observer.say(CONFIG, '{"o": {"name": "somebody else"}, "cmps": {}}', retain=True)
    observer.say("homeassistant/device/labelcam_gate/config", '{"o": {"name": "labelcam"}, "cmps": {}}', retain=True)
    mqtt = connect(readings=True)
    eventually(lambda: "labelcam/door/reading" in observer.last or mqtt.publish(reading()), "the end of it")
    assert observer.last[CONFIG].payload.startswith(b'{"o"')
    assert observer.last["homeassistant/device/labelcam_gate/config"].payload


@pytest.mark.parametrize("payload", ["no JSON", "[]", '{"o": 1}', '{"o": {"name": "labelcam"}, "cmps": [1]}', "\x00"])
def test_rubbish_on_the_discovery_topic_is_replaced(
    payload: str, broker: Broker, observe: Callable[..., Observer], connect: Callable[..., Mqtt]
) -> None:
    """Whatever stands there, our message stands there in the end, and the connection lives."""
    broker.start()
    observer = observe(broker.port)
    observer.say(CONFIG, payload, retain=True)
    mqtt = connect(HomeAssistantSettings(enabled=True))
    eventually(lambda: observer.last[CONFIG].payload.startswith(b'{"dev"'), "our message")
    mqtt.publish(reading(1, "red"))
    observer.wait("labelcam/door/state")


def test_two_of_one_name_do_not_fill_the_log(
    broker: Broker, observe: Callable[..., Observer], connect: Callable[..., Mqtt], caplog: pytest.LogCaptureFixture
) -> None:
    """The broker throws out one for the other, every second; that is said once a minute."""
    caplog.set_level("INFO")
    broker.start()
    observer = observe(broker.port)
    connect()
    connect()
    eventually(lambda: len(observer.told("labelcam/door/availability")) > 5, "being thrown out again and again")
    assert caplog.text.count("mqtt-disconnected") <= 4  # two publishers, and two ways to be told
    assert caplog.text.count("mqtt-connected") <= 2


def test_whether_the_broker_lets_us_in_is_known_beforehand(
    broker: Broker, observe: Callable[..., Observer], connect: Callable[..., Mqtt], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A broker that is away, that is none, that refuses us: each is told apart, and a daemon that runs stays in."""
    settings = MqttSettings(host="127.0.0.1", port=broker.port, node="door", user="cam")
    where, advice = f"127.0.0.1:{broker.port}", "check host, port and tls under [mqtt]"
    assert reason_unreachable(settings) == f"no broker at {where} (Connection refused); start it, or {advice}"
    monkeypatch.setenv("LABELCAM_MQTT_PASSWORD", "secret")
    broker.configure("allow_anonymous false")
    broker.start()
    assert reason_unreachable(settings) == f"{where} does not let us in (Not authorized); check user and password"
    broker.stop()
    broker.configure("allow_anonymous true")
    broker.start()
    observer = observe(broker.port)
    connect()
    observer.wait("labelcam/door/availability", "online")
    assert reason_unreachable(settings) == ""
    assert observer.told("labelcam/door/availability") == ["online"]
    monkeypatch.setattr("labelcam.publish.mqtt.connection.ANSWER_S", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        there = replace(settings, port=silent.getsockname()[1])
        assert reason_unreachable(there) == f"127.0.0.1:{there.port} does not answer as a broker does; {advice}"
