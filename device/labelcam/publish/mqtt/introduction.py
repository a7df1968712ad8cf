# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""What Home Assistant has been told of us stands in the broker; what is no longer true is taken back by name."""

import json
import logging
import threading
from collections.abc import Callable, Mapping
from typing import Any

from ...records import ModelCard
from ..home_assistant import ORIGIN

log = logging.getLogger(__name__)


class Introduction:
    """Keeps one retained message right, from one life to the next.

    Home Assistant goes on showing an entity that a later message merely leaves out. It lets go of one whose component
    is reduced to its platform, so that is what stays in the message of everything that ever was in it.
    """

    def __init__(
        self,
        topic: str,
        compose: Callable[[ModelCard], dict[str, Any]] | None,
        keep: Callable[[str, str], None],
    ) -> None:
        """`compose` makes the message, or is None where there is to be none; `keep` has the broker retain it."""
        self.topic = topic
        self._compose, self._keep = compose, keep
        self._message: dict[str, Any] | None = None
        self._platforms: dict[str, str] = {}
        """Of every component that was ever announced."""

        self._one_at_a_time = threading.Lock()  # a model is introduced on one thread, the broker answers on another

    def introduce(self, card: ModelCard) -> None:
        """Announce what there is to see with this model."""
        if self._compose:
            with self._one_at_a_time:
                self._message = self._compose(card)
                self._announce()

    def remembered(self, payload: bytes, retained: bool) -> None:
        """Learn from the broker what it was told before: in an earlier life, or under other settings."""
        if retained and (components := _our_components(payload)) is not None:
            with self._one_at_a_time:
                if self._compose is None:
                    log.info("home-assistant-left topic=%s", self.topic)
                    self._keep(self.topic, "")
                elif set(components) - set(self._platforms):
                    self._platforms = components | self._platforms
                    self._announce()

    def _announce(self) -> None:
        if self._message is None:
            return
        present = self._message["cmps"]
        self._platforms |= {name: component["p"] for name, component in present.items()}
        gone = {name: {"p": platform} for name, platform in self._platforms.items() if name not in present}
        log.info("home-assistant-told topic=%s entities=%d gone=%d", self.topic, len(present), len(gone))
        # The gone ones first: Home Assistant stops reading at the first one that it is still busy with.
        self._keep(self.topic, json.dumps({**self._message, "cmps": {**gone, **present}}))


def _our_components(payload: bytes) -> dict[str, str] | None:
    """The platform of each component in a message of ours; None if it is none."""
    try:
        message: Mapping[str, Any] = json.loads(payload)
        if message["o"]["name"] != ORIGIN:
            return None
        return {name: str(component["p"]) for name, component in message["cmps"].items()}
    except (ValueError, LookupError, TypeError, AttributeError):
        return None
