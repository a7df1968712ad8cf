# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""From scores to a state and its events: a pure function of what came before and when, without a clock of its own.

A frame speaks for the time since the frame before it, so that what comes out depends on seconds, not on frames.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from .candidates import choose
from .records import DARK, UNKNOWN, Decision, Event, Label
from .scores import DecisionConstants, Scores, UnknownThresholds, entropy, margin, named, ranking, scaled
from .settings import DecisionSettings

GAP_S = 10.0
"""After so long without a frame, nothing is known any more of what was there."""

LEAVES_AT = 0.8
"""Of the threshold, where the settings name no threshold to leave at."""


class _Look(NamedTuple):
    """What a frame gives to see."""

    shown: Scores
    """By this frame alone."""

    belief: Scores
    """By this frame and those before, as far as they still count."""

    before_ns: int
    """When the frame before was taken; for the first frame, when this one was."""

    now_ns: int


@dataclass(slots=True)
class _Stay:
    """Something that is held to be there."""

    label: str
    index: int
    since_ns: int
    seen_ns: int
    """When it was last seen: a frame, or while it is gone, as near as can be told."""

    gone_ns: int | None = None
    """The first frame since then, which did not."""

    def end(self, now_ns: int) -> None:
        """Say that it is no longer seen, if that is news."""
        if self.gone_ns is None:
            self.gone_ns = now_ns

    def seconds(self) -> float:
        """How long it was seen, from its first frame to the first without it."""
        return ((self.seen_ns if self.gone_ns is None else self.gone_ns) - self.since_ns) / 1e9


@dataclass(slots=True)
class _Arrival:
    """Something that is seen, perhaps not for long enough."""

    label: str
    unseen_ns: int
    """The last moment without it."""

    first_ns: int
    """The first frame with it."""


class Decider:
    """Holds what is believed to be there."""

    def __init__(
        self,
        settings: DecisionSettings,
        labels: Sequence[str],
        constants: DecisionConstants | None = None,
        gap_s: float = GAP_S,
    ) -> None:
        """Decide by the settings and, where they leave it to the model file, by its constants.

        Raises SettingsError if the settings name labels that are not there.
        """
        constants = constants or DecisionConstants()
        self._settings = settings
        self._candidates = choose(labels, settings.allow, settings.deny, settings.groups)
        self.temperature = settings.temperature or constants.temperature
        self.names = self._candidates.names
        """Of the groups and labels that can be held to be there."""

        self.sentence = self._candidates.sentence()
        """How many labels may enter."""

        self._as_they_are = self.temperature == 1 and self._candidates.order is None
        """Whether the network's scores are those of the candidates: every call counts between two invokes."""

        self._unknown = _unknown(settings, constants.unknown or UnknownThresholds())
        self._leaves_at = settings.leave_threshold or LEAVES_AT * settings.threshold
        self._share = self._leaves_at / settings.threshold if settings.threshold else 1.0
        self._enter_ns, self._leave_ns = round(settings.enter_seconds * 1e9), round(settings.leave_seconds * 1e9)
        self._gap_ns = gap_s * 1e9
        self._belief: Scores | None = None
        self._stay: _Stay | None = None
        self._arrival: _Arrival | None = None
        self._announced: _Stay | None = None
        """What the events so far amount to."""

        self._last_ns: int | None = None
        self._owed: Event | None = None
        """What another has left to be said."""

    def owe(self, event: Event | None) -> None:
        """Say this before anything else: the leave of what another decider, whose place we take, held to be there."""
        self._owed = event

    def decide(self, scores: Scores, taken_ns: int, *, dark: bool = False) -> Decision:
        """Return what a frame's scores, one per label, make of the state; on a dark one nothing can be seen.

        A frame has at most one event: where one label follows another, its enter comes with the frame after the leave.
        """
        shown = self._shown(scores)
        ranked = ranking(shown, self._settings.top_k)
        before_ns, self._last_ns = self._last_ns, taken_ns
        if before_ns is None or not 0 <= taken_ns - before_ns <= self._gap_ns:
            self._forget(before_ns or 0)
            before_ns = taken_ns  # the first frame speaks for itself alone
        if dark:
            self._forget(taken_ns)
        else:
            belief = self._smoothed(shown, taken_ns - before_ns) if self._settings.smoothing_seconds else shown
            self._see(_Look(shown, belief, before_ns, taken_ns), ranked[0])
        state = DARK if dark else self._stay.label if self._stay else UNKNOWN
        return Decision(named(shown, ranked, self._candidates.names), state, self._event())

    def top(self, scores: Scores) -> tuple[Label, ...]:
        """Return what a frame alone shows: best first, the labels of a group as one."""
        shown = self._shown(scores)
        return named(shown, ranking(shown, self._settings.top_k), self._candidates.names)

    def _shown(self, scores: Scores) -> Scores:
        return scores if self._as_they_are else self._candidates.merged(scaled(scores, self.temperature))

    def finish(self) -> Event | None:
        """Return the leave of what was announced, to be said when there will be no more frames; start afresh."""
        self._forget(self._last_ns or 0)
        self._last_ns = None
        return self._event()

    def _forget(self, now_ns: int) -> None:
        if self._stay:
            self._stay.end(now_ns)
        self._stay = self._arrival = self._belief = None

    def _smoothed(self, shown: Scores, passed_ns: int) -> Scores:
        """Exponential smoothing: after `smoothing_seconds` a change has come through to 1 - 1/e."""
        if self._belief is None:
            self._belief = shown.copy()
        else:
            new = -math.expm1(-passed_ns / 1e9 / self._settings.smoothing_seconds)
            self._belief += (shown - self._belief) * new
        return self._belief

    def _see(self, look: _Look, best: int) -> None:
        if self._candidates.handicap is not None or look.belief is not look.shown:
            best = int(self._candidates.open_to(look.belief).argmax())
        score, label = round(look.belief.item(best), 4), self._candidates.names[best]
        if self._stay:
            self._hold(self._stay, look, best, score)
        if self._stay and self._stay.label == label:
            self._arrival = None
            return
        if not self._may_enter(look.belief, best, score):
            self._arrival = None
        elif self._arrival is None or self._arrival.label != label:
            unseen_ns = self._crossing_ns(look, best, self._settings.threshold)
            self._arrival = _Arrival(label, unseen_ns, look.now_ns)
        if self._stay is None and self._arrival:
            self._let_in(self._arrival, best, look.now_ns)

    def _hold(self, stay: _Stay, look: _Look, best: int, best_score: float) -> None:
        """Go on holding it while it scores what it leaves at, and the same share of the best as that of threshold."""
        if self._candidates.names[best] == stay.label:
            stay.index = best  # two outputs may have one name
        score = round(look.belief.item(stay.index), 4)
        if score >= self._leaves_at and score >= self._share * best_score:
            stay.seen_ns, stay.gone_ns = look.now_ns, None
            return
        first = stay.gone_ns is None
        if first:
            stay.seen_ns = self._crossing_ns(look, stay.index, self._leaves_at)
            stay.gone_ns = look.now_ns
        # One frame without it is not enough where it must be gone for a while, however seldom frames come.
        if look.now_ns - stay.seen_ns >= self._leave_ns and not (first and self._leave_ns):
            self._stay = None

    def _crossing_ns(self, look: _Look, index: int, level: float) -> int:
        """When since the frame before, as exponential smoothing goes, the belief in a candidate has crossed a level."""
        passed_s = (look.now_ns - look.before_ns) / 1e9
        shown, belief = look.shown.item(index), look.belief.item(index)
        ago_s = passed_s
        if belief != shown and (ratio := (shown - level) / (shown - belief)) > 0:
            ago_s = min(max(self._settings.smoothing_seconds * math.log(ratio), 0.0), passed_s)
        return look.now_ns - round(ago_s * 1e9)

    def _may_enter(self, belief: Scores, best: int, score: float) -> bool:
        limits = self._unknown
        if score < max(self._settings.threshold, limits.score):
            return False
        if limits.margin > 0 and margin(self._candidates.open_to(belief), best) < limits.margin:
            return False
        return limits.entropy >= 1 or entropy(belief) <= limits.entropy

    def _let_in(self, arrival: _Arrival, index: int, now_ns: int) -> None:
        # Nor is one frame enough where it must be seen for a while.
        if now_ns - arrival.unseen_ns >= self._enter_ns and (now_ns > arrival.first_ns or not self._enter_ns):
            since_ns = min(arrival.first_ns, now_ns - self._enter_ns)
            self._stay = _Stay(arrival.label, index, since_ns, now_ns)

    def _event(self) -> Event | None:
        if self._owed:
            owed, self._owed = self._owed, None
            return owed
        if self._announced is self._stay:
            return None
        if self._announced is not None:
            left, self._announced = self._announced, None
            return Event("leave", left.label, left.seconds())
        self._announced = self._stay
        return Event("enter", self._stay.label, 0.0) if self._stay else None


def _unknown(settings: DecisionSettings, fitted: UnknownThresholds) -> UnknownThresholds:
    """The settings' thresholds, and the model file's where they are below 0."""

    def chosen(own: float, theirs: float) -> float:
        return theirs if own < 0 else own

    return UnknownThresholds(
        chosen(settings.unknown_score, fitted.score),
        chosen(settings.unknown_margin, fitted.margin),
        chosen(settings.unknown_entropy, fitted.entropy),
    )
