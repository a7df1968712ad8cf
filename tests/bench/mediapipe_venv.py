# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""MediaPipe in a virtual environment of its own: the OpenCV that it asks for would overwrite ours."""

import sys
from functools import cache
from pathlib import Path

from child import ChildFailed, output_of

from labelcam.console import note, step

VERSION = "1.2.2"
VENV = Path(".venv-mediapipe")
PYTHON = VENV / "bin" / "python"


@cache
def mediapipe_python() -> Path | None:
    """Return the Python that has MediaPipe, made if it is not there; None, said in one line, where it cannot be had."""
    try:
        if not _is_installed():
            with step(f"installing mediapipe {VERSION} into {VENV}"):
                output_of([sys.executable, "-m", "venv", VENV])
                output_of([PYTHON, "-m", "pip", "install", "--quiet", "--retries", 1, f"mediapipe=={VERSION}"])
    except ChildFailed as error:
        note(f"MediaPipe is left out, it cannot be installed here: {error}")
        return None
    return PYTHON


def _is_installed() -> bool:
    if not PYTHON.exists():
        return False
    try:
        found = output_of([PYTHON, "-c", "from importlib.metadata import version; print(version('mediapipe'))"])
    except ChildFailed:
        return False  # an installation that was broken off
    return found.strip() == VERSION
