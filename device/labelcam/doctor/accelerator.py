# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""A Coral that is plugged in: whether we may use it, how fast it is connected, whether its library fits."""

from collections.abc import Iterator
from pathlib import Path

from ..checklist import Check, failed
from ..edgetpu.machine import Machine
from ..edgetpu.probe import probe
from ..edgetpu.usb import corals


def examine_corals(root: Path, library: str = "libedgetpu.so.1") -> Iterator[Check]:
    """Yield checks for each stick, and one of the library; nothing where no stick is plugged in."""
    machine = Machine(library=library, sysfs=root / "sys/bus/usb/devices", nodes=root / "dev/bus/usb")
    sticks = corals(machine)
    for stick in sticks:
        name = f"coral {stick.port}"
        if not stick.usable:
            remedy = "copy systemd/labelcam.rules to /etc/udev/rules.d, plug it in again, and join the group plugdev"
            yield failed(name, f"{stick.node}: no permission to use", remedy)
        elif stick.slow:
            told = f"linked at {stick.speed_mbps:g} Mbit/s, USB 2: a third of its speed"
            yield failed(name, told, "plug it into a blue USB 3 port, by its own cable")
        else:
            yield Check(name, True, f"linked at {stick.speed_mbps:g} Mbit/s")
    if any(stick.usable for stick in sticks):
        found = probe(machine)
        yield Check("edgetpu", found.ok, found.detail) if found.ok else failed("edgetpu", found.detail, found.remedy)
