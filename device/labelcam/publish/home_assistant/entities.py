# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The entities of the device: where each one's value stands in what we publish by MQTT, and what it means."""

import json
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from ...records import DARK, UNKNOWN, ModelCard
from .naming import identifier, slug

EXPIRE_S = 180
"""State and telemetry come every minute; after three without, Home Assistant calls an entity unavailable."""

OPTIONS_AT_MOST = 50
"""States that the label's sensor lists, for automations to choose from; ImageNet's thousand would help nobody."""

LONGEST_STATE = 255
"""Characters; Home Assistant refuses more."""

Component = dict[str, Any]


def entities(
    topic: str, labels: Collection[str], names: Mapping[str, str], snapshots: bool, card: ModelCard
) -> Iterator[tuple[str, Component]]:
    """Yield every entity of the device by its name in the message, without the ids that all of them need."""
    state, telemetry = f"{topic}/state", f"{topic}/telemetry"
    yield "label", _label(state, names, card)
    yield "score", _measured("Score", state, "value_json.score", suggested_display_precision=2)
    for label in dict.fromkeys(labels):
        if label in card.labels:
            yield f"is_{identifier(label)}", _presence(state, label, names.get(label, label))
    yield "camera", _camera(state)
    yield "problem", _problem(telemetry)
    yield "throttled", _throttled(telemetry)
    yield from ((name, _diagnostic(component)) for name, component in _figures(state, telemetry))
    yield "model", _diagnostic(_model(f"{topic}/model"))
    if snapshots:
        picture = {"p": "image", "name": "Snapshot", "image_topic": f"{topic}/snapshot"}
        yield "snapshot", {**picture, "content_type": "image/jpeg"}
        button = {"p": "button", "name": "Take a snapshot", "command_topic": f"{topic}/snapshot/set"}
        yield "take_snapshot", {**button, "icon": "mdi:camera"}


def _figures(state: str, telemetry: str) -> Iterator[tuple[str, Component]]:
    """What is measured over the last minute, and how the board is: unknown where it cannot tell."""
    minute = "value_json.last_minute"
    yield "fps", _measured("Frames per second", telemetry, f"{minute}.fps", unit_of_measurement="fps")
    yield "age_p95", _milliseconds("Camera to decision, p95", telemetry, f"{minute}.age_ms.p95")
    # Before the first frame there are no stages.
    invoke = f"({minute}.stages_ms.invoke | default({{}})).p95 | default(none)"
    yield "invoke_p95", _milliseconds("Inference, p95", telemetry, invoke)
    heat = {"device_class": "temperature", "unit_of_measurement": "°C"}
    yield "temperature", _measured("Temperature", telemetry, "value_json.celsius", **heat)
    power = {"device_class": "power", "unit_of_measurement": "W"}
    yield "power", _measured("Power", state, "value_json.watts", **power)


def _label(state: str, names: Mapping[str, str], card: ModelCard) -> Component:
    """What is held to be there, in the words that people chose."""
    states = (*card.labels, UNKNOWN, DARK)
    chosen = {name: names[name] for name in states if name in names}
    said = f"{_literal(chosen)}.get(value_json.state, value_json.state)" if chosen else "value_json.state"
    attributes = ", ".join(f'"{key}": value_json.{key}' for key in ("label", "top", "source", "time", "camera"))
    component: Component = {
        "p": "sensor",
        "name": "Label",
        "icon": "mdi:eye",
        "state_topic": state,
        "value_template": _template(f"(({said}) | string)[:{LONGEST_STATE}]"),
        "json_attributes_topic": state,
        "json_attributes_template": _template(f"{{{attributes}}} | tojson"),
        "expire_after": EXPIRE_S,
    }
    if len(states) <= OPTIONS_AT_MOST:
        # As Home Assistant will see them: it strips what a template gives.
        options = dict.fromkeys(names.get(name, name)[:LONGEST_STATE].strip() for name in states)
        component |= {"device_class": "enum", "options": list(options)}
    return component


def _presence(state: str, label: str, name: str) -> Component:
    """On while this label or group is there; nobody knows while the camera is lost."""
    said = f"'None' if value_json.state is none else 'ON' if value_json.state == {_literal(label)} else 'OFF'"
    component = _binary(name, state, said, device_class="occupancy")
    return {**component, "wanted_id": slug(label) or identifier(label).lower()}


def _camera(state: str) -> Component:
    said = "'ON' if value_json.camera == 'ok' else 'OFF'"
    component = _diagnostic(_binary("Camera", state, said, device_class="connectivity"))
    attributes = _template('{"reason": value_json.reason | default("")} | tojson')
    return {**component, "json_attributes_topic": state, "json_attributes_template": attributes}


def _problem(telemetry: str) -> Component:
    """Whether anything is not as one would expect; what, stands in the attributes."""
    said = "'ON' if value_json.remarks else 'OFF'"
    component = _diagnostic(_binary("Problem", telemetry, said, device_class="problem"))
    attributes = _template("value_json.remarks | tojson")
    return {**component, "json_attributes_topic": telemetry, "json_attributes_template": attributes}


def _throttled(telemetry: str) -> Component:
    said = "'None' if value_json.throttled is none else 'ON' if value_json.throttled else 'OFF'"
    return _diagnostic(_binary("Throttled", telemetry, said, device_class="problem"))


def _model(topic: str) -> Component:
    """Which model runs: its name and the first digits of its hash."""
    return {
        "p": "sensor",
        "name": "Model",
        "icon": "mdi:brain",
        "state_topic": topic,
        "value_template": _template(f"(value_json.name ~ ' ' ~ value_json.sha256[:8])[:{LONGEST_STATE}]"),
        "json_attributes_topic": topic,
    }


def _milliseconds(name: str, topic: str, value: str) -> Component:
    return _measured(name, topic, value, device_class="duration", unit_of_measurement="ms", icon="mdi:timer-outline")


def _measured(name: str, topic: str, value: str, **more: Any) -> Component:
    said = {"value_template": _template(value), "state_class": "measurement", "expire_after": EXPIRE_S}
    return {"p": "sensor", "name": name, "state_topic": topic, **said, **more}


def _binary(name: str, topic: str, said: str, **more: Any) -> Component:
    template = {"value_template": _template(said), "expire_after": EXPIRE_S}
    return {"p": "binary_sensor", "name": name, "state_topic": topic, **template, **more}


def _diagnostic(component: Component) -> Component:
    return {**component, "entity_category": "diagnostic"}


def _template(expression: str) -> str:
    return f"{{{{ {expression} }}}}"


def _literal(value: object) -> str:
    """A text, or a table of texts, as Jinja reads it: like JSON, but two escaped surrogates do not make an emoji."""
    return json.dumps(value, ensure_ascii=False)
