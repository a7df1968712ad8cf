# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""MediaPipe in a virtual environment of its own: the OpenCV that it asks for would overwrite ours."""

import fcntl
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
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
        with _alone():
            _install()
    except ChildFailed as error:
        note(f"MediaPipe is left out, it cannot be installed here: {error}")
        return None
    return PYTHON


@contextmanager
def _alone() -> Iterator[None]:
    """Let one process at a time install, of those that run in this folder."""
    folder = os.open(VENV.absolute().parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def _install() -> None:
    if _is_installed():
        return
    with step(f"installing mediapipe {VERSION} into {VENV}"):
        output_of([sys.executable, "-m", "venv", VENV])
        output_of([PYTHON, "-m", "pip", "install", "--quiet", "--retries", 1, f"mediapipe=={VERSION}"])


def _is_installed() -> bool:
    if not PYTHON.exists():
        return False
    try:
        found = output_of([PYTHON, "-c", "from importlib.metadata import version; print(version('mediapipe'))"])
    except ChildFailed:
        return False  # an installation that was broken off
    return found.strip() == VERSION
