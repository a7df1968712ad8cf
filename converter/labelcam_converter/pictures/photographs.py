# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Ten photographs out of the scikit-image wheel: the default calibration images, and the demo's camera."""

import importlib.util
from pathlib import Path

from labelcam.errors import LabelcamError

WITH_PERSON = ("astronaut.png", "camera.png")
"""The ones that show somebody."""

WITHOUT_PERSON = (
    "brick.png",
    "chelsea.png",
    "clock_motion.png",
    "coffee.png",
    "grass.png",
    "moon.png",
    "retina.jpg",
    "rocket.jpg",
)


def photographs() -> list[Path]:
    """Return the ten files, sorted by name. Raises LabelcamError if scikit-image is not installed.

    scikit-image itself is never imported: that takes most of a second.
    """
    found = importlib.util.find_spec("skimage")
    if found is None or found.origin is None:
        raise LabelcamError(
            "scikit-image, whose photographs are the default images, is not installed: "
            "pip install 'labelcam[converter]', or give images of your own by --images DIR"
        )
    folder = Path(found.origin).parent / "data"
    files = sorted(folder / name for name in WITH_PERSON + WITHOUT_PERSON)
    for path in files:
        if not path.is_file():
            raise LabelcamError(f"{path}: the installed scikit-image lacks it; give images of your own by --images DIR")
    return files
