# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""What Home Assistant is told of us: one message of its MQTT device discovery, and nothing else.

The schema is that of homeassistant/components/mqtt: schemas.py for the device, sensor.py and its like for the entities.
"""

from collections.abc import Collection, Mapping
from typing import Any

from ... import __version__
from ...candidates import closest
from ...errors import SettingsError
from ...records import ModelCard
from ...settings import HomeAssistantSettings
from .entities import Component, entities
from .naming import identifier, slug

ORIGIN = "labelcam"
"""By this a message is known as ours."""


def check_labels(settings: HomeAssistantSettings, labels: Collection[str]) -> None:
    """Refuse settings that want sensors for what cannot be there; `labels` is what can.

    Raises SettingsError with every entry that names nothing.
    """
    problems = []
    for entry in settings.labels:
        if entry not in labels:
            close = closest(entry, tuple(labels))
            hint = f"did you mean {close!r}?" if close else "see labels.txt in the model file, by unzip -p"
            problems.append(f"{entry!r} is no label and no group of this model; {hint}")
    if problems:
        raise SettingsError("[home_assistant] labels: " + "; ".join(problems))


def discovery_topic(settings: HomeAssistantSettings, node: str) -> str:
    """Return the topic that Home Assistant looks for the message in."""
    return f"{settings.discovery_prefix}/device/{identity(node)}/config"


def discovery(
    topic: str, node: str, settings: HomeAssistantSettings, names: Mapping[str, str], snapshots: bool, card: ModelCard
) -> dict[str, Any]:
    """Return the message: a device with all its entities.

    `topic` is the one that ours begin with; `names` is what labels are called where people read them.
    """
    components = dict(entities(topic, settings.labels, names, snapshots, card))
    return {
        "dev": {
            "ids": [identity(node)],
            "name": settings.name or node,
            "mf": "labelcam",
            "mdl": card.name,
            "sw": __version__,
        },
        "o": {"name": ORIGIN, "sw": __version__},
        "availability_topic": f"{topic}/availability",
        "cmps": {name: _finished(name, component, node) for name, component in components.items()},
    }


def _finished(name: str, component: Component, node: str) -> Component:
    """A component with what all of them need. Entities keep their ids whatever they are called."""
    wanted = component.pop("wanted_id", name)
    device = slug(node) or identity(node).lower()
    device = device if device.startswith("labelcam") else f"labelcam_{device}"
    return {
        **component,
        "unique_id": f"{identity(node)}_{name}",
        "default_entity_id": f"{component['p']}.{device}_{wanted}",
    }


def identity(node: str) -> str:
    """Return what tells this device from all others: it stands in a topic, where little is allowed."""
    return f"labelcam_{identifier(node)}"
