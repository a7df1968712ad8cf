# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Room on the disk, whether it can be written to at all, and memory."""

import shutil
from collections.abc import Iterator
from pathlib import Path

from ..checklist import Check, failed

LEAST_DISK = 200_000_000
"""Bytes: a release of labelcam, and then some."""

LEAST_MEMORY = 150_000_000
"""Bytes available: what the daemon takes, and then some."""

PLACES = ("", "var/lib/labelcam")


def examine_storage(root: Path) -> Iterator[Check]:
    """Yield a check for the disk, and one for memory."""
    for place in PLACES:
        path = root / place
        if path.is_dir() and (place == "" or path.stat().st_dev != root.stat().st_dev):
            yield _disk(path, root)
    memory = _available(root)
    if memory is not None:
        told = f"{memory / 1e6:.0f} MB available"
        remedy = "stop other programs, or use the Lite image without a desktop"
        yield failed("memory", told, remedy) if memory < LEAST_MEMORY else Check("memory", True, told)


def _disk(path: Path, root: Path) -> Check:
    free = shutil.disk_usage(path).free
    told = f"{path}: {free / 1e9:.1f} GB free"
    if _is_read_only(path, root):
        remedy = "a card that fails is mounted read-only; look at dmesg, and replace it"
        return failed("disk", f"{path}: mounted read-only", remedy)
    remedy = "make room: sudo apt clean, and see: sudo du -xh / | sort -h | tail"
    return failed("disk", told, remedy) if free < LEAST_DISK else Check("disk", True, told)


def _is_read_only(path: Path, root: Path) -> bool:
    """Whether proc(5)'s list of mounts says so of the file system that is mounted there."""
    try:
        mounts = (root / "proc/mounts").read_text(encoding="utf-8").splitlines()
    except OSError:
        return False
    place = "/" + str(path.relative_to(root)) if path != root else "/"
    options = [fields[3].split(",") for line in mounts if len(fields := line.split()) > 3 and fields[1] == place]
    return bool(options) and "ro" in options[-1]


def _available(root: Path) -> int | None:
    try:
        lines = (root / "proc/meminfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    kilobytes = (line.split()[1] for line in lines if line.startswith("MemAvailable:"))
    return next((int(found) * 1024 for found in kilobytes), None)
