# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Copies an image, or unpacks it, into a file of its own; holes stay holes."""

import lzma
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import IO

from labelcam.console import progress

from ..errors import CardFailed

_PIECE = 1 << 20


def need_image(source: Path) -> None:
    """Raise CardFailed for what is no file, or none that can be unpacked."""
    if source.suffix not in (".img", ".xz"):
        raise CardFailed(f"IMAGE={source}: give an .img or .img.xz; unpack it first if it is anything else")
    if not source.is_file():
        raise CardFailed(f"IMAGE={source}: no such file; download raspios-lite-arm64 from raspberrypi.com/software")


def unpack(source: Path, target: IO[bytes]) -> None:
    """Write what an .img or .img.xz holds, with the time left. Raises CardFailed if it is damaged."""
    need_image(source)
    verb = "unpacking" if source.suffix == ".xz" else "copying"
    total = -(-source.stat().st_size // _PIECE)
    with source.open("rb") as raw, progress(f"{verb} {source.name}, in MB", total) as tick:
        try:
            with lzma.open(raw) if source.suffix == ".xz" else nullcontext(raw) as plain:
                _pour(plain, target, _ticking(raw, tick))
        except (lzma.LZMAError, EOFError):
            raise CardFailed(f"IMAGE={source}: it is damaged or incomplete; download it again") from None


def _pour(source: IO[bytes], target: IO[bytes], told: Callable[[], None]) -> None:
    while piece := source.read(_PIECE):
        if piece.count(0) == len(piece):
            target.seek(len(piece), 1)
        else:
            target.write(piece)
        told()
    target.truncate(target.tell())


def _ticking(raw: IO[bytes], tick: Callable[[], None]) -> Callable[[], None]:
    """Tick once for every megabyte that has been read of a file, packed or not."""
    done = 0

    def told() -> None:
        nonlocal done
        for _ in range(done, -(-raw.tell() // _PIECE)):
            tick()
            done += 1

    return told
