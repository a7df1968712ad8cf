# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Every reading as a line of JSON to whoever connects to a Unix socket."""

import logging
import os
import socket
import stat
import time
from contextlib import suppress
from pathlib import Path

from ..errors import SettingsError
from ..paths import expanded
from ..settings import JsonlSettings
from .jsonl import JsonLines

log = logging.getLogger(__name__)

MODE = 0o660
"""Its owner and group may connect."""

READERS = 32
"""At a time; who comes later is sent away."""

BEHIND_BYTES = 1_000_000
"""What a reader may leave unread, beside the kernel's own buffer, before it is cut off."""

RETRY_S = 1.0
LAST_WORDS_S = 0.5
UNFINISHED = ".new"
LONGEST_PATH = 107
"""Bytes that the kernel takes."""


class JsonSocket(JsonLines):
    """Never waits for a reader: one that is too slow is cut off."""

    name = "jsonl-socket"

    def __init__(self, settings: JsonlSettings) -> None:
        """Prepare. Raises SettingsError if the path can never be a socket of ours."""
        path = socket_of(settings)
        if len(os.fsencode(path)) > LONGEST_PATH - len(UNFINISHED):
            raise SettingsError(f"jsonl.socket = {settings.socket!r} is longer than a socket's path may be; shorten it")
        with suppress(OSError):  # what cannot be looked at may come into reach later
            if not stat.S_ISSOCK(path.lstat().st_mode):
                raise SettingsError(f"jsonl.socket = {settings.socket!r} is there and is no socket; name another path")
        self._readers = Readers(path)
        super().__init__(self._readers)

    @property
    def lost(self) -> int:
        return self._readers.dropped

    def open(self) -> None:
        self._readers.welcome()

    def close(self) -> None:
        self._readers.close()


class Reader:
    """Somebody who is connected."""

    def __init__(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        self._connection, self.behind = connection, bytearray()

    def take(self, data: bytes) -> bool:
        """Send what can be sent without waiting; return whether the reader is still there and fast enough."""
        self.behind += data
        try:
            while self.behind:
                del self.behind[: self._connection.send(self.behind)]
        except BlockingIOError:
            return len(self.behind) <= BEHIND_BYTES
        except OSError:
            self.behind.clear()
            return False
        return True

    def leave(self) -> None:
        """Hang up."""
        self._connection.close()


class Readers:
    """The socket and all who are connected, without a thread of their own: there is time for them with every line."""

    def __init__(self, path: Path) -> None:
        self.dropped = 0
        """Lines that those who were cut off have missed at that moment."""

        self._path = path
        self._server: socket.socket | None = None
        self._file = (0, 0)
        """Which one in the file system is ours."""

        self._readers: list[Reader] = []
        self._retry_at_s = 0.0
        self._trouble = ""

    def write(self, line: str) -> None:
        """Send a line to everyone, those included who have come meanwhile."""
        self.welcome()
        data = line.encode() + b"\n"
        for reader in [reader for reader in self._readers if not reader.take(data)]:
            self._cut_off(reader)

    def welcome(self) -> None:
        """Let in who waits at the door; open it first, if need be."""
        if self._server is None and time.monotonic() >= self._retry_at_s:
            self._retry_at_s = time.monotonic() + RETRY_S
            self._open()
        while self._server is not None:
            try:
                reader = Reader(self._server.accept()[0])
            except BlockingIOError:
                return
            except OSError as error:  # they left again, or there are no descriptors left
                log.debug("jsonl-socket-accept reason=%s", error)
                return
            if len(self._readers) < READERS:
                self._readers.append(reader)
            else:
                reader.leave()

    def _open(self) -> None:
        if trouble := _reason_taken(self._path):
            self._tell(trouble)
            return
        # Under another name until its mode is right: then it appears at once, over a stale one as well.
        unfinished = self._path.with_name(self._path.name + UNFINISHED)
        server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            unfinished.unlink(missing_ok=True)
            server.bind(str(unfinished))
            unfinished.chmod(MODE)
            server.listen(READERS)
            server.setblocking(False)
            unfinished.replace(self._path)
            self._file = _which(self._path)
        except OSError as error:
            server.close()
            with suppress(OSError):
                unfinished.unlink(missing_ok=True)
            self._tell(error.strerror or str(error))
        else:
            self._server = server
            self._tell("")

    def _cut_off(self, reader: Reader) -> None:
        if missed := reader.behind.count(b"\n"):
            self.dropped += missed
            log.warning("jsonl-socket-cut-off path=%s reason='a reader is too slow' missed=%d", self._path, missed)
        reader.leave()
        self._readers.remove(reader)

    def close(self) -> None:
        """Give everyone the rest, if they take it soon, and remove the socket."""
        deadline_s = time.monotonic() + LAST_WORDS_S
        while any(reader.take(b"") and reader.behind for reader in self._readers) and time.monotonic() < deadline_s:
            time.sleep(0.01)
        for reader in list(self._readers):
            self._cut_off(reader)
        if self._server is not None:
            self._server.close()
            with suppress(OSError):
                if _which(self._path) == self._file:
                    self._path.unlink()

    def _tell(self, trouble: str) -> None:
        if trouble and trouble != self._trouble:
            log.warning("jsonl-socket-failed path=%s reason=%r; trying again", self._path, trouble)
        self._trouble = trouble


def _which(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_dev, found.st_ino


def _reason_taken(path: Path) -> str:
    """Why a path cannot be ours: somebody answers there, or it is no socket. A stale one may be replaced."""
    try:
        if not stat.S_ISSOCK(path.lstat().st_mode):
            return "it is there and is no socket"
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.settimeout(1.0)
            probe.connect(str(path))
    except (FileNotFoundError, ConnectionRefusedError):
        return ""
    except OSError as error:
        return error.strerror or str(error)
    return "another program answers there"


def socket_of(settings: JsonlSettings) -> Path:
    """Return the path that the settings name."""
    return expanded(settings.socket)


def reason_not_free(settings: JsonlSettings) -> str:
    """Return why the socket could not be opened right now; an empty text if it could."""
    path = socket_of(settings)
    if taken := _reason_taken(path):
        return taken
    if not path.parent.is_dir():
        return f"there is no folder {path.parent}"
    return "" if os.access(path.parent, os.W_OK) else f"{path.parent} cannot be written to"
