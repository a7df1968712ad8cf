# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Devices that are there but not ours to use: cameras, their memory, the firmware, I2C; and the group that may."""

import grp
import os
import pwd
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

from ..checklist import Check, failed

KINDS = {
    "cameras": ("dev/video*", "dev/media*", "dev/dma_heap/*"),
    "firmware": ("dev/vcio", "dev/vcio_gencmd"),
    "i2c": ("dev/i2c-*",),
}
"""What labelcam may use, by what it is for."""


def examine_access(root: Path, may_use: Callable[[Path], bool] | None = None) -> Iterator[Check]:
    """Yield a check for each kind of device that is there."""
    allowed = may_use or _may_use
    for name, patterns in KINDS.items():
        there = sorted(path for pattern in patterns for path in root.glob(pattern))
        closed = [path for path in there if not allowed(path)]
        if closed:
            yield failed(name, f"{_names(closed)}: no permission to use", _remedy(closed))
        elif there:
            yield Check(name, True, f"{_names(there)} may be used")


def _may_use(path: Path) -> bool:
    return os.access(path, os.R_OK | os.W_OK)


def _names(paths: list[Path]) -> str:
    """The first few, so that the twenty nodes of a Pi's camera stay one line."""
    few = ", ".join(str(path) for path in paths[:3])
    return few if len(paths) <= 3 else f"{few} and {len(paths) - 3} more"


def _remedy(paths: list[Path]) -> str:
    groups: dict[str, list[Path]] = defaultdict(list)
    for path in paths:
        groups[_group(path)].append(path)
    if "root" in groups:  # nobody but root is meant to: the rule that gives it to a group is missing
        return "copy systemd/labelcam.rules to /etc/udev/rules.d, then restart"
    named = ",".join(sorted(groups))
    return f"sudo usermod -aG {named} {_user()}, then log in again"


def _user() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # as in a container
        return str(os.getuid())


def _group(path: Path) -> str:
    number = path.stat().st_gid
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)
