# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""`labelcam cameras`: what is attached, and how the others are named."""

import json
from dataclasses import asdict

from .camera.attached import Attached, v4l2_devices
from .camera.picamera2 import pi_cameras
from .console import facts, table

FORMS = (
    ("rtsp://USER:PASSWORD@HOST:554/PATH", "a network camera"),
    ("video:FILE", "a video file; ?fps=10 plays it live, ?loop repeats it"),
    ("photos:DIR", "a folder of photographs; ?fps=1 and ?loop as well"),
    ("synthetic:640x480", "moving patterns; @30 makes it live"),
)
"""Of cameras that are not to be found by looking."""


def cameras(*, as_json: bool) -> int:
    """Print every camera that is attached, and the forms of the others; return 0."""
    found = [*pi_cameras(), *v4l2_devices()]
    if as_json:
        forms = [{"camera": form, "what": what} for form, what in FORMS]
        document = {"schema": 1, "cameras": [asdict(camera) for camera in found], "forms": forms}
        print(json.dumps(document, indent=2, ensure_ascii=False))
        return 0
    if found:
        table([_row(camera) for camera in found], header=("--camera", "name", "driver", "bus", ""))
    else:
        print("no camera is attached, or none that this user may see")
    print("\nothers:")
    facts([(f"  {form}", what) for form, what in FORMS])
    return 0


def _row(camera: Attached) -> tuple[str, ...]:
    return camera.camera, camera.name, camera.driver, camera.bus, camera.remedy
