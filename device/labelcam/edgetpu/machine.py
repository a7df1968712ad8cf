# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Where the Edge TPU is found on this machine, and how long it is waited for."""

from dataclasses import dataclass, field
from pathlib import Path

LIBRARY = "libedgetpu.so.1"


@dataclass(frozen=True, slots=True)
class Patience:
    """How long the child is waited for, in seconds."""

    start: float = 30.0
    """Until Python and the interpreter are loaded, which takes a Zero 2 W five."""

    stage: float = 15.0
    """To open the stick, which may have to load its firmware first, or to load the network."""

    invoke: float = 2.0
    """For one answer. Eight megabytes of parameters take a quarter of a second over USB 2."""


@dataclass(frozen=True, slots=True)
class Backoff:
    """When the Edge TPU is tried again, in seconds."""

    first: float = 1.0
    longest: float = 300.0
    """Every attempt starts a process, which costs a Zero 2 W several seconds of one core."""

    look: float = 2.0
    """How often to look whether a stick has been plugged in, which is worth an attempt at once."""

    steady: float = 60.0
    """An Edge TPU that has answered for so long is tried again soon after it fails."""


@dataclass(frozen=True, slots=True)
class Machine:
    """Where to look, and how patiently."""

    library: str = LIBRARY
    patience: Patience = field(default_factory=Patience)
    backoff: Backoff = field(default_factory=Backoff)
    sysfs: Path = Path("/sys/bus/usb/devices")
    """Where the kernel lists what is plugged in."""

    nodes: Path = Path("/dev/bus/usb")
    """Where the device files are that the library opens."""
