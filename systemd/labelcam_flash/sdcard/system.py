# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""What system an image holds, read from its root file system by debugfs, without mounting it."""

from dataclasses import dataclass
from pathlib import Path

from ..errors import CardFailed
from ..target import TARGETS, Target
from .partitions import Partition
from .tools import run


@dataclass(frozen=True, slots=True)
class System:
    """Everything that a card is prepared by."""

    name: str
    target: Target
    cloud_init: bool
    """It is set up by cloud-init's files; else by a script at its first boot."""

    picamera2: bool


def system_of(image: Path, root: Partition) -> System:
    """Return what the image holds. Raises CardFailed, with the remedy, for one that no release can be made for."""
    release = _os_release(_debugfs(image, root, "cat /usr/lib/os-release"))
    name = release.get("PRETTY_NAME", "an unknown system")
    if not _has(image, root, "/usr/lib/aarch64-linux-gnu"):
        raise CardFailed(f"the image holds {name}, and not for 64 bits; use the 64-bit image, raspios-lite-arm64")
    targets = {target.name: target for target in TARGETS.values()}
    codename = release.get("VERSION_CODENAME", "")
    if codename not in targets:
        raise CardFailed(f"the image holds {name}; use Raspberry Pi OS Bookworm or Trixie, 64-bit")
    return System(
        name,
        targets[codename],
        # Trixie's first images had none: what counts is what is in the image.
        cloud_init=_has(image, root, "/usr/bin/cloud-init"),
        picamera2=_has(image, root, "/usr/lib/python3/dist-packages/picamera2"),
    )


def _os_release(text: str) -> dict[str, str]:
    return {key: value.strip('"') for key, _, value in (line.partition("=") for line in text.splitlines())}


def _has(image: Path, root: Partition, path: str) -> bool:
    return "Inode:" in _debugfs(image, root, f"stat {path}")


def _debugfs(image: Path, root: Partition, request: str) -> str:
    # In its folder: the name is ours, while a question mark in the path would end it.
    device = f"{image.name}?offset={root.offset}"
    return run("debugfs", "-R", request, device, cwd=image.parent).decode(errors="replace")
