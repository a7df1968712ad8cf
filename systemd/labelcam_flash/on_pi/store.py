# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Receives files by their content: what is there already is not sent again, a broken copy goes on where it stopped."""

from __future__ import annotations

import hashlib
import json
import os
import signal
from pathlib import Path
from typing import Any, BinaryIO

from .channel import Refused
from .layout import STORE

SILENCE_S = 60
"""After so long without a byte the host is gone, even if nobody has said so."""

_PIECE = 1 << 18


def held(wanted: list[str]) -> dict[str, int]:
    """Return how many bytes of each content are here already; -1 for one that is complete."""
    _make_store()
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
    part.chmod(0o644)
    part.replace(_whole(sha256))


def link(sha256: str, target: Path) -> None:
    """Give a content its name in a release."""
    target.parent.mkdir(parents=True, exist_ok=True)
    os.link(_whole(sha256), target)


def drop_unused() -> None:
    """Forget every content that no release holds a link to, and copies that were never finished."""
    for path in STORE.iterdir():
        if path.stat().st_nlink == 1:
            path.unlink()


def sha256_of(path: Path) -> str:
    """Return the checksum of a file."""
    whole = hashlib.sha256()
    with path.open("rb") as file:
        for piece in iter(lambda: file.read(_PIECE), b""):
            whole.update(piece)
    return whole.hexdigest()


def _make_store() -> None:
    STORE.mkdir(mode=0o700, parents=True, exist_ok=True)  # the settings in it may name a camera's password


def _whole(sha256: str) -> Path:
    return STORE / sha256


def _part(sha256: str) -> Path:
    return STORE / (sha256 + ".part")


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0
