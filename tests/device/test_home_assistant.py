# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The discovery message, as Home Assistant reads it: templates are rendered by Jinja, rules are checked here."""

import json
import re
from collections.abc import Mapping
from typing import Any

import jinja2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2.sandbox import ImmutableSandboxedEnvironment

from examples import ODD, card, reading, summary
from labelcam.account import Minute, Percentiles
from labelcam.errors import SettingsError
from labelcam.publish.home_assistant import check_labels, discovery, discovery_topic
from labelcam.records import ModelCard, Notice, Stage, Vitals
from labelcam.settings import HomeAssistantSettings

TOPIC = "labelcam/door"

ALLOWED = {
    "sensor": "device_class state_class unit_of_measurement options suggested_display_precision expire_after "
    "state_topic value_template",
    "binary_sensor": "device_class expire_after state_topic value_template",
    "button": "command_topic",
    "image": "image_topic content_type",
}
"""What each platform's schema knows, of what we use."""

COMMON = "p name unique_id default_entity_id entity_category icon json_attributes_topic json_attributes_template"

# Home Assistant's own environment is sandboxed and not strict; here a name that does not exist is a mistake.
JINJA = ImmutableSandboxedEnvironment(undefined=jinja2.StrictUndefined)


def message(
    *labels: str,
    node: str = "door",
    names: Mapping[str, str] | None = None,
    snapshots: bool = True,
    model: ModelCard | None = None,
    name: str = "",
) -> dict[str, Any]:
    """The message with sensors for these labels, as it is after its way through the broker."""
    settings = HomeAssistantSettings(enabled=True, labels=labels, name=name)
    made = discovery(TOPIC, node, settings, names or {}, snapshots, model or card())
    return json.loads(json.dumps(made))


def says(component: Mapping[str, Any], document: object) -> str:
    """What Home Assistant makes of a document with this component's template."""
    value = json.loads(json.dumps(document))
    return JINJA.from_string(component["value_template"]).render(value_json=value).strip()


def attributes(component: Mapping[str, Any], document: object) -> dict[str, Any]:
    value = json.loads(json.dumps(document))
    return json.loads(JINJA.from_string(component["json_attributes_template"]).render(value_json=value))


def state(label: str) -> dict[str, Any]:
    """What we publish while this label is there."""
    return reading(label=label).as_json() | {"model": "colours", "camera": "ok"}


def lost() -> dict[str, Any]:
    return Notice(reading().time, "lost", "unplugged").as_json() | {"model": "colours"}


def test_the_message_is_what_the_schema_asks_for() -> None:
    """One device with identifiers, an origin, our availability; components with a platform and a unique id each."""
    made = message("red", "blue", name="Front door")
    assert set(made) == {"dev", "o", "availability_topic", "cmps"}
    assert made["dev"]["ids"] == ["labelcam_door"]
    assert made["dev"]["name"] == "Front door"
    assert made["o"]["name"] == "labelcam"
    assert made["availability_topic"] == "labelcam/door/availability"
    for component in made["cmps"].values():
        assert set(component) <= {*COMMON.split(), *ALLOWED[component["p"]].split()}
        assert {"p", "name", "unique_id", "default_entity_id"} <= set(component)
        assert "object_id" not in component
        assert re.fullmatch(rf"{component['p']}\.labelcam_door_[a-z0-9_]+", component["default_entity_id"])
    assert len({component["unique_id"] for component in made["cmps"].values()}) == len(made["cmps"])


def test_every_entity_that_one_would_look_for_is_there() -> None:
    """Label and score, a sensor for each label asked for, the state of the device, a snapshot and its button."""
    found = {component["default_entity_id"] for component in message("red")["cmps"].values()}
    assert found == {
        "sensor.labelcam_door_label",
        "sensor.labelcam_door_score",
        "binary_sensor.labelcam_door_red",
        "binary_sensor.labelcam_door_camera",
        "binary_sensor.labelcam_door_problem",
        "binary_sensor.labelcam_door_throttled",
        "sensor.labelcam_door_fps",
        "sensor.labelcam_door_age_p95",
        "sensor.labelcam_door_invoke_p95",
        "sensor.labelcam_door_temperature",
        "sensor.labelcam_door_power",
        "sensor.labelcam_door_model",
        "image.labelcam_door_snapshot",
        "button.labelcam_door_take_snapshot",
    }


def test_private_mode_has_no_picture() -> None:
    """Neither the image nor the button that would ask for one."""
    platforms = {component["p"] for component in message(snapshots=False)["cmps"].values()}
    assert platforms == {"sensor", "binary_sensor"}


def test_the_label_is_shown_as_it_is_called() -> None:
    """[labels.names] translates the states, the options and the names of sensors; ids stay as they are."""
    made = message("red", names={"red": "Rot", "unknown": "nichts"})["cmps"]
    assert says(made["label"], state("red")) == "Rot"
    assert says(made["label"], state("green")) == "green"
    assert says(made["label"], state("unknown")) == "nichts"
    assert made["label"]["options"] == ["Rot", "green", "blue", "nichts", "dark"]
    assert (made["is_red"]["name"], made["is_red"]["unique_id"]) == ("Rot", "labelcam_door_is_red")
    assert made["is_red"]["default_entity_id"] == "binary_sensor.labelcam_door_red"
    assert says(made["is_red"], state("red")) == "ON"
    assert attributes(made["label"], state("red"))["label"] == "red"


def test_a_thousand_labels_are_no_options() -> None:
    """A list of ImageNet's labels helps nobody: then the sensor is a plain text."""
    label = message(model=card(*(f"label {number}" for number in range(1000))))["cmps"]["label"]
    assert "options" not in label
    assert "device_class" not in label


def test_a_sensor_is_on_while_its_label_is_there() -> None:
    """Off for every other state, unknown while the camera is lost."""
    red = message("red")["cmps"]["is_red"]
    assert [says(red, state(label)) for label in ("red", "green", "unknown", "dark")] == ["ON", "OFF", "OFF", "OFF"]
    assert says(red, lost()) == "None"
    assert red["state_topic"] == "labelcam/door/state"


@pytest.mark.parametrize("label", [ODD, "any dog", "Küche", "日本", "", " spaces ", "'", '"', "{{ 1 }}", "x" * 300])
def test_no_label_breaks_the_templates(label: str) -> None:
    """Quotes, line ends, emoji and Jinja's own signs: the sensor of the label is on for it and for nothing else."""
    made = message(label, model=card("red", label), names={label: f"<{label}>"})["cmps"]
    (sensor,) = (component for name, component in made.items() if name.startswith("is_"))
    assert says(sensor, state(label)) == "ON"
    assert says(sensor, state(label + "x")) == "OFF"
    assert says(made["label"], state(label)) == f"<{label}>"[:255].strip()
    assert says(made["label"], state(label)) in made["label"]["options"]
    assert re.fullmatch(r"binary_sensor\.[a-z0-9_]+", sensor["default_entity_id"])


@given(st.text(), st.text())
def test_any_label_is_told_from_any_other(label: str, other: str) -> None:
    """Whatever two labels are called, each has a sensor of its own that is on for that label alone."""
    if label == other:
        return
    made = message(label, other, model=card(label, other))["cmps"]
    sensors = [component for name, component in made.items() if name.startswith("is_")]
    assert [says(sensor, state(label)) for sensor in sensors] == ["ON", "OFF"]
    assert len({sensor["unique_id"] for sensor in sensors}) == 2


@given(st.text(min_size=1))
def test_any_node_has_a_topic_that_home_assistant_reads(node: str) -> None:
    """Of the discovery topic, Home Assistant takes no more than [a-zA-Z0-9_-]; two nodes never share one."""
    topic = discovery_topic(HomeAssistantSettings(), node)
    assert re.fullmatch(r"homeassistant/device/[a-zA-Z0-9_-]+/config", topic)
    assert topic != discovery_topic(HomeAssistantSettings(), node + "!")


def test_odd_nodes_keep_readable_ids() -> None:
    """What is left of a name stands in the entity's id; a host called labelcam is not called so twice."""
    odd = message(node="Küche 1/links")
    assert odd["cmps"]["label"]["default_entity_id"] == "sensor.labelcam_kuche_1_links_label"
    assert message(node="labelcam-2")["cmps"]["label"]["default_entity_id"] == "sensor.labelcam_2_label"
    assert message(node="日本")["cmps"]["label"]["default_entity_id"].startswith("sensor.labelcam_")


def test_figures_come_from_the_last_minute() -> None:
    """Frames a second, the ages, the inference, the heat: unknown, and no error, where there is none yet."""
    made, spread = message()["cmps"], Percentiles(1.0, 2.0, 3.0, 4.0)
    told = summary(
        last_minute=Minute(600, 60.0, 0, {Stage.INVOKE: spread}, spread), vitals=Vitals(celsius=41.5, throttled=True)
    ).as_json()
    assert says(made["fps"], told) == "10.0"
    assert says(made["age_p95"], told) == says(made["invoke_p95"], told) == "2.0"
    assert says(made["temperature"], told) == "41.5"
    assert says(made["throttled"], told) == "ON"
    nothing = summary().as_json()
    unknown = [says(made[name], nothing) for name in ("invoke_p95", "temperature", "throttled")]
    assert unknown == ["None"] * 3
    assert says(made["power"], state("red") | {"watts": 3.25}) == "3.25"
    assert says(made["power"], lost()) == says(made["score"], lost()) == "None"


def test_a_problem_is_told_with_its_reason() -> None:
    """The sensor is on while there are remarks, which are its attributes; the camera has one of its own."""
    made = message()["cmps"]
    told = summary(remarks={"camera": 'gone "for good"; plug it in'}).as_json()
    assert says(made["problem"], told) == "ON"
    assert attributes(made["problem"], told) == {"camera": 'gone "for good"; plug it in'}
    assert says(made["problem"], summary().as_json()) == "OFF"
    assert (says(made["camera"], state("red")), says(made["camera"], lost())) == ("ON", "OFF")
    assert attributes(made["camera"], lost()) == {"reason": "unplugged"}
    assert attributes(made["camera"], state("red")) == {"reason": ""}


def test_whatever_is_published_every_minute_expires() -> None:
    """A daemon that hangs must not look alive: three minutes after its last word its entities are unavailable."""
    for name, component in message("red")["cmps"].items():
        comes_each_minute = component.get("state_topic", "").endswith(("/state", "/telemetry"))
        assert component.get("expire_after") == (180 if comes_each_minute else None), name


def test_labels_that_do_not_exist_are_refused_together() -> None:
    """Every one of them is said, with what was probably meant."""
    settings = HomeAssistantSettings(labels=("red", "gren", "Zebra"))
    with pytest.raises(SettingsError) as refused:
        check_labels(settings, ("red", "green", "blue"))
    told = str(refused.value)
    assert "'gren' is no label and no group of this model; did you mean 'green'?" in told
    assert "'Zebra' is no label" in told
    assert "'red'" not in told
    check_labels(HomeAssistantSettings(labels=("red",)), ("red", "green"))
