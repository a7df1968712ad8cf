# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Who may come in, and how long somebody may stand in the door."""

import asyncio
import socket
from typing import cast

SPARE = 4
"""Connections beside those of the streams, for what is answered at once."""

SILENT_S = 10.0
"""How long a request may take to arrive, and a connection may lie idle."""

REQUEST_BYTES = 16_384
"""Of one request, head and body."""

FULL = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class Connection(asyncio.Protocol):
    """One connection, in front of aiohttp's own protocol, which knows no such limits."""

    def __init__(self, inner: asyncio.Protocol, door: "Door") -> None:
        self._inner, self._door = inner, door
        self._transport: asyncio.Transport | None = None
        self._bytes = 0
        self._timer: asyncio.TimerHandle | None = None
        self.answering = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        if not self._door.admit(self._transport, self):
            self._transport.write(FULL)
            self._transport.close()
            self._transport = None
            return
        _notice_dead_peers(self._transport.get_extra_info("socket"))
        self._inner.connection_made(transport)
        self.wait()

    def wait(self) -> None:
        """A request is awaited from now on, and not for ever."""
        self.answering, self._bytes = False, 0
        self._set_timer(asyncio.get_running_loop().call_later(SILENT_S, self.end))

    def answer(self) -> None:
        """A request has arrived and is being answered: what else comes is the next."""
        self.answering, self._bytes = True, 0
        self._set_timer(None)

    def _set_timer(self, timer: asyncio.TimerHandle | None) -> None:
        if self._timer:
            self._timer.cancel()
        self._timer = timer

    def end(self) -> None:
        """Break off without a word."""
        if self._transport:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        self._bytes += len(data)
        if self._bytes <= REQUEST_BYTES:
            self._inner.data_received(data)
        elif self.answering:
            self.end()
        else:
            self._transport.write(TOO_LARGE)
            self._transport.close()

    def eof_received(self) -> bool | None:
        return self._inner.eof_received() if self._transport else None

    def pause_writing(self) -> None:
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        self._inner.resume_writing()

    def connection_lost(self, error: Exception | None) -> None:
        self._set_timer(None)
        if self._transport:
            self._door.left(self._transport)
            self._inner.connection_lost(error)


class Door:
    """All connections."""

    def __init__(self, streams: int) -> None:
        self._most = streams + SPARE
        self._inside: dict[asyncio.BaseTransport, Connection] = {}

    def admit(self, transport: asyncio.BaseTransport, connection: Connection) -> bool:
        """Count a connection in. Where all places are taken, the one that has been silent for longest makes room."""
        if len(self._inside) >= self._most:
            silent = next((other for other in self._inside.items() if not other[1].answering), None)
            if silent is None:
                return False
            silent[1].end()
            self._inside.pop(silent[0])
        self._inside[transport] = connection
        return True

    def left(self, transport: asyncio.BaseTransport) -> None:
        """Count it out."""
        self._inside.pop(transport, None)

    def busy(self, transport: asyncio.BaseTransport | None) -> None:
        """A request that came over this connection is being answered."""
        if transport and (connection := self._inside.get(transport)):
            connection.answer()

    def idle(self, transport: asyncio.BaseTransport | None) -> None:
        """It has been answered."""
        if transport and (connection := self._inside.pop(transport, None)):
            connection.wait()
            self._inside[transport] = connection  # at the end: it was silent last

    def clear(self) -> None:
        """Break off all of them."""
        for connection in list(self._inside.values()):
            connection.end()


def _notice_dead_peers(peer: socket.socket) -> None:
    # A tablet that left the Wi-Fi without a word is noticed within a minute, also while there is nothing to send to it.
    for option, value in ((socket.TCP_KEEPIDLE, 30), (socket.TCP_KEEPINTVL, 10), (socket.TCP_KEEPCNT, 3)):
        peer.setsockopt(socket.IPPROTO_TCP, option, value)
