# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Resident memory of the daemon, and whether it stays flat."""

import os
import subprocess
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from child import ChildFailed
from rounds import CAMERA, LABELCAM

from labelcam.console import step

SETTLED = 1000
"""Frames after which memory should grow no more."""

STILL_RUNNING = 1000
"""Frames beyond the last sample, so that it is taken of a daemon at work: lines may wait in a queue and a pipe."""


@dataclass(frozen=True, slots=True)
class Memory:
    """What `labelcam run --json` holds, in 10^6 bytes."""

    rss_mb: float
    """After all frames."""

    growth_mb: float
    """Since it had settled."""


def measure_memory(model: Path, frames: int, settings: Path | None = None) -> Memory:
    """Sample the resident memory when the reading SETTLED and the last of `frames` have been read from its stdout."""
    settled = min(SETTLED, frames // 2)
    command = [
        str(LABELCAM),
        "run",
        "--json",
        "--frames",
        str(frames + STILL_RUNNING),
        "--model",
        str(model),
        "--camera",
        CAMERA,
    ]
    command += ["--settings", str(settings)] if settings else []
    with (
        step(f"memory over {frames} frames"),
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process,
    ):
        assert process.stdout is not None
        seen = sum(1 for _ in islice(process.stdout, settled))
        first_mb = _resident_mb(process.pid)
        seen += sum(1 for _ in islice(process.stdout, frames - settled))
        last_mb = _resident_mb(process.pid)
        for _ in process.stdout:  # until it ends: it must never wait for us
            pass
    if process.returncode or seen < frames:
        raise ChildFailed(f"labelcam run ended with {process.returncode} after {seen} of {frames} frames")
    return Memory(round(last_mb, 1), round(last_mb - first_mb, 1))


def _resident_mb(pid: int) -> float:
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])  # proc(5): size, resident, …
    except (OSError, IndexError):
        return 0.0  # it has ended early; the caller finds out why
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
