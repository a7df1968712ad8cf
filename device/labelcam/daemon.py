# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The daemon: a loop over opened resources, readable without scrolling."""

import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from .announcement import announce
from .camera import open_camera, parse_spec
from .capture import Capture
from .classifier import Classifier
from .decision import Decider
from .errors import CameraLost
from .metrics import Metrics
from .pipeline import Pipeline
from .publish import Publisher, run_publishers
from .records import Summary
from .runtime import runtime_name
from .settings import Settings
from .watchdog import Watchdog

REPORT_EVERY_S = 60.0

# The GIL's default of 5 ms between hand-overs can exceed a whole invoke; a tenth of it keeps both threads flowing.
SWITCH_INTERVAL_S = 0.0005


@dataclass(frozen=True, slots=True)
class Ending:
    """When a run is to end, its source aside."""

    frames: int | None = None
    """After so many readings."""

    seconds: float | None = None
    """After so long."""

    stop: threading.Event = field(default_factory=threading.Event)
    """Set by whoever wants it to end now."""

    begun_s: float = field(default_factory=time.monotonic)

    def is_due(self, readings: int) -> bool:
        """Whether the run is to end after so many readings."""
        return self.cannot_wait() or (self.frames is not None and readings >= self.frames)

    def cannot_wait(self) -> bool:
        """Whether it is to end even if not everything has been said."""
        return self.stop.is_set() or (self.seconds is not None and time.monotonic() - self.begun_s >= self.seconds)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended."""

    summary: Summary
    lost: CameraLost | None
    """Why it ended before its time."""


def serve(settings: Settings, classifier: Classifier, publishers: Sequence[Publisher], ending: Ending) -> Outcome:
    """Classify frames until the source or the run ends, or the camera is lost.

    Raises CameraLost if there never was a frame, SettingsError if the settings name labels that the model has not.
    """
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    delegation = classifier.interpreter.delegation()
    announce(classifier, delegation)
    metrics = Metrics(classifier.model.name, runtime_name(), delegation, classifier.interpreter.threads)
    spec = parse_spec(settings.camera.source)
    camera = open_camera(spec, settings.limits.max_fps, settings.camera.timeout_seconds)
    interval_s = 1 / (spec.fps or settings.limits.max_fps) if camera.live else 0.0
    watchdog = Watchdog(interval_s)
    patience_s = max(settings.camera.timeout_seconds, 3 * interval_s)
    decider = Decider(settings.decision, classifier.labels, classifier.constants, gap_s=patience_s)
    pipeline = Pipeline(classifier, decider)
    lost = None
    with (
        Capture(camera, classifier, patience_s) as capture,
        run_publishers(publishers, wait=lambda: not camera.live and not ending.cannot_wait()) as out,
    ):
        report_at = time.monotonic() + REPORT_EVERY_S
        try:
            for prepared in capture.frames(classifier.interpreter.write, lambda: ending.is_due(metrics.frames)):
                reading = pipeline.step(prepared)
                metrics.note(reading, time.monotonic_ns())
                watchdog.classified(reading.decision.top[0].label)
                out.offer(reading)
                if time.monotonic() >= report_at:
                    report_at += REPORT_EVERY_S
                    out.report(metrics.summary(camera.skipped, out.dropped()))
        except CameraLost as error:
            if not metrics.frames:
                raise
            lost = error  # the account of what came before is not lost with it
        watchdog.stopping()
        out.report(metrics.summary(camera.skipped, out.dropped()))
    # Once more: what the publishers did not get rid of in time counts as well.
    return Outcome(metrics.summary(camera.skipped, out.dropped()), lost)
