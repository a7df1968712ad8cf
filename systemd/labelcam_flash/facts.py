# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""What a Pi has said of itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from .reasons import printable


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
    """What an earlier flash has left half made, and the next one removes, is counted as free."""

    environments: frozenset[str]
    """The requirements, by checksum, that are installed there already."""

    cameras: tuple[str, ...]
    """Its video devices."""

    picamera2: bool
    clock: float
    """Seconds since 1970."""

    clock_synced: bool
    release: Installed | None
    trial: str | None
    """The release to go back to while the live one has not proved itself, "" if there is none; None without a trial."""

    settings: str | None
    """As they lie in the live release, or what an uninstall has left; None if there is neither."""

    settings_edited: bool
    """They are others than those that the live release was flashed with."""

    secrets_fresh: bool
    """The service has the secrets as they are now."""

    service: str
    """systemd's word: active, activating, failed, inactive, …"""

    status: str
    """The daemon's own last words to systemd."""

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Self:
        """Return what a Pi's answer says."""
        release = told["release"]
        return cls(
            model=printable(told["model"]),
            machine=printable(told["machine"]),
            userland=printable(told["userland"]),
            os=printable(told["os"]),
            python=(told["python"][0], told["python"][1]),
            free_bytes=told["free_bytes"],
            environments=frozenset(told["environments"]),
            cameras=tuple(told["cameras"]),
            picamera2=told["picamera2"],
            clock=told["clock"],
            clock_synced=told["clock_synced"],
            release=None if release is None else _installed(release),
            trial=told["trial"],
            settings=told["settings"],
            settings_edited=told["settings_edited"],
            secrets_fresh=told["secrets_fresh"],
            service=printable(told["service"]),
            status=printable(told["status"]),
        )


def _installed(told: Mapping[str, Any]) -> Installed:
    files = {name: Held(found["sha256"], found["bytes"]) for name, found in told["files"].items()}
    return Installed(told["id"], told["version"], files)
