# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""A model that has taken over from another while we run: watched for a while, and sent back if it does not hold."""

import logging
import math
import statistics
from collections import deque

from .plan import Plan
from .records import Reading, Stage

log = logging.getLogger(__name__)

ENOUGH = 20
"""Frames whose median says whether a model is too slow: one slow invoke may be anybody's."""


class Succession:
    """Watches the model that is live for as long as it is on trial."""

    def __init__(self, before: Plan, after: Plan, now_s: float) -> None:
        """Begin a trial of what `after` runs; `before` is what comes back."""
        self.before = before
        self._until_s = now_s + after.settings.model.health_seconds
        self._model, self._limit_ms = after.classifier.model.name, after.settings.model.max_invoke_ms
        self._invokes_ms: deque[float] = deque(maxlen=ENOUGH)

    def is_over(self, now_s: float) -> bool:
        """Whether the model has held for long enough."""
        if now_s < self._until_s:
            return False
        log.info("model-held model=%s", self._model)
        return True

    def complaint(self, reading: Reading) -> str | None:
        """Return why the model must go, now that it has answered this; None if there is nothing to say against it."""
        if not math.isfinite(reading.decision.top[0].score):
            return "its scores are no numbers"
        self._invokes_ms.append(reading.stages_ms[Stage.INVOKE])
        if not self._limit_ms or len(self._invokes_ms) < ENOUGH:
            return None
        took_ms = statistics.median(self._invokes_ms)
        slow = took_ms > self._limit_ms
        return f"an invoke takes {took_ms:.1f} ms, {self._limit_ms:g} are allowed" if slow else None
