# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""From scores to a state and its events: a pure function of what came before and when, without a clock of its own."""

from .classifier import Label
from .records import Decision, Event

UNKNOWN = "unknown"
"""The state while no label is sure enough."""


class Decider:
    """Holds what is believed to be there."""

    def __init__(self, threshold: float) -> None:
        """A label enters when it is best and its score is at least `threshold`, and leaves when that ends."""
        self._threshold = threshold
        self._state = UNKNOWN
        self._since_ns = 0

    def decide(self, top: tuple[Label, ...], taken_ns: int) -> Decision:
        """Return what this frame, best label first and taken at `taken_ns`, makes of the state.

        A change from one label to another takes two frames, the leave and then the enter: one event a frame.
        """
        best = top[0]
        seen = best.label if best.score >= self._threshold else UNKNOWN
        if seen == self._state:
            return Decision(top, self._state, None)
        if self._state != UNKNOWN:
            event = Event("leave", self._state, (taken_ns - self._since_ns) / 1e9)
            self._state = UNKNOWN
        else:
            event = Event("enter", seen, 0.0)
            self._state, self._since_ns = seen, taken_ns
        return Decision(top, self._state, event)
