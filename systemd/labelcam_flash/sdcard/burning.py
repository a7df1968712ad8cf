# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Writes an image onto a disk once its owner has said so, and reads it back."""

import errno
import os
import stat
import sys
from collections.abc import Callable
from pathlib import Path

from labelcam.console import note, progress, step

from ..errors import CardFailed
from .disk import Disk, Kernel, look_at, refuse

_PIECE = 1 << 20


def chosen(text: str, image_bytes: int, kernel: Kernel) -> Disk:
    """Return the disk that DEVICE= names. Raises CardFailed for one that must not be written to."""
    names = text.split()
    if not names or set(names) != {names[0]}:
        raise CardFailed(f"DEVICE={text}: name one disk, such as /dev/sdb")
    disk = look_at(Path(names[0]), kernel)
    refuse(disk, image_bytes, named_twice=len(names) > 1)
    return disk


def confirm(disk: Disk) -> None:
    """Show what will be overwritten, and let a person type its name. Raises CardFailed for any other answer."""
    note(f"  {disk}")
    print(
        f"  Everything on it will be gone. Type its name ({disk.name}) to go on: ", end="", file=sys.stderr, flush=True
    )
    if sys.stdin.readline().strip() not in (disk.name, str(disk.path)):
        raise CardFailed(f"{disk.path} was not written; its name was not typed")


def burn(image: Path, disk: Disk) -> None:
    """Write, wait until it is there, and compare. Raises CardFailed if it cannot, or if it reads back otherwise."""
    total = -(-image.stat().st_size // _PIECE)
    number = _opened(disk)
    try:
        with image.open("rb") as file:
            with progress(f"writing {disk.path}, in MB", total) as tick:
                _write(file.fileno(), number, tick)
            with step("waiting until the card has it"):
                os.fsync(number)
            # What the system still holds in memory is no proof of what the card does.
            os.posix_fadvise(number, 0, 0, os.POSIX_FADV_DONTNEED)
            with progress(f"reading {disk.path} back, in MB", total) as tick:
                _compare(file.fileno(), number, tick, disk)
    except OSError as error:
        raise CardFailed(f"{disk.path}: {error.strerror}; the card may be failing, try another") from None
    finally:
        os.close(number)


def _opened(disk: Disk) -> int:
    try:
        # With O_EXCL the kernel itself refuses a disk that has been mounted since we looked.
        number = os.open(disk.path, os.O_RDWR | os.O_EXCL)
    except PermissionError:
        raise CardFailed(
            f"{disk.path}: you may not write to it; write the image with sudo dd or the Raspberry Pi Imager instead"
        ) from None
    except OSError as error:
        busy = error.errno == errno.EBUSY
        raise CardFailed(f"{disk.path}: {'is in use; unmount it' if busy else error.strerror}") from None
    found = os.fstat(number).st_rdev
    if f"{os.major(found)}:{os.minor(found)}" != disk.number or stat.S_ISDIR(os.fstat(number).st_mode):
        os.close(number)
        raise CardFailed(f"{disk.path}: is another disk than a moment ago; look again")
    return number


def _write(source: int, target: int, tick: Callable[[], None]) -> None:
    while piece := os.read(source, _PIECE):
        written = 0
        while written < len(piece):
            written += os.write(target, piece[written:])
        tick()


def _compare(source: int, target: int, tick: Callable[[], None], disk: Disk) -> None:
    os.lseek(source, 0, os.SEEK_SET)
    os.lseek(target, 0, os.SEEK_SET)
    while piece := os.read(source, _PIECE):
        read = b""
        while len(read) < len(piece) and (more := os.read(target, len(piece) - len(read))):
            read += more
        if read != piece:
            raise CardFailed(f"{disk.path}: does not hold what was written to it; the card is broken, take another")
        tick()
