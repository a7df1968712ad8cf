# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Everything that is counted and remarked while the daemon runs, and the account that it adds up to."""

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from .account import Summary
from .capture import Capture, Left
from .classifier import Classifier
from .metrics import Metrics, resident_bytes
from .records import ModelCard, Reading
from .runtime import runtime_name
from .sampler import Sampler


class Ledger:
    """Only for the pipeline's thread."""

    def __init__(self) -> None:
        self.metrics = Metrics()
        self.remarks: dict[str, str] = {}
        """What is not as one would expect, a sentence a subject."""

        self.news = False
        """Whether a remark has come or gone since this was last set to False."""

        self._lost: Counter[str] = Counter()
        """Frames that came to nothing with cameras that have been left."""

        self._skipped = self._untold = 0

    def note(self, reading: Reading) -> Reading:
        """Count a reading that was made just now, and return it with the frames that were lost before it."""
        if self._untold:
            reading = replace(reading, dropped=reading.dropped + self._untold)
            self._untold = 0
        self.metrics.note(reading, time.monotonic_ns())
        return reading

    def remark(self, subject: str, sentence: str | None) -> None:
        """Remark something, or with None that there is nothing to be remarked any more."""
        if self.remarks.get(subject) == sentence:
            return
        self.news = True
        if sentence is None:
            del self.remarks[subject]
        else:
            self.remarks[subject] = sentence

    def left(self, camera: Left) -> None:
        """Take over the counts of a camera that has been left."""
        self._lost.update(camera.dropped)
        self._untold += camera.untold
        self._skipped += camera.skipped

    def lose_frame(self, reason: str, before: int) -> None:
        """Count a frame that came to nothing after it was prepared; the next reading tells of it.

        `before` are those that were dropped just before it, which nobody else tells of now.
        """
        self._lost[reason] += 1
        self._untold += 1 + before

    def summary(
        self, classifier: Classifier, capture: Capture, sampler: Sampler, publishers: Mapping[str, int]
    ) -> Summary:
        """Return the account so far; `publishers` tells what each had to drop."""
        delegation = classifier.interpreter.delegation()
        metrics, now_ns = self.metrics, time.monotonic_ns()
        return Summary(
            frames=metrics.frames,
            dropped=metrics.dropped + self._untold,
            skipped=self._skipped + capture.camera.skipped,
            seconds=metrics.seconds,
            fps=metrics.fps,
            model=classifier.model.name,
            runtime=runtime_name(),
            delegate=delegation.delegate,
            delegated_ops=(delegation.taken, delegation.total),
            fallbacks=delegation.fallbacks,
            threads=classifier.interpreter.threads,
            stages_ms=metrics.stages_ms(),
            age_ms=metrics.age_ms(),
            rss_mb=resident_bytes() / 1e6,
            labels=metrics.labels(),
            publishers=publishers,
            dropped_reasons=dict(self._lost + Counter(capture.dropped)),
            camera="lost" if "camera" in self.remarks else "ok",
            vitals=sampler.latest(now_ns),
            energy=sampler.energy(),
            last_minute=replace(metrics.last_minute(now_ns), extremes=sampler.last_minute()),
            buckets=metrics.buckets(),
            remarks=dict(self.remarks),
            made_ns=now_ns,
            tallies=metrics.tallies(),
        )


def card_of(classifier: Classifier, candidates: tuple[str, ...]) -> ModelCard:
    """Return what people may want to know of a model; `candidates` are what can be held to be there."""
    model, manifest = classifier.model, classifier.model.manifest
    return ModelCard(
        name=model.name,
        labels=candidates,
        sha256=model.sha256,
        width=classifier.size.width,
        height=classifier.size.height,
        scheme=manifest.scheme if manifest else "",
        architecture=manifest.architecture if manifest else "",
        fidelity=manifest.fidelity if manifest else {},
        licence=manifest.weights.licence if manifest else "",
        runtime=runtime_name(),
    )
