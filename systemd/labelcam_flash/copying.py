# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Copies what a Pi lacks of a release, and goes on where it stopped when the connection breaks."""

import io
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from labelcam.console import progress

from .ctrl_c import pause
from .errors import ConnectionLost, FlashFailed
from .pi import Part, Pi
from .release import Release

RETRIES = 4
RETRY_AFTER_S = 3.0

_MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class Missing:
    """What is still to be sent of one content."""

    sha256: str
    content: bytes | Path
    offset: int
    left: int
    """Bytes."""

    def open(self) -> IO[bytes]:
        """Return its content from where the Pi's copy ends."""
        file: IO[bytes] = io.BytesIO(self.content) if isinstance(self.content, bytes) else self.content.open("rb")
        file.seek(self.offset)
        return file


def missing_on(pi: Pi, release: Release) -> list[Missing]:
    """Ask the Pi which contents it lacks. Raises FlashFailed if that is one that only it had."""
    held: Mapping[str, int] = pi.ask("held", wanted=sorted(release.sizes))
    found = []
    for sha256, content in release.contents.items():
        if (offset := held[sha256]) < 0:
            continue
        if not isinstance(content, bytes | Path):
            raise FlashFailed(f"{pi.host}: its copy of the model is gone; name one by MODEL=")
        offset = min(offset, release.sizes[sha256])
        found.append(Missing(sha256, content, offset, release.sizes[sha256] - offset))
    return found


def copy(pi: Pi, release: Release, missing: list[Missing], *, bar: bool) -> None:
    """Send what is missing; `bar` draws how far it is. Raises ConnectionLost if the connection breaks ever again."""
    for retry in range(RETRIES + 1):
        try:
            if retry:
                missing = missing_on(pi, release)
            if missing:
                _send(pi, missing, bar=bar)
            return
        except ConnectionLost:
            if retry == RETRIES:
                raise
            pi.tell("the connection broke; trying to go on where it stopped")
        pause(RETRY_AFTER_S)


def _send(pi: Pi, missing: list[Missing], *, bar: bool) -> None:
    total = sum(part.left for part in missing) // _MEGABYTE
    shown: AbstractContextManager[Callable[[], None]] = (
        progress("copying, in MB", total) if bar else nullcontext(lambda: None)
    )
    with shown as tick:
        megabytes = Megabytes(tick)

        def parts() -> Iterator[Part]:
            for part in missing:
                header = {"sha256": part.sha256, "offset": part.offset, "bytes": part.left}
                with part.open() as file:
                    yield header, Counted(file, megabytes)

        pi.ask("receive", parts())


class Megabytes:
    """Tells when another megabyte has gone, whatever files it was of."""

    def __init__(self, tick: Callable[[], None]) -> None:
        self._tick, self._bytes = tick, 0

    def count(self, size: int) -> None:
        """Take so many bytes into account."""
        before, self._bytes = self._bytes, self._bytes + size
        for _ in range(self._bytes // _MEGABYTE - before // _MEGABYTE):
            self._tick()


@dataclass(frozen=True, slots=True)
class Counted:
    """A file whose bytes are counted as they are read."""

    file: IO[bytes]
    megabytes: Megabytes

    def read(self, size: int, /) -> bytes:
        """Return the next bytes."""
        piece = self.file.read(size)
        self.megabytes.count(len(piece))
        return piece
