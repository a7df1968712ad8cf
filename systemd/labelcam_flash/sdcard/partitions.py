# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Finds the two partitions of a Raspberry Pi's image in its partition table, an MBR."""

import struct
from dataclasses import dataclass
from pathlib import Path

from ..errors import CardFailed

_SECTOR = 512
_TABLE = 446
_ENTRY = struct.Struct("<B3sB3sII")
_FAT32 = (0x0B, 0x0C)
_LINUX = (0x83,)


@dataclass(frozen=True, slots=True)
class Partition:
    """Where one lies."""

    offset: int
    """Bytes from the beginning of the disk."""

    bytes: int
    kind: int
    """As the table has it: 0x0c is FAT32, 0x83 Linux."""


def boot_and_root(image: Path) -> tuple[Partition, Partition]:
    """Return the boot and the root partition. Raises CardFailed for what is no image of Raspberry Pi OS."""
    with image.open("rb") as file:
        table = file.read(_SECTOR)
    found = _partitions(table) if table[-2:] == b"\x55\xaa" else []
    if len(found) < 2 or found[0].kind not in _FAT32 or found[1].kind not in _LINUX:
        raise CardFailed(
            "the image is not laid out like Raspberry Pi OS (a FAT32 boot partition, then a Linux one); "
            "use raspios-lite-arm64 as it is downloaded"
        )
    if found[1].offset + found[1].bytes > image.stat().st_size:
        raise CardFailed("the image ends before its root partition does; download it again")
    return found[0], found[1]


def _partitions(table: bytes) -> list[Partition]:
    entries = [_ENTRY.unpack_from(table, _TABLE + number * _ENTRY.size) for number in range(4)]
    return [Partition(first * _SECTOR, count * _SECTOR, kind) for _, _, kind, _, first, count in entries if kind]
