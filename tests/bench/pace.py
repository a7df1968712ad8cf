# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""How the daemon keeps pace with a camera: how old its answers are, and what it takes of a core while it waits."""

import json
import os
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from child import ChildFailed, output_of
from rounds import LABELCAM

from labelcam.console import step

QUICK, SLOW = "synthetic:640x480@100", "synthetic:640x480@10"
INTERVAL_MS = 10.0
"""Between two frames of the quick one."""

SLOW_FPS = 10
SETTLE_S = 3.0
"""Until start-up is over, whose cost is told elsewhere."""


@dataclass(frozen=True, slots=True)
class Pace:
    """What `labelcam run` showed."""

    age_p99_ms: float
    """From the frame's stamp to the decision, at 100 frames a second."""

    age_limit_ms: float
    """Two invokes (their median) and a frame interval."""

    core_share: float
    """Of one core, at 10 frames a second."""

    core_limit: float
    """Ten invokes a second, and five points."""


def measure_pace(model: Path, folder: Path, seconds: float) -> Pace:
    """Run the daemon at 100 and at 10 frames a second, each for so many seconds."""
    with step("keeping pace with 100 and with 10 frames a second"):
        quick = _summary(model, folder, seconds)
        share, slow = _core_share(model, folder, seconds)
    quick_ms, slow_ms = (float(one["stages_ms"]["invoke"]["p50"]) for one in (quick, slow))
    return Pace(
        age_p99_ms=float(quick["age_ms"]["p99"]),
        age_limit_ms=round(2 * quick_ms + INTERVAL_MS, 3),
        core_share=round(share, 4),
        core_limit=round(SLOW_FPS * slow_ms / 1e3 + 0.05, 4),
    )


def _summary(model: Path, folder: Path, seconds: float) -> dict[str, dict[str, dict[str, float]]]:
    summary = folder / "pace.json"
    command = [LABELCAM, "run", "--model", model, "--camera", QUICK]
    output_of([*command, "--seconds", seconds, "--summary", summary])
    return dict(json.loads(summary.read_text()))


def _core_share(model: Path, folder: Path, seconds: float) -> tuple[float, dict[str, dict[str, dict[str, float]]]]:
    summary = folder / "slow.json"
    command = [str(LABELCAM), "run", "--model", str(model), "--camera", SLOW, "--summary", str(summary)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        time.sleep(SETTLE_S)
        begun_s, before_s = time.monotonic(), _cpu_seconds(process.pid)
        time.sleep(seconds)
        used_s, passed_s = _cpu_seconds(process.pid) - before_s, time.monotonic() - begun_s
        process.terminate()
    if process.returncode:
        raise ChildFailed(f"labelcam run ended with {process.returncode} at 10 frames a second")
    return used_s / passed_s, dict(json.loads(summary.read_text()))


def _cpu_seconds(pid: int) -> float:
    """proc(5): utime and stime are the 14th and 15th fields; the name before them may hold anything but ')'."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
