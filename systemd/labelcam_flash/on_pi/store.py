# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Receives files by their content: what is there already is not sent again, a broken copy goes on where it stopped."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import time
from pathlib import Path
from typing import Any, BinaryIO

from .channel import Refused
from .files import replace, sha256_of
from .layout import STORE

SILENCE_S = 60
"""After so long without a byte the host is gone, even if nobody has said so."""

KEPT_S = 3600.0
"""What arrived less long ago may be wanted by a flash that is still under way."""

_PIECE = 1 << 18
_MODE = 0o444


def held(wanted: list[str]) -> dict[str, int]:
    """Return how many bytes of each content are here already; -1 for one that is complete."""
    return {sha256: -1 if _whole(sha256).is_file() else _size(_part(sha256)) for sha256 in wanted}


def receive(stream: BinaryIO) -> int:
    """Take files from the stream, each a JSON line (sha256, offset, bytes) and then its bytes; return how many.

    Raises Refused if one does not arrive as it was sent, or if the disk is full.
    """
    _make_store()
    signal.signal(signal.SIGALRM, _fell_silent)
    count = 0
    try:
        signal.alarm(SILENCE_S)
        for line in iter(stream.readline, b""):
            _take(stream, json.loads(line))
            count += 1
            signal.alarm(SILENCE_S)
    except OSError as error:
        raise Refused(f"{STORE} cannot be written ({error.strerror}); free some space on it") from None
    finally:
        signal.alarm(0)
    return count


def _fell_silent(*_: object) -> None:
    raise Refused("the host fell silent in the middle of a file; run it again, it goes on from there")


def _take(stream: BinaryIO, header: dict[str, Any]) -> None:
    sha256, left = str(header["sha256"]), int(header["bytes"])
    part = _part(sha256)
    with part.open("ab") as file:
        file.truncate(int(header["offset"]))
        while left:
            signal.alarm(SILENCE_S)
            piece = stream.read1(min(left, _PIECE))  # type: ignore[attr-defined]
            if not piece:
                raise Refused("the connection broke in the middle of a file; run it again, it goes on from there")
            file.write(piece)
            left -= len(piece)
        signal.alarm(0)
        file.flush()
        os.fsync(file.fileno())
    if sha256_of(part) != sha256:
        part.unlink()
        raise Refused("a file did not arrive as it was sent; run it again")
    part.chmod(_MODE)
    part.replace(_whole(sha256))


def put(content: bytes) -> str:
    """Take a content that comes from the Pi itself, and return its checksum."""
    _make_store()
    sha256 = hashlib.sha256(content).hexdigest()
    replace(_whole(sha256), content, _MODE)
    return sha256


def whole(sha256: str, name: str) -> Path:
    """Return where a content lies; `name` is what a person calls it. Raises Refused if it is missing or damaged.

    What lies on an SD card is read once more: a release is what its checksums say, or it is none.
    """
    path = _whole(sha256)
    if not path.is_file():
        raise Refused(f"{name} is no longer on the Pi: another flash has cleaned up; run it again")
    if sha256_of(path) != sha256:
        path.unlink()  # the next run sends it anew
        raise Refused(
            f"{name} was damaged on the Pi's disk and has been removed; run it again, it is sent anew "
            "(if that does not help, the card is failing)"
        )
    return path


def drop_unused(named: set[str]) -> None:
    """Forget every content that no release names, and copies that were never finished."""
    for path in STORE.iterdir():
        found = path.stat()
        if path.name not in named and found.st_nlink == 1 and abs(time.time() - found.st_mtime) > KEPT_S:
            path.unlink()


def _make_store() -> None:
    STORE.mkdir(mode=0o700, parents=True, exist_ok=True)  # the settings in it may name a camera's password


def _whole(sha256: str) -> Path:
    return STORE / sha256


def _part(sha256: str) -> Path:
    return STORE / (sha256 + ".part")


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0
