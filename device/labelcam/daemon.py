# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The daemon: a loop over opened resources, readable without scrolling."""

import logging
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .camera import open_camera, parse_spec
from .capture import Capture
from .classifier import Classifier
from .decision import Decider
from .errors import CameraLost
from .metrics import Metrics
from .pipeline import Pipeline
from .publish import Publisher, run_publishers
from .records import Summary
from .runtime import PACKAGE, Delegation, runtime_name
from .settings import Settings
from .watchdog import Watchdog

log = logging.getLogger(__name__)

REPORT_EVERY_S = 60.0

# The GIL's default of 5 ms between hand-overs can exceed a whole invoke; a tenth of it keeps both threads flowing.
SWITCH_INTERVAL_S = 0.0005


@dataclass(frozen=True, slots=True)
class Limits:
    """When a run is to end by itself."""

    frames: int | None = None
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended."""

    summary: Summary
    lost: CameraLost | None
    """Why it ended before its time."""


def serve(
    settings: Settings,
    classifier: Classifier,
    publishers: Sequence[Publisher],
    stop: threading.Event,
    limits: Limits,
) -> Outcome:
    """Classify frames until the source ends, a limit is reached, the camera is lost or `stop` is set.

    Raises CameraLost if there never was a frame.
    """
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    delegation = classifier.interpreter.delegation()
    announce(classifier, delegation)
    metrics = Metrics(classifier.model.name, runtime_name(), delegation, classifier.interpreter.threads)
    spec = parse_spec(settings.camera.source)
    camera = open_camera(spec, settings.limits.max_fps, settings.camera.timeout_seconds)
    interval_s = 1 / (spec.fps or settings.limits.max_fps) if camera.live else 0.0
    watchdog = Watchdog(interval_s)
    pipeline = Pipeline(classifier, Decider(settings.decision.threshold), settings.decision.top_k)
    lost = None
    with (
        Capture(camera, classifier, max(settings.camera.timeout_seconds, 3 * interval_s)) as capture,
        run_publishers(publishers, wait=lambda: not camera.live and not stop.is_set()) as out,
    ):
        report_at = time.monotonic() + REPORT_EVERY_S
        try:
            for prepared in capture.frames(classifier.interpreter.write, _finished(stop, limits, metrics)):
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
        summary = metrics.summary(camera.skipped, out.dropped())
        out.report(summary)
    return Outcome(summary, lost)


def _finished(stop: threading.Event, limits: Limits, metrics: Metrics) -> Callable[[], bool]:
    begun = time.monotonic()

    def finished() -> bool:
        return (
            stop.is_set()
            or (limits.frames is not None and metrics.frames >= limits.frames)
            or (limits.seconds is not None and time.monotonic() - begun >= limits.seconds)
        )

    return finished


def announce(classifier: Classifier, delegation: Delegation) -> None:
    """Say what runs and how; warn where an int8 network runs at a tenth of its speed for want of XNNPACK."""
    left = " ".join(f"{name}:{count}" for name, count in delegation.left.items())
    log.info(
        "model=%s runtime=%r threads=%d delegate=%s delegated=%d/%d left=%r",
        *(classifier.model.name, runtime_name(), classifier.interpreter.threads),
        *(delegation.delegate, delegation.taken, delegation.total, left),
    )
    if delegation.delegate == "none" and classifier.interpreter.quantised:
        remedy = (
            "set runtime.delegate = 'xnnpack'"
            if PACKAGE == "ai-edge-litert"
            else "install ai-edge-litert, which needs a 64-bit system: pip install ai-edge-litert"
        )
        log.warning(
            "this int8 network runs without XNNPACK (0 of %d operations) on %s, ten times slower than it could; %s",
            *(delegation.total, runtime_name(), remedy),
        )
