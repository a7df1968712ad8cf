# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""From a prepared frame to a reading: pure composition, no hardware and no network."""

import time
from datetime import UTC, datetime

from .classifier import Classifier
from .decision import Decider
from .records import Prepared, Reading, Stage


class Pipeline:
    """Runs the network on what waits in its input and decides what it means."""

    def __init__(self, classifier: Classifier, decider: Decider) -> None:
        self._classifier, self._decider = classifier, decider

    def step(self, prepared: Prepared) -> Reading:
        """Return what the frame taught us, with the time each stage took."""
        begun_ns = time.monotonic_ns()
        scores = self._classifier.scores_of_written()
        invoked_ns = time.monotonic_ns()
        decision = self._decider.decide(scores, prepared.taken_ns, dark=prepared.dark)
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
        )
