# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""What a device is, as the kernel tells it, and why it must not be written to."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..errors import CardFailed

LARGE_BYTES = 260_000_000_000
"""Cards for a Pi have 8 to 256 GB; what is larger is more likely somebody's backup."""

_SECTOR = 512
"""What the kernel counts in, whatever the disk does."""


@dataclass(frozen=True, slots=True)
class Kernel:
    """Where the kernel tells of disks."""

    sys: Path = Path("/sys")
    proc: Path = Path("/proc")


@dataclass(frozen=True, slots=True)
class Disk:
    """One whole disk."""

    path: Path
    """As it was named."""

    name: str
    """As the kernel names it, such as sdb."""

    number: str
    """Major and minor, such as 8:16."""

    model: str
    bytes: int
    card: bool
    """It can be taken out: the kernel says so, or it is an SD card in a slot of its own."""

    partitions: tuple[str, ...]
    uses: tuple[str, ...]
    """What it is used for now; it is only written to if that is nothing."""

    def __str__(self) -> str:
        kind = "removable" if self.card else "NOT removable"
        found = ", ".join(self.partitions) or "none"
        return f"{self.path}: {self.model}, {self.bytes / 1e9:.1f} GB, {kind}; partitions: {found}"


def look_at(path: Path, kernel: Kernel) -> Disk:
    """Return what a device is. Raises CardFailed if it is no whole disk with something in it."""
    try:
        status = path.stat()
    except OSError as error:
        raise CardFailed(f"DEVICE={path}: {error.strerror}; lsblk lists what there is") from None
    number = f"{os.major(status.st_rdev)}:{os.minor(status.st_rdev)}"
    # By its number, not its name: a file called sda, or a link, must not be taken for the disk.
    told = kernel.sys / "dev/block" / number
    if not told.is_dir():
        raise CardFailed(f"DEVICE={path}: is no disk; lsblk lists what there is")
    told = told.resolve()
    if (told / "partition").exists():
        raise CardFailed(f"DEVICE={path}: is a partition of {told.parent.name}; name the whole disk, its data goes")
    if _text(told / "ro") == "1":
        raise CardFailed(f"DEVICE={path}: is write-protected; look at the switch at the side of the card")
    size = int(_text(told / "size") or 0) * _SECTOR
    if not size:
        raise CardFailed(f"DEVICE={path}: there is no card in it")
    parts = sorted(found.parent for found in told.glob("*/partition"))
    numbers = {_text(part / "dev"): part.name for part in (told, *parts)}
    return Disk(
        path,
        told.name,
        number,
        " ".join(filter(None, (_text(told / "device" / name) for name in ("vendor", "model", "name")))) or "no model",
        size,
        _text(told / "removable") == "1" or _text(told / "device/type") == "SD",
        tuple(f"{part.name} ({int(_text(part / 'size') or 0) * _SECTOR / 1e9:.1f} GB)" for part in parts),
        tuple(_uses(numbers, (told, *parts), kernel)),
    )


def refuse(disk: Disk, image_bytes: int, *, named_twice: bool) -> None:
    """Say why it is not written to. Raises CardFailed for a disk in use, too small, or not likely a card."""
    if disk.uses:
        raise CardFailed(f"DEVICE={disk.path}: is in use ({'; '.join(disk.uses)}); unmount it, or name another")
    if disk.bytes < image_bytes:
        raise CardFailed(f"DEVICE={disk.path}: has {disk.bytes / 1e9:.1f} GB and the image {image_bytes / 1e9:.1f}")
    doubt = "cannot be taken out" if not disk.card else "is larger than cards are" if disk.bytes > LARGE_BYTES else ""
    if doubt and not named_twice:
        raise CardFailed(f"{disk} — it {doubt}; if it is the right one all the same: DEVICE='{disk.path} {disk.path}'")


def _uses(numbers: dict[str, str], parts: tuple[Path, ...], kernel: Kernel) -> Iterator[str]:
    names = set(numbers.values())
    for line in _text(kernel.proc / "self/mountinfo").splitlines():
        before, _, after = line.partition(" - ")
        number, place = before.split()[2], _plain(before.split()[4])
        source = after.split()[1]
        # btrfs has a number of its own: there the source tells.
        if number in numbers or (source.startswith("/dev/") and Path(source).resolve().name in names):
            yield f"mounted on {place}" + (", the system's own disk" if place in ("/", "/boot", "/usr") else "")
    for line in _text(kernel.proc / "swaps").splitlines()[1:]:
        if Path(line.split()[0]).resolve().name in names:
            yield "swapped to"
    for part in parts:
        holders = part / "holders"
        for holder in sorted(holders.iterdir()) if holders.is_dir() else ():
            yield f"{part.name} is part of {_text(holder / 'dm/name') or holder.name}"


def _plain(text: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), text)


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace").strip()
    except OSError:
        return ""
