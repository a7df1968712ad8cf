# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The daemon: a loop over opened resources, readable without scrolling."""

import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from .account import Summary
from .announcement import announce
from .camera import DEVICES, SLOWEST_RETRY_S, Absence, Camera, parse_spec
from .capture import Capture
from .classifier import Classifier
from .decision import Decider
from .errors import CameraLost
from .glance import EVERY_S, Darkness
from .metrics import Metrics
from .mounting import open_settings_camera, view_of
from .pipeline import Pipeline
from .publish import Publisher, Publishers, run_publishers
from .records import Event, Notice, Prepared
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
    spec = parse_spec(settings.camera.source)
    camera = open_settings_camera(settings, classifier)
    interval_s = 1 / (spec.fps or settings.limits.max_fps) if camera.live else 0.0
    watchdog = Watchdog(interval_s, settings.camera.timeout_seconds + SLOWEST_RETRY_S if spec.kind in DEVICES else 0.0)
    patience_s = max(settings.camera.timeout_seconds, 3 * interval_s)
    decider = Decider(settings.decision, classifier.labels, classifier.constants, gap_s=patience_s)
    metrics = Metrics(classifier.model.name, runtime_name(), delegation, classifier.interpreter.threads)
    # Each photograph is another scene; of a camera's frames not every one can be.
    look_every_s = EVERY_S if camera.live and spec.kind != "photos" else 0.0
    darkness = Darkness(settings.camera.dark_mean, settings.camera.dark_deviation, look_every_s)
    first_s = settings.camera.start_seconds if spec.kind in DEVICES else None
    with (
        Capture(camera, classifier, patience_s, view_of(settings.camera), darkness, first_s) as capture,
        run_publishers(publishers, wait=lambda: not camera.live and not ending.cannot_wait()) as out,
    ):
        loop = _Loop(Pipeline(classifier, decider), decider, metrics, watchdog, out, camera, capture)
        lost = None
        try:
            for found in capture.frames(classifier.interpreter.write, lambda: ending.is_due(metrics.frames)):
                loop.take(found)
        except CameraLost as error:
            if not metrics.frames:
                raise
            lost = error  # the account of what came before is not lost with it
        capture.stop()
        watchdog.stopping()
        loop.finish(lost)
    # Once more: what the publishers did not get rid of in time counts as well.
    return Outcome(loop.summary(), lost)


class _Loop:
    """What is done with each frame, and with each attempt to find a camera that is away."""

    def __init__(
        self,
        pipeline: Pipeline,
        decider: Decider,
        metrics: Metrics,
        watchdog: Watchdog,
        out: Publishers,
        camera: Camera,
        capture: Capture,
    ) -> None:
        self._pipeline, self._decider, self._metrics, self._watchdog = pipeline, decider, metrics, watchdog
        self._out, self._camera, self._capture = out, camera, capture
        self._away: Absence | None = None
        self._report_at = time.monotonic() + REPORT_EVERY_S

    def take(self, found: Prepared | Absence) -> None:
        """Make of it what there is to make, and tell everyone."""
        if isinstance(found, Absence):
            self._miss(found)
        else:
            self._away = None
            reading = self._pipeline.step(found)
            self._metrics.note(reading, time.monotonic_ns())
            self._watchdog.classified(reading.decision.top[0].label)
            self._out.offer(reading)
        if time.monotonic() >= self._report_at:
            self._report_at += REPORT_EVERY_S
            if self._away:
                self._out.notice(_lost(self._away.reason, None))
            self._out.report(self.summary())

    def _miss(self, absence: Absence) -> None:
        self._watchdog.searching(absence.reason)
        if self._away is None:
            # What was there is gone with the camera: nobody knows. A broker may remember it from an earlier life, too.
            self._out.notice(_lost(absence.reason, self._decider.finish()))
        self._away = absence

    def finish(self, lost: CameraLost | None) -> None:
        """Say the last words: what is still held to be there leaves with us."""
        event = self._decider.finish()
        if lost and self._away is None:
            self._out.notice(_lost(str(lost), event))
        elif event:
            self._out.notice(Notice(datetime.now(UTC), "ok", event=event))
        if lost:
            self._away = Absence(str(lost), 0.0, 0.0)
        self._out.report(self.summary())

    def summary(self) -> Summary:
        """Return the account so far."""
        return replace(
            self._metrics.summary(self._camera.skipped, self._out.dropped()),
            dropped_reasons=dict(self._capture.dropped),
            camera="lost" if self._away else "ok",
        )


def _lost(reason: str, event: Event | None) -> Notice:
    return Notice(datetime.now(UTC), "lost", reason, event)
