# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Lines of JSON in a folder of bounded size: numbered files, of which the oldest goes when there is no more room.

Numbers, not dates: a Pi without a clock starts in 1970. Every append is one small write and no fsync, which would wear
an SD card out; a power cut may thus cost the last half minute. What it leaves half-written ends with the next append,
and is passed over by whoever reads.
"""

import errno
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SEGMENTS = 10
"""About so many files share the room: the oldest tenth goes at a time."""

_MODE = 0o640


class Segments:
    """Appends to a folder of which no more than `max_bytes` are ours."""

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self.folder = folder
        self._max_bytes, self._segment_bytes = max_bytes, max(1, max_bytes // SEGMENTS)

    def append(self, record: dict[str, Any]) -> None:
        """Write a record, whole or not at all. Raises OSError where the disk takes none."""
        line = json.dumps(record, separators=(",", ":"), allow_nan=False).encode() + b"\n"
        self.folder.mkdir(mode=0o750, parents=True, exist_ok=True)
        sizes = {path: path.stat().st_size for path in segments(self.folder)}
        newest = next(reversed(sizes), None)
        if newest is None or sizes[newest] + len(line) > self._segment_bytes:
            newest = self.folder / f"{_number(newest) + 1 if newest else 1:08}.jsonl"
        self._make_room(sizes, newest, len(line) + 1)
        _append(newest, line)

    def _make_room(self, sizes: dict[Path, int], newest: Path, wanted: int) -> None:
        total = sum(sizes.values())
        for path, size in sizes.items():
            if total + wanted <= self._max_bytes or path == newest:
                return
            path.unlink(missing_ok=True)
            total -= size


def segments(folder: Path) -> list[Path]:
    """Return our files in that folder, the oldest first."""
    return sorted((path for path in folder.glob("*.jsonl") if path.stem.isdecimal()), key=_number)


def records(folder: Path) -> Iterator[dict[str, Any]]:
    """Yield every whole record, the oldest first. Raises OSError where the folder cannot be read."""
    for path in segments(folder):
        try:
            lines = path.read_bytes().split(b"\n")
        except FileNotFoundError:  # it was the oldest, and has gone just now
            continue
        for line in lines:
            try:
                record = json.loads(line)
            except ValueError:
                continue  # half a line, where the power was cut
            if isinstance(record, dict):
                yield record


def _number(path: Path) -> int:
    return int(path.stem)


def _append(path: Path, line: bytes) -> None:
    file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, _MODE)
    try:
        end = os.fstat(file).st_size
        if end and os.pread(file, 1, end - 1) != b"\n":
            line = b"\n" + line
        if os.write(file, line) < len(line):  # the disk is full: half a record is worth nothing
            os.ftruncate(file, end)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
    finally:
        os.close(file)
