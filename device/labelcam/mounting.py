# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The camera that the settings name, opened the way they say."""

from .camera import Aim, Camera, Patience, open_camera, parse_spec
from .classifier import Classifier
from .settings import CameraSettings, Settings
from .view import Region, View


def view_of(settings: CameraSettings) -> View:
    """Return how the camera is mounted and what of its picture counts."""
    return View(Region(*settings.region), settings.rotate, settings.mirror)


def open_settings_camera(settings: Settings, classifier: Classifier) -> Camera:
    """Return the camera for the daemon: patient, and aimed at what the network takes."""
    how = settings.camera
    return open_camera(
        parse_spec(how.source),
        settings.limits.max_fps,
        how.timeout_seconds,
        patience=Patience(how.start_seconds, how.give_up_seconds),
        frozen_s=how.frozen_seconds,
        aim=Aim(classifier.size, classifier.preprocess, view_of(how)),
    )
