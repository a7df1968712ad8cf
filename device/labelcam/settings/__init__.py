# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The settings: one TOML file in, frozen dataclasses out, typos refused. `labelcam.toml` documents every key."""

from .keeping import JournalSettings, LimitsSettings, PowerSettings, ReservoirSettings
from .loading import default_text, load_settings, settings_from_toml
from .seeing import CameraSettings, DecisionSettings, ModelSettings, RuntimeSettings
from .telling import (
    HomeAssistantSettings,
    HttpSettings,
    JsonlSettings,
    LabelsSettings,
    MqttSettings,
    WebhookSettings,
)
from .whole import SCHEMA, Settings

__all__ = [
    "SCHEMA",
    "CameraSettings",
    "DecisionSettings",
    "HomeAssistantSettings",
    "HttpSettings",
    "JournalSettings",
    "JsonlSettings",
    "LabelsSettings",
    "LimitsSettings",
    "ModelSettings",
    "MqttSettings",
    "PowerSettings",
    "ReservoirSettings",
    "RuntimeSettings",
    "Settings",
    "WebhookSettings",
    "default_text",
    "load_settings",
    "settings_from_toml",
]
