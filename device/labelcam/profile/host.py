# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The machine that the figures are true for."""

import os
import platform
import re
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from .. import __version__
from ..board import Board
from ..runtime import runtime_name

_CPU_INFO = Path("/proc/cpuinfo")


def host(board: Board) -> dict[str, Any]:
    """Return what a reader needs to know before comparing the figures with others."""
    return {
        "board": board.model or _cpu(),
        "cores": len(os.sched_getaffinity(0)),
        "governor": board.governor,
        "load_before": round(os.getloadavg()[0], 2),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
        "labelcam": __version__,
        "runtime": runtime_name(),
        "numpy": metadata.version("numpy"),
    }


def busy(found: Mapping[str, Any]) -> str | None:
    """Return what to say of a machine that had other work when the measurement began; None of a quiet one."""
    load, cores = float(found.get("load_before", 0)), int(found.get("cores", 1))
    if load <= cores / 2:
        return None
    return f"The machine was busy beforehand (load {load:g} on {cores} cores): close what else runs, and repeat."


def _cpu() -> str:
    found = re.search(r"^model name\s*:\s*(.+)$", _CPU_INFO.read_text(encoding="utf-8", errors="replace"), re.MULTILINE)
    return found[1].strip() if found else platform.machine()
