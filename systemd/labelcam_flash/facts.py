# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""What a Pi has said of itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Held:
    """A content that the Pi holds already."""

    sha256: str
    bytes: int


@dataclass(frozen=True, slots=True)
class Installed:
    """The release that is live there."""

    id: str
    version: str
    """Of labelcam."""

    files: Mapping[str, Held]


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that the host decides by."""

    model: str
    """Of the board, as its device tree names it; may be empty."""

    machine: str
    """Of the kernel, as `uname -m` says it."""

    userland: str
    """Debian's name of the architecture of its programs; a 64-bit kernel may carry a 32-bit system."""

    os: str
    python: tuple[int, int]
    free_bytes: int
    cameras: tuple[str, ...]
    """Its video devices."""

    picamera2: bool
    clock: float
    """Seconds since 1970."""

    clock_synced: bool
    release: Installed | None
    settings: str
    """What it runs with, or what an uninstall has left; empty if there is neither."""

    service: str
    """systemd's word: active, activating, failed, inactive, …"""

    status: str
    """The daemon's own last words to systemd."""

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Self:
        """Return what a Pi's answer says."""
        release = told["release"]
        return cls(
            model=told["model"],
            machine=told["machine"],
            userland=told["userland"],
            os=told["os"],
            python=(told["python"][0], told["python"][1]),
            free_bytes=told["free_bytes"],
            cameras=tuple(told["cameras"]),
            picamera2=told["picamera2"],
            clock=told["clock"],
            clock_synced=told["clock_synced"],
            release=None if release is None else _installed(release),
            settings=told["settings"],
            service=told["service"],
            status=told["status"],
        )


def _installed(told: Mapping[str, Any]) -> Installed:
    files = {name: Held(found["sha256"], found["bytes"]) for name, found in told["files"].items()}
    return Installed(told["id"], told["version"], files)
