# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""A second model beside the live one, asked about a frame now and then: how often would it have said otherwise?"""

import logging
import time
from collections.abc import Callable

from .account import ShadowAccount
from .classifier import Classifier
from .decision import Decider
from .pictures import Pictures
from .publish import Publisher
from .records import ModelCard, Reading

log = logging.getLogger(__name__)


class Shadow(Publisher):
    """Compares best labels on a thread of its own, so that the live model never waits for it."""

    name = "shadow"

    def __init__(
        self,
        classifier: Classifier,
        decider: Decider,
        pictures: Pictures,
        every_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`decider` merges the groups of the second model's labels as the live one's are; nothing enters by it."""
        self._classifier, self._decider, self._pictures = classifier, decider, pictures
        self._every_s, self._clock = every_s, clock
        self._due_s = 0.0
        self._live = ""
        self.account = ShadowAccount(classifier.model.name, 0, 0)

    def introduce(self, card: ModelCard) -> None:
        if card.sha256 != self._live:  # another live model: what was counted so far is not about it
            self._live, self.account = card.sha256, ShadowAccount(self._classifier.model.name, 0, 0)

    def wants(self, reading: Reading) -> bool:  # noqa: ARG002, whichever comes when one is due
        now_s = self._clock()
        if now_s < self._due_s:
            return False
        self._due_s = now_s + self._every_s
        return True

    def publish(self, reading: Reading) -> None:
        picture = self._pictures.of(reading.seq)
        if picture is None:  # we were so late that it is gone
            return
        prepared = self._classifier.input_array()
        self._classifier.prepare(picture.pixels, prepared)
        best = self._decider.top(self._classifier.scores(prepared))[0]
        other = best.label != reading.decision.top[0].label
        if other:
            self._pictures.dispute(picture)
        so_far = self.account
        self.account = ShadowAccount(so_far.model, so_far.asked + 1, so_far.disagreed + other)
