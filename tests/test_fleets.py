# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""What a fleet is watched with asks for metrics that there are; a broker that keeps Pis apart lets each do its work."""

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from examples import card, reading, summary
from labelcam.account import NOTHING, Buckets, ShadowAccount
from labelcam.energy import Energy
from labelcam.pictures import Pictures
from labelcam.publish.http.exposition import Exposition
from labelcam.publish.http.feed import Feed
from labelcam.publish.mqtt import Mqtt
from labelcam.records import Stage, Vitals
from labelcam.settings import HomeAssistantSettings, MqttSettings
from mosquitto import Broker, Observer, eventually

DOCS = Path(__file__).parents[1] / "docs"
DASHBOARD = json.loads((DOCS / "grafana-dashboard.json").read_text())
ALERTS = (DOCS / "fleets.md").read_text()

OF_PROMETHEUS = {"instance", "job", "le"}
"""Labels that no exporter gives."""

_BUCKETS = Buckets((0,) * 14, 0, 0.0)

EVERYTHING = summary(
    stages_ms=dict.fromkeys(Stage, NOTHING),
    publishers={"mqtt": 1},
    dropped_reasons={"stale": 1},
    vitals=Vitals(3.0, 50.0, False, 1500.0),
    energy=Energy("ina219", 10.0, 1.0, 5.0, samples=50, hz=10.0, gaps=0, gap_seconds=0.0),
    buckets={**dict.fromkeys((stage.value for stage in Stage), _BUCKETS), "age": _BUCKETS},
    shadow=ShadowAccount("other", 1, 1),
)
"""The account of a Pi that has all there can be: a meter, a shadow model, an SoC that tells of itself."""


@pytest.fixture(scope="module")
def exported() -> dict[str, set[str]]:
    """The labels of every metric that /metrics may show."""
    feed = Feed("pi", {}, 1.0, lambda: 0.0, private=False, guarded=False)
    feed.summary = EVERYTHING
    samples = [sample for metric in Exposition(feed).collect() for sample in metric.samples]
    return {sample.name: set(sample.labels) | OF_PROMETHEUS for sample in samples}


def asked_for(expression: str) -> set[str]:
    """Every metric in a query."""
    return set(re.findall(r"\blabelcam_\w+", expression))


def dashboard_queries() -> list[str]:
    """Every query of every panel."""
    return [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]


def alert_queries() -> list[str]:
    """Every rule of the page."""
    return re.findall(r"expr: (.*labelcam_.*)", ALERTS)


@pytest.mark.parametrize("query", [*dashboard_queries(), *alert_queries()])
def test_every_query_is_for_metrics_that_are_exported(query: str, exported: dict[str, set[str]]) -> None:
    """By the names, suffixes included, and the labels that /metrics uses."""
    assert asked_for(query)
    for name in asked_for(query):
        assert name in exported, name
    for labels in re.findall(r"sum by \(([^)]*)\)", query):
        for label in labels.split(", "):
            assert any(label in exported[name] for name in asked_for(query)), label
    assert query.count("(") == query.count(")")


def test_legends_name_labels_that_there_are(exported: dict[str, set[str]]) -> None:
    """{{…}} of what a metric does not have stays empty."""
    for panel in DASHBOARD["panels"]:
        for target in panel["targets"]:
            known = set().union(*(exported[name] for name in asked_for(target["expr"])))
            assert set(re.findall(r"{{(\w+)}}", target["legendFormat"])) <= known, panel["title"]


def test_every_metric_is_drawn_somewhere(exported: dict[str, set[str]]) -> None:
    """What is exported and cannot be seen is forgotten; counts and sums of histograms stand in for their buckets."""
    drawn = set().union(*map(asked_for, dashboard_queries()))
    families = {re.sub("_(bucket|count|sum|created)$", "", name) for name in exported}
    assert {re.sub("_bucket$", "", name) for name in drawn} == families


def test_grafana_can_import_the_dashboard() -> None:
    """Its data source is asked for, panels have numbers of their own and lie beside each other in 24 columns."""
    assert DASHBOARD["schemaVersion"] >= 36
    assert DASHBOARD["uid"]
    variables = {variable["name"] for variable in DASHBOARD["templating"]["list"]}
    used = set(re.findall(r"\$\{?(\w+)", json.dumps(DASHBOARD))) - {"__all"}
    assert used == variables
    panels = DASHBOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    for panel in panels:
        assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
        assert 0 <= panel["gridPos"]["x"] < panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24
        assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"])
    for one, other in combinations(panels, 2):
        assert not _overlap(one["gridPos"], other["gridPos"]), (one["title"], other["title"])


def _overlap(one: dict[str, Any], other: dict[str, Any]) -> bool:
    across = one["x"] < other["x"] + other["w"] and other["x"] < one["x"] + one["w"]
    down = one["y"] < other["y"] + other["h"] and other["y"] < one["y"] + one["h"]
    return across and down


USERS = ("homeassistant", "watcher", "feeder", "gate")
PASSWORD = "the same for all of them"

Connect = Callable[..., Observer]


@pytest.fixture
def guarded(broker: Broker, need_tool: Callable[..., str], tmp_path: Path) -> Broker:
    """A mosquitto with the page's own `acl_file`, and a password for each of its users."""
    (listed,) = (block for block in re.findall(r"(?:^(?:    .*)?\n)+", ALERTS, re.MULTILINE) if "topic read" in block)
    acl, passwords = tmp_path / "acl", tmp_path / "passwords"
    acl.write_text(re.sub("^    ", "", listed, flags=re.MULTILINE))
    passwords.touch()
    for user in USERS:
        command = [need_tool("mosquitto_passwd", "mosquitto"), "-b", passwords, user, PASSWORD]
        subprocess.run(command, check=True, capture_output=True)
    for path in (acl, passwords):
        path.chmod(0o600)
    broker.configure("allow_anonymous false", f"password_file {passwords}", f"acl_file {acl}", "user root")
    broker.start()
    return broker


@pytest.fixture
def log_in(guarded: Broker, observe: Connect) -> Connect:
    """Somebody who connects under a name, and subscribes to everything."""
    return lambda user: observe(guarded.port, username=user, password=PASSWORD)


@contextmanager
def camera(broker: Broker, node: str, monkeypatch: pytest.MonkeyPatch, *, announced: bool = True) -> Iterator[Mqtt]:
    """The real publisher of a Pi, which has seen something."""
    monkeypatch.setenv("LABELCAM_MQTT_PASSWORD", PASSWORD)
    settings = MqttSettings(host="127.0.0.1", port=broker.port, node=node, user=node)
    pictures = Pictures()
    mqtt = Mqtt(settings, HomeAssistantSettings(enabled=announced), pictures=pictures)
    mqtt.open()
    try:
        mqtt.introduce(card())
        seen = reading(label=f"what {node} sees")
        pictures.show(seen, np.zeros((6, 8, 3), np.uint8))
        mqtt.publish(seen)
        yield mqtt
    finally:
        mqtt.close()


def test_a_pi_says_everything_to_a_broker_that_keeps_pis_apart(
    guarded: Broker, log_in: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """State, announcement, introduction once more when Home Assistant starts, a snapshot for its button, removal."""
    home_assistant, watcher = log_in("homeassistant"), log_in("watcher")
    announcement = "homeassistant/device/labelcam_feeder/config"
    with camera(guarded, "feeder", monkeypatch):
        for observer in (home_assistant, watcher):
            assert b"what feeder sees" in observer.wait("labelcam/feeder/state").payload
            observer.wait("labelcam/feeder/availability", "online")
        assert b"labelcam" in home_assistant.wait(announcement).payload
        told = len(home_assistant.told(announcement))
        home_assistant.say("homeassistant/status", "online")
        eventually(lambda: len(home_assistant.told(announcement)) > told, "an introduction")
        home_assistant.say("labelcam/feeder/snapshot/set", "")
        assert home_assistant.wait("labelcam/feeder/snapshot").payload.startswith(b"\xff\xd8")
    home_assistant.wait("labelcam/feeder/availability", "offline")
    with camera(guarded, "feeder", monkeypatch, announced=False):
        home_assistant.wait(announcement, "")


def test_a_pi_neither_writes_nor_reads_what_is_anothers(
    guarded: Broker, log_in: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stolen Pi has its own topics and no more; whoever only looks cannot even ask for a picture."""
    home_assistant, gate, watcher = (log_in(user) for user in ("homeassistant", "gate", "watcher"))
    with camera(guarded, "feeder", monkeypatch):
        home_assistant.wait("labelcam/feeder/state")
        for topic in ("labelcam/feeder/state", "homeassistant/device/labelcam_feeder/config", "homeassistant/status"):
            gate.say(topic, "forged")
        watcher.say("labelcam/feeder/snapshot/set", "")
        gate.say("labelcam/gate/state", "its own")  # what a client says comes in its order
        for observer in (home_assistant, watcher, gate):
            observer.wait("labelcam/gate/state", "its own")
        home_assistant.say("homeassistant/status", "the last of all")
        gate.wait("homeassistant/status", "the last of all")
    assert "forged" not in {payload for _, payload in home_assistant.all}
    assert "labelcam/feeder/snapshot/set" not in home_assistant.last
    assert {topic for topic, _ in gate.all} == {"labelcam/gate/state", "homeassistant/status"}
    assert {topic.split("/")[0] for topic, _ in watcher.all} == {"labelcam"}
