# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""What publishers are given in tests: readings, accounts, a model card, and the oddest label there is."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal

from labelcam.account import NOTHING, Summary
from labelcam.records import Decision, Event, Label, ModelCard, Reading, Stage, Vitals

ODD = 'a "quoted" \\ label\nin two lines, \u2028 \u2029 \U0001f426 é \x00 {{ x }} {% y %} #}'


def reading(seq: int = 0, label: str = "cat", event: Literal["enter", "leave"] | None = None, **more: Any) -> Reading:
    """Return a reading of this label, with its event if there is one."""
    decision = Decision((Label(label, 0.9),), more.pop("state", label), Event(event, label, 0.0) if event else None)
    return Reading(seq, datetime.now(UTC), None, decision, 1.0, dict.fromkeys(Stage, 1.0), 0, Vitals(**more))


def summary(remarks: Mapping[str, str] | None = None, **changes: Any) -> Summary:
    """Return the account of a run in which little has happened."""
    plain = {
        "frames": 1,
        "dropped": 0,
        "skipped": 0,
        "seconds": 1.0,
        "fps": 1.0,
        "model": "colours",
        "runtime": "ai-edge-litert 2.3.0",
        "delegate": "xnnpack",
        "delegated_ops": (1, 1),
        "threads": 1,
        "stages_ms": {},
        "age_ms": NOTHING,
        "rss_mb": 80.0,
        "labels": {},
        "publishers": {},
    }
    return Summary(**(plain | {"remarks": remarks or {}} | changes))


def card(*labels: str, **changes: Any) -> ModelCard:
    """Return the card of a model with these labels."""
    plain = {
        "name": "colours",
        "labels": labels or ("red", "green", "blue"),
        "sha256": "0123456789abcdef" * 4,
        "width": 8,
        "height": 6,
        "scheme": "full-integer uint8",
        "architecture": "mean",
        "fidelity": {"top1_agreement": 0.97},
        "licence": "Apache-2.0",
        "runtime": "ai-edge-litert 2.3.0",
    }
    return ModelCard(**(plain | changes))
