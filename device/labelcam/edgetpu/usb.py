# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The Coral USB Accelerators that are plugged in, as the kernel lists them in sysfs."""

import os
from dataclasses import dataclass
from pathlib import Path

from .machine import Machine

# libedgetpu's debian/edgetpu-accelerator.rules: as it wakes up, and once the library has sent it its firmware.
BARE, READY = ("1a6e", "089a"), ("18d1", "9302")

USB3_MBPS = 5000


@dataclass(frozen=True, slots=True)
class Coral:
    """One Coral USB Accelerator."""

    port: str
    """Where it is plugged in, as the kernel names it: 2-1.4."""

    node: Path
    """The device file that the library opens; another one each time it is plugged in."""

    speed_mbps: float
    """Of its link: 480 is USB 2, 5000 is USB 3. Before it has its firmware it may link more slowly than it can."""

    ready: bool
    """Whether it has its firmware; a stick gets it when it is first used."""

    @property
    def usable(self) -> bool:
        """Whether we may open it."""
        return os.access(self.node, os.R_OK | os.W_OK)

    @property
    def slow(self) -> bool:
        """Whether it is known to be held back by USB 2, at a third of its speed."""
        return self.ready and self.speed_mbps < USB3_MBPS


def corals(machine: Machine) -> tuple[Coral, ...]:
    """Return every Coral that is plugged in, in the order of the ports; none where the kernel lists no USB."""
    devices = (device for device in sorted(machine.sysfs.glob("[0-9]*-[0-9]*")) if ":" not in device.name)
    found = (_coral(device, machine.nodes) for device in devices)
    return tuple(coral for coral in found if coral)


def _coral(device: Path, nodes: Path) -> Coral | None:
    try:
        kind = _word(device / "idVendor"), _word(device / "idProduct")
        if kind not in (BARE, READY):
            return None
        bus, number = int(_word(device / "busnum")), int(_word(device / "devnum"))
        speed = float(_word(device / "speed"))
    except (OSError, ValueError):
        return None  # it went while we looked
    return Coral(device.name, nodes / f"{bus:03}" / f"{number:03}", speed, kind == READY)


def _word(path: Path) -> str:
    return path.read_text(encoding="ascii").strip().lower()


@dataclass(frozen=True, slots=True)
class Finding:
    """What there is to say of one thing that was looked at."""

    ok: bool
    detail: str
    remedy: str = ""


def link(found: tuple[Coral, ...]) -> Finding:
    """Say whether a Coral is plugged in, may be opened, and is as fast as it can be."""
    if not found:
        return Finding(True, "no Coral USB Accelerator is plugged in")
    for coral in found:
        if not coral.usable:
            return Finding(False, f"the Coral on port {coral.port} cannot be opened ({coral.node})", PERMISSION)
        if coral.slow:
            told = f"the Coral on port {coral.port} runs at USB 2 speed ({coral.speed_mbps:g} Mbit/s)"
            return Finding(False, told, "plug it into a USB 3 port (blue), by a USB 3 cable")
    coral = found[0]
    speed = (
        f"{coral.speed_mbps:g} Mbit/s" if coral.ready else "not used since it was plugged in, its speed is not known"
    )
    return Finding(True, f"a Coral on port {coral.port}, {speed}")


PERMISSION = (
    "install labelcam's udev rules, and have the user in the group plugdev: sudo usermod -aG plugdev $USER, "
    "then log in again"
)
