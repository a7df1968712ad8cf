# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Every reading as a line of JSON in a file that is never larger than told: FILE, then FILE.1, and so on."""

import errno
import logging
import os
import stat
import time
from contextlib import suppress
from pathlib import Path

from ..errors import SettingsError
from ..paths import expanded
from ..settings import JsonlSettings
from .jsonl import JsonLines

log = logging.getLogger(__name__)

LOOK_EVERY_S = 1.0
"""How often to look whether somebody has taken the file away, as logrotate does."""

LONGEST_LINE = 1 << 20
"""Bytes at the end of a file within which its last line is looked for."""


class JsonFile(JsonLines):
    """Appends, and goes on by itself after whatever hinders it: a full disk, one that is read-only or not there."""

    name = "jsonl-file"

    def __init__(self, settings: JsonlSettings) -> None:
        """Prepare. Raises SettingsError if the path cannot ever be a file."""
        path = file_of(settings)
        with suppress(OSError):  # what cannot be looked at may come into reach later
            if not stat.S_ISREG(path.stat().st_mode):
                raise SettingsError(f"jsonl.path = {settings.path!r} is there and is no file; name another path")
        self._file = RotatingFile(path, int(settings.max_mb * 1e6), settings.keep)
        super().__init__(self._file)

    @property
    def lost(self) -> int:
        return self._file.dropped

    def close(self) -> None:
        self._file.close()


class RotatingFile:
    """A file of whole lines."""

    def __init__(self, path: Path, max_bytes: int, keep: int) -> None:
        self.dropped = 0
        """Lines that could not be written."""

        self._path, self._max_bytes, self._keep = path, max_bytes, keep
        self._descriptor: int | None = None
        self._size = 0
        self._look_at_s = 0.0
        self._trouble = ""

    def write(self, line: str) -> None:
        """Append a line. One that cannot be written is dropped and counted; why is told once."""
        try:
            self._append(line.encode() + b"\n")
        except OSError as error:
            self.dropped += 1
            self._tell(error.strerror or str(error))
            self.close()
        else:
            self._tell("")

    def close(self) -> None:
        """Let go of the file."""
        if self._descriptor is not None:
            with suppress(OSError):
                os.close(self._descriptor)
        self._descriptor = None

    def _append(self, line: bytes) -> None:
        descriptor = self._opened()
        if self._size and self._size + len(line) > self._max_bytes:
            self._rotate()
            descriptor = self._opened()
        written = os.write(descriptor, line)
        if written < len(line):  # it was the last room on the disk; half a line is worse than none
            os.ftruncate(descriptor, self._size)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._size += written

    def _opened(self) -> int:
        now_s = time.monotonic()
        if self._descriptor is not None and now_s >= self._look_at_s:
            self._look_at_s = now_s + LOOK_EVERY_S
            if not self._is_still_there(self._descriptor):
                self.close()
        if self._descriptor is None:
            flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
            self._descriptor = os.open(self._path, flags, 0o644)
            self._size = _mend(self._descriptor)
        return self._descriptor

    def _is_still_there(self, descriptor: int) -> bool:
        try:
            found = self._path.stat()
        except OSError:
            return False
        ours = os.fstat(descriptor)
        return (found.st_dev, found.st_ino) == (ours.st_dev, ours.st_ino)

    def _rotate(self) -> None:
        """Make FILE the newest old one. Each step is a rename, so that a crash leaves every line in some file."""
        self.close()
        for number in range(self._keep, 0, -1):
            older, newer = self._numbered(number), self._numbered(number - 1)
            if newer.exists():
                newer.replace(older)
        if not self._keep:
            self._path.unlink()

    def _numbered(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}") if number else self._path

    def _tell(self, trouble: str) -> None:
        if trouble and trouble != self._trouble:
            log.warning("jsonl-file-failed path=%s reason=%r; dropping lines until it works again", self._path, trouble)
        elif self._trouble and not trouble:
            log.warning("jsonl-file-again path=%s dropped=%d", self._path, self.dropped)
        self._trouble = trouble


def _mend(descriptor: int) -> int:
    """Cut off the half line that a crash or a power cut may have left; return the size."""
    size = os.fstat(descriptor).st_size
    if not size or os.pread(descriptor, 1, size - 1) == b"\n":
        return size
    start = max(0, size - LONGEST_LINE)
    end = os.pread(descriptor, size - start, start)
    half = end[end.rfind(b"\n") + 1 :]
    ours = half.startswith(b"{") or not half.strip(b"\0")  # some file systems leave zeros
    if ours and len(half) < LONGEST_LINE:
        os.ftruncate(descriptor, size - len(half))
        return size - len(half)
    return size + os.write(descriptor, b"\n")  # whatever that is, our line begins on a new one


def file_of(settings: JsonlSettings) -> Path:
    """Return the path that the settings name."""
    return expanded(settings.path)


def reason_unwritable(settings: JsonlSettings) -> str:
    """Return why no line could be appended right now; an empty text if one could."""
    path = file_of(settings)
    there = path.exists()
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        return error.strerror or str(error)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return "it is no file"
        room = os.fstatvfs(descriptor)
        return "" if room.f_bavail * room.f_frsize > 0 else "no space left"
    finally:
        os.close(descriptor)
        if not there:
            path.unlink(missing_ok=True)
