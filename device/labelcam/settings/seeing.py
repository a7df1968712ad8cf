# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""What is seen and how: model, camera, interpreter, decisions."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from ..records import DARK, UNKNOWN
from .checks import check, check_span


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """What runs."""

    path: str = ""
    fit: Literal["", "crop", "squeeze", "letterbox"] = ""
    max_invoke_ms: float = 0.0
    health_seconds: float = 60.0
    shadow: str = ""
    shadow_seconds: float = 1.0

    def __post_init__(self) -> None:
        check_span(self, "max_invoke_ms", 0, 60_000)
        check_span(self, "health_seconds", 0, 86_400)
        check_span(self, "shadow_seconds", 0.01, 86_400)


@dataclass(frozen=True, slots=True)
class CameraSettings:
    """Where frames come from."""

    source: str = "picamera2"
    timeout_seconds: float = 10.0
    start_seconds: float = 60.0
    give_up_seconds: float = 300.0
    frozen_seconds: float = 60.0
    region: tuple[float, ...] = (0.0, 0.0, 1.0, 1.0)
    rotate: Literal[0, 90, 180, 270] = 0
    mirror: bool = False
    dark_mean: float = 16.0
    dark_deviation: float = 8.0
    private: bool = False

    def __post_init__(self) -> None:
        check(0 < self.timeout_seconds <= 3600, "timeout_seconds", self.timeout_seconds, "above 0 up to 3600")
        check_span(self, "start_seconds give_up_seconds frozen_seconds", 0, 86_400)
        check_span(self, "dark_mean dark_deviation", 0, 255)
        region = list(self.region)
        good = len(region) == 4 and min(region[:2]) >= 0 and min(region[2:]) > 0
        good = good and all(
            start + share <= 1 + 1e-9 for start, share in ((region[0], region[2]), (region[1], region[3]))
        )
        check(good, "region", region, "of four shares [x, y, width, height] inside [0, 0, 1, 1]")


@dataclass(frozen=True, slots=True)
class RuntimeSettings:
    """How the network runs."""

    threads: int = 1
    delegate: Literal["xnnpack", "none", "edgetpu", "auto"] = "xnnpack"
    edgetpu_library: str = "libedgetpu.so.1"

    def __post_init__(self) -> None:
        check_span(self, "threads", 1, 64)
        check(bool(self.edgetpu_library), "edgetpu_library", self.edgetpu_library, "that names a library")


@dataclass(frozen=True, slots=True)
class DecisionSettings:
    """When something is held to be there."""

    threshold: float = 0.5
    leave_threshold: float = 0.0
    smoothing_seconds: float = 0.0
    enter_seconds: float = 0.0
    leave_seconds: float = 0.0
    top_k: int = 3
    allow: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()
    temperature: float = 0.0
    unknown_score: float = -1.0
    unknown_margin: float = -1.0
    unknown_entropy: float = -1.0
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_span(self, "threshold", 0, 1)
        leave = self.leave_threshold
        check(0 <= leave <= self.threshold, "leave_threshold", leave, f"from 0 to threshold, {self.threshold:g}")
        check_span(self, "smoothing_seconds enter_seconds leave_seconds", 0, 3600)
        check_span(self, "top_k", 1, 1000)
        hot = self.temperature
        check(hot == 0 or 0.01 <= hot <= 100, "temperature", hot, "from 0.01 to 100, or 0 for the model file's")
        for name in ("unknown_score", "unknown_margin", "unknown_entropy"):
            value = getattr(self, name)
            check(value == -1 or 0 <= value <= 1, name, value, "from 0 to 1, or -1 for the model file's")
        for name, labels in self.groups.items():
            check(bool(name.strip()) and name not in (UNKNOWN, DARK), "groups", name, "that is no state's name")
            check(bool(labels), f"groups.{name!r}", list(labels), "of at least one label")
