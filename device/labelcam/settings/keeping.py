# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""What is measured, kept and allowed: power, journal, limits, frames for later."""

from dataclasses import dataclass
from typing import Literal

from .checks import check, check_span


@dataclass(frozen=True, slots=True)
class PowerSettings:
    """What power is read from."""

    meter: Literal["auto", "pmic", "hwmon", "rapl", "none"] = "auto"
    hz: float = 10.0
    hwmon: str = ""

    def __post_init__(self) -> None:
        check_span(self, "hz", 0.1, 1000)


@dataclass(frozen=True, slots=True)
class JournalSettings:
    """The record of every minute."""

    enabled: bool = True
    folder: str = ""
    max_mb: float = 20.0

    def __post_init__(self) -> None:
        check_span(self, "max_mb", 0.1, 100_000)


@dataclass(frozen=True, slots=True)
class LimitsSettings:
    """What the daemon may use."""

    max_fps: float = 10.0
    max_celsius: float = 0.0
    max_watts: float = 0.0
    max_growth_mb: float = 200.0

    def __post_init__(self) -> None:
        check(0 < self.max_fps <= 1000, "max_fps", self.max_fps, "above 0 up to 1000")
        check_span(self, "max_celsius", 0, 150)
        check_span(self, "max_watts", 0, 10_000)
        check_span(self, "max_growth_mb", 0, 1_000_000)


@dataclass(frozen=True, slots=True)
class ReservoirSettings:
    """Hard frames that are kept for the converter."""

    enabled: bool = False
    folder: str = ""
    max_mb: float = 100.0
    max_days: float = 30.0
    margin: float = 0.2
    rare_share: float = 0.01
    every_seconds: float = 10.0

    def __post_init__(self) -> None:
        check_span(self, "max_mb", 0.1, 1_000_000)
        check_span(self, "max_days", 0.01, 36_500)
        check_span(self, "margin rare_share", 0, 1)
        check_span(self, "every_seconds", 0, 86_400)
