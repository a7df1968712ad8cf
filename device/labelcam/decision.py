# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""From scores to a state and its events: a pure function of what came before and when, without a clock of its own."""

from .records import Decision, Event, Label

UNKNOWN = "unknown"
"""The state while no label is sure enough."""


class Decider:
    """Holds what is believed to be there."""

    def __init__(self, threshold: float) -> None:
        """A label is held to be there when it is best and its score is at least `threshold`."""
        self._threshold = threshold
        self._entered = UNKNOWN
        """What the events so far amount to."""

        self._since_ns = 0

    def decide(self, top: tuple[Label, ...], taken_ns: int) -> Decision:
        """Return what this frame, best label first and taken at `taken_ns`, makes of the state.

        A frame has at most one event: where one label follows another, its enter comes with the frame after the leave.
        """
        best = top[0]
        state = best.label if best.score >= self._threshold else UNKNOWN
        return Decision(top, state, self._event(state, taken_ns))

    def _event(self, state: str, taken_ns: int) -> Event | None:
        if state == self._entered:
            return None
        if self._entered != UNKNOWN:
            left, self._entered = self._entered, UNKNOWN
            return Event("leave", left, (taken_ns - self._since_ns) / 1e9)
        self._entered, self._since_ns = state, taken_ns
        return Event("enter", state, 0.0)
