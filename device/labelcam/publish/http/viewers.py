# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Whoever watches: gets the newest when there is room for it, and is sent away if it never reads."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

from aiohttp import web

from .bell import Bell
from .feed import Feed

STUCK_S = 10.0
"""How long a viewer may take to read what it was sent."""

SOCKET_BYTES = 131_072
"""What the kernel may hold for a viewer: with its usual megabytes, a slow one would watch the past."""

LOOK_S = 1.0
"""How often a stream looks around although nothing rang."""


class Viewer:
    """One stream to one viewer."""

    def __init__(self, transport: asyncio.Transport, response: web.StreamResponse) -> None:
        self._transport, self.response = transport, response
        self._full_since_s: float | None = None

    async def turns(self, bell: Bell, look_s: float = LOOK_S) -> AsyncIterator[None]:
        """Yield at once, whenever something may be new, and every `look_s`, while the viewer is there and has room."""
        while not (bell.closing or self._transport.is_closing()):
            if self._has_room():
                yield
            await bell.wait(look_s)

    def _has_room(self) -> bool:
        if self._transport.get_write_buffer_size() == 0:
            self._full_since_s = None
            return True
        now_s = time.monotonic()
        if self._full_since_s is None:
            self._full_since_s = now_s
        if now_s - self._full_since_s > STUCK_S:
            self._transport.abort()
        return False

    async def send(self, data: bytes) -> None:
        """Send; whoever does not read for too long is sent away."""
        try:
            async with asyncio.timeout(STUCK_S):
                await self.response.write(data)
        except TimeoutError:
            self._transport.abort()
        except ConnectionError:
            return  # gone; the next turn will see it


class Gallery:
    """The places for viewers."""

    def __init__(self, feed: Feed, bell: Bell, places: int) -> None:
        self.feed, self.bell, self._places = feed, bell, places

    @contextmanager
    def place(self) -> Iterator[None]:
        """Take a place for the length of the block. Raises HTTPServiceUnavailable where there is none."""
        if self.feed.viewers >= self._places:
            raise web.HTTPServiceUnavailable(text=f"{self._places} streams are served already; see http.max_clients")
        self.feed.viewers += 1
        try:
            yield
        finally:
            self.feed.viewers -= 1

    async def begin(self, request: web.Request, content_type: str) -> Viewer:
        """Send the head of a stream."""
        response = web.StreamResponse(headers={"Content-Type": content_type, "X-Accel-Buffering": "no"})
        transport = request.transport
        if transport is None:
            raise web.HTTPBadRequest(text="gone already")
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SOCKET_BYTES)
        await response.prepare(request)
        return Viewer(transport, response)
