# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""`labelcam check`: what the settings ask for, one by one, with the remedy for what will not work."""

from pathlib import Path

from .camera import BadFrame, Camera, EndOfFrames, open_camera, parse_spec
from .checklist import Check, attempt, show
from .classifier import Classifier
from .decision import Decider
from .models import load_classifier
from .power import open_meter
from .records import Frame
from .run import with_flags
from .settings import Settings, load_settings
from .settings.loading import settings_in_use
from .trials import trials
from .vetting import goldens_verdict


def check(settings_file: Path | None, model: str | None, camera: str | None, *, as_json: bool) -> int:
    """Print every check and return the exit code of the most lasting failure, else 0."""
    checks: list[Check] = []
    settings = attempt(checks, "settings", lambda: _settings(settings_file, model, camera))
    if settings:
        classifier = attempt(checks, "model", lambda: _model(settings))
        if classifier:
            attempt(checks, "goldens", lambda: (True, goldens_verdict(classifier)))
            attempt(checks, "decision", lambda: (True, _decision(settings, classifier)))
        attempt(checks, "camera", lambda: (True, _camera(settings)))
        attempt(checks, "power", lambda: (True, _power(settings)))
        for name, try_it in trials(settings):
            attempt(checks, name, lambda try_it=try_it: (True, try_it()))  # type: ignore[misc]
    return show(checks, as_json=as_json)


def _settings(file: Path | None, model: str | None, camera: str | None) -> tuple[Settings, str]:
    settings = with_flags(load_settings(file), model, camera)
    return settings, str(file or settings_in_use() or "the defaults: there is no file")


def _model(settings: Settings) -> tuple[Classifier, str]:
    classifier = load_classifier(settings)
    found = classifier.interpreter.delegation()
    taken = f"{found.delegate} takes {found.taken} of {found.total} operations"
    if classifier.on_twin:
        taken += " of the CPU twin in a file compiled for the Edge TPU"
    if found.reason:
        taken += f": {found.reason}"
    return classifier, f"{classifier.model.path}: {len(classifier.labels)} labels, {classifier.size}, {taken}"


def _decision(settings: Settings, classifier: Classifier) -> str:
    decider = Decider(settings.decision, classifier.labels, classifier.constants)
    return f"{decider.sentence}, temperature {decider.temperature:g}"


def _power(settings: Settings) -> str:
    plate = open_meter(settings.power.meter, settings.power.hwmon).plate
    return f"{plate.name}: {plate.includes}" if plate.max_hz else "no meter on this machine: power is not measured"


def _camera(settings: Settings) -> str:
    spec = parse_spec(settings.camera.source)
    with open_camera(spec, settings.limits.max_fps, settings.camera.timeout_seconds) as camera:
        try:
            height, width = _good_frame(camera).pixels.shape[:2]
        except EndOfFrames:
            return f"{spec.kind}: no frame"
    return f"{spec.kind}: delivers {width}x{height}"


def _good_frame(camera: Camera) -> Frame:
    while True:
        try:
            return camera.capture()
        except BadFrame:
            continue  # one torn frame means nothing; the camera itself ends a row of them
