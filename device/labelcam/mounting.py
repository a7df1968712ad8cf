# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The camera that the settings name, opened the way they say."""

from .camera import Aim, Camera, CameraSpec, Patience, open_camera, parse_spec
from .classifier import Classifier
from .settings import CameraSettings, Settings
from .view import Region, View


def view_of(settings: CameraSettings) -> View:
    """Return how the camera is mounted and what of its picture counts."""
    return View(Region(*settings.region), settings.rotate, settings.mirror)


def aim_of(settings: Settings, classifier: Classifier) -> Aim | None:
    """Return what a camera's own image processor may scale for.

    None where people are to see the picture as well, or another model, whose size and fit are its own.
    """
    if wants_pictures(settings) or settings.model.shadow:
        return None
    return Aim(classifier.size, classifier.preprocess, view_of(settings.camera))


def wants_pictures(settings: Settings) -> bool:
    """Whether somebody may want to see what the network sees."""
    seen = settings.http.enabled or settings.mqtt.host or settings.reservoir.enabled
    return bool(seen) and not settings.camera.private


def frame_interval_s(settings: Settings, spec: CameraSpec) -> float:
    """Return the seconds between frames; 0 where they are made as fast as they are asked for."""
    return 1 / (spec.fps or settings.limits.max_fps) if spec.live else 0.0


def patience_s(settings: Settings, spec: CameraSpec) -> float:
    """Return for how many seconds nothing may be heard of the camera."""
    return max(settings.camera.timeout_seconds, 3 * frame_interval_s(settings, spec))


def opened_with(settings: Settings, classifier: Classifier) -> tuple[object, ...]:
    """Return everything that a camera is opened with: while that stays equal, it can stay open."""
    how, spec = settings.camera, parse_spec(settings.camera.source)
    if not spec.is_device:  # the rest is for real ones, and a folder would be shown from its beginning
        return (how.source,)
    patience = (how.timeout_seconds, how.start_seconds, how.give_up_seconds, how.frozen_seconds)
    aim = aim_of(settings, classifier) if spec.kind == "picamera2" else None
    return (how.source, settings.limits.max_fps, patience, aim)


def open_settings_camera(settings: Settings, classifier: Classifier) -> Camera:
    """Return the camera for the daemon: patient, and aimed at what the network takes."""
    how = settings.camera
    return open_camera(
        parse_spec(how.source),
        settings.limits.max_fps,
        how.timeout_seconds,
        patience=Patience(how.start_seconds, how.give_up_seconds),
        frozen_s=how.frozen_seconds,
        aim=aim_of(settings, classifier),
    )
