# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""A frame's way from pixels to a reading, with one network: pure composition, no hardware and no network."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from .classifier import Classifier
from .decision import Decider
from .errors import InferenceFailed
from .glance import Darkness
from .images import Pixels
from .records import NO_VITALS, Frame, Reading, Stage, Vitals
from .runtime import Array
from .view import View


class Pipeline:
    """Prepares frames on the capture thread, and on another runs the network on them and decides what that means."""

    def __init__(
        self,
        classifier: Classifier,
        decider: Decider,
        view: View = View(),  # noqa: B008, frozen
        darkness: Darkness | None = None,
        vitals: Callable[[int], Vitals] = lambda _: NO_VITALS,
    ) -> None:
        """`vitals` says how the board is at a time in nanoseconds; asked for every frame, it must not take long."""
        self.classifier, self.decider = classifier, decider
        self._view, self._darkness, self._vitals = view, darkness, vitals

    def input_array(self) -> Array:
        """Return an array that a frame can be prepared into."""
        return self.classifier.input_array()

    def prepare(self, frame: Frame, out: Array) -> tuple[Pixels, bool]:
        """Write a frame into `out` as the network takes it; return the upright picture, and whether it is dark."""
        pixels = self._view.of(frame.pixels)
        self.classifier.prepare(pixels, out)
        return pixels, self._darkness is not None and self._darkness.covers(pixels, frame.taken_ns)

    def write(self, array: Array) -> None:
        """Copy a prepared frame into the network."""
        self.classifier.interpreter.write(array)

    def step(self, prepared: "Prepared") -> Reading:
        """Return what the frame that was last written taught us, with the time each stage took.

        Raises InferenceFailed where the interpreter fails on it.
        """
        begun_ns = time.monotonic_ns()
        try:
            scores = self.classifier.scores_of_written()
        except (RuntimeError, ValueError) as error:
            raise InferenceFailed(self.classifier.model.name, error) from error
        invoked_ns = time.monotonic_ns()
        decision = self.decider.decide(scores, prepared.taken_ns, dark=prepared.dark)
        done_ns = time.monotonic_ns()
        return Reading(
            seq=prepared.seq,
            time=datetime.now(UTC),
            source=prepared.source,
            decision=decision,
            age_ms=(done_ns - prepared.taken_ns) / 1e6,
            stages_ms={
                Stage.CAPTURE: prepared.capture_ms,
                Stage.PREPROCESS: prepared.preprocess_ms,
                Stage.INVOKE: (invoked_ns - begun_ns) / 1e6,
                Stage.DECIDE: (done_ns - invoked_ns) / 1e6,
            },
            dropped=prepared.dropped,
            vitals=self._vitals(done_ns),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """What is known of a frame that waits in a network's input."""

    pipeline: Pipeline
    """Whose network that is."""

    seq: int
    """Counts every frame that the camera delivered, from 0."""

    dropped: int
    """Frames since the last that was classified: those that a newer one replaced, and those that were no good."""

    taken_ns: int
    source: str | None
    capture_ms: float
    preprocess_ms: float
    pixels: Pixels
    """The upright picture that the network's input was made of, height x width x 3, RGB."""

    dark: bool = False
    """Nothing can be seen on it: it is night, or the lens is covered."""
