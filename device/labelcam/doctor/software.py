# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Python, the interpreter of networks, numpy, and picamera2, which must have been built for that numpy."""

import platform
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ..board import Board
from ..checklist import Check, failed
from ..runtime import PACKAGE, runtime_name

PATIENCE_S = 60.0
"""Importing picamera2 takes a Zero 2 W ten seconds."""

APT = "sudo apt install -y python3-picamera2 --no-install-recommends"


def examine_software() -> Iterator[Check]:
    """Yield what Python, numpy and the interpreter are."""
    yield Check("python", True, f"{platform.python_version()} on {platform.machine()}, numpy {np.__version__}")
    if PACKAGE == "ai-edge-litert":
        yield Check("interpreter", True, f"{runtime_name()}, which runs int8 with XNNPACK")
    else:
        yield failed(
            "interpreter",
            f"{runtime_name()} runs int8 without XNNPACK, ten times slower than it could",
            "pip install ai-edge-litert",
        )


def examine_picamera2(root: Path, python: str = sys.executable) -> Iterator[Check]:
    """Import picamera2 in a process of its own, as the service would. Only a Raspberry Pi needs it."""
    on_a_pi = "Raspberry Pi" in (Board(root).model or "")
    try:
        done = subprocess.run(
            [python, "-c", "import picamera2"], capture_output=True, text=True, timeout=PATIENCE_S, check=False
        )
    except subprocess.TimeoutExpired:
        yield failed("picamera2", f"takes more than {PATIENCE_S:g} s to be imported", "restart the Pi")
        return
    if done.returncode == 0:
        yield Check("picamera2", True, "can be imported")
    elif "No module named 'picamera2'" in done.stderr:
        if on_a_pi:
            remedy = f"{APT}; in a virtual environment, make it with --system-site-packages"
            yield failed("picamera2", "is not installed; USB and network cameras work without", remedy)
    else:
        yield failed("picamera2", *_why(done.stderr, done.returncode))


def _why(stderr: str, code: int) -> tuple[str, str]:
    last = (stderr.strip().splitlines() or [f"exit code {code}"])[-1]
    if "numpy.dtype size changed" in stderr or "_ARRAY_API" in stderr or "numpy.core.multiarray" in stderr:
        # apt's simplejpeg and picamera2 are built for Debian's own numpy.
        return f"was built for another numpy than {np.__version__} ({last})", "pip install 'numpy<2' (on Bookworm)"
    return f"cannot be imported ({last})", f"{APT} --reinstall"
