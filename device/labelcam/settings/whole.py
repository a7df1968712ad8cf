# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""All sections together, and what must hold between them."""

from dataclasses import dataclass, field

from .checks import check
from .keeping import JournalSettings, LimitsSettings, PowerSettings, ReservoirSettings
from .seeing import CameraSettings, DecisionSettings, ModelSettings, RuntimeSettings
from .telling import (
    HomeAssistantSettings,
    HttpSettings,
    JsonlSettings,
    LabelsSettings,
    MqttSettings,
    WebhookSettings,
)

SCHEMA = 1
"""Counts up when an older file would be misread; older ones are then migrated in memory."""


@dataclass(frozen=True, slots=True)
class Settings:
    """All of it, one dataclass for each section of the file."""

    schema: int = SCHEMA
    model: ModelSettings = field(default_factory=ModelSettings)
    camera: CameraSettings = field(default_factory=CameraSettings)
    runtime: RuntimeSettings = field(default_factory=RuntimeSettings)
    decision: DecisionSettings = field(default_factory=DecisionSettings)
    labels: LabelsSettings = field(default_factory=LabelsSettings)
    limits: LimitsSettings = field(default_factory=LimitsSettings)
    power: PowerSettings = field(default_factory=PowerSettings)
    journal: JournalSettings = field(default_factory=JournalSettings)
    reservoir: ReservoirSettings = field(default_factory=ReservoirSettings)
    jsonl: JsonlSettings = field(default_factory=JsonlSettings)
    mqtt: MqttSettings = field(default_factory=MqttSettings)
    home_assistant: HomeAssistantSettings = field(default_factory=HomeAssistantSettings)
    webhook: WebhookSettings = field(default_factory=WebhookSettings)
    http: HttpSettings = field(default_factory=HttpSettings)

    def __post_init__(self) -> None:
        check(self.schema == SCHEMA, "schema", self.schema, f"{SCHEMA}, the only one this labelcam knows")
        apart = not (self.reservoir.enabled and self.camera.private)
        check(apart, "reservoir.enabled", True, "of false with camera.private, under which no picture touches the disk")
        reachable = bool(self.mqtt.host) or not self.home_assistant.enabled
        check(reachable, "home_assistant.enabled", True, "of false, or name the broker under [mqtt] host")
