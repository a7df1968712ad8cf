# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""How long a user waits: from the start of the process until the first label is there to read."""

import subprocess
import time
from pathlib import Path

from child import ChildFailed
from rounds import CAMERA, LABELCAM

from labelcam.console import progress


def first_label_seconds(model: Path, count: int) -> list[float]:
    """Start `labelcam run` so many times and return when each one's first line arrived."""
    found = []
    with progress(f"{count} cold starts", count) as advance:
        for _ in range(count):
            found.append(_one(model))
            advance()
    return found


def _one(model: Path) -> float:
    command = [str(LABELCAM), "run", "--json", "--frames", "1", "--model", str(model), "--camera", CAMERA]
    begun = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        arrived = time.perf_counter()
    if not line:
        raise ChildFailed(f"labelcam run ended with {process.returncode} before its first label")
    return arrived - begun
