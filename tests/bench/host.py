# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The machine that the figures are true for."""

import os
import platform
from importlib import metadata
from pathlib import Path
from typing import Any

import labelcam
from labelcam.runtime import runtime_name

CPU_INFO = Path("/proc/cpuinfo")
BOARD = Path("/proc/device-tree/model")  # what a Pi calls itself; its cpuinfo names no CPU


def host() -> dict[str, Any]:
    """Return what a reader needs to know before comparing the figures with others."""
    return {
        "cpu": _cpu(),
        "cores": len(os.sched_getaffinity(0)),
        "load_before": round(os.getloadavg()[0], 2),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
        "labelcam": labelcam.__version__,
        "runtime": runtime_name(),
        "numpy": metadata.version("numpy"),
        "opencv": metadata.version("opencv-python-headless"),
    }


def _cpu() -> str:
    if BOARD.is_file():
        return BOARD.read_text().rstrip("\0")
    lines = CPU_INFO.read_text().splitlines()
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor() or "unknown")
