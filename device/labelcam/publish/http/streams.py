# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The two streams: the live picture (MJPEG), and everything that is told (server-sent events)."""

import json
import math
import time

from aiohttp import web

from .film import Print
from .viewers import Gallery

BOUNDARY = "labelcam-frame"
AGAIN_S = 0.25
"""A picture that no other has followed by then is sent once more: browsers show one when the next begins."""

PULSE_S = 15.0
"""Between signs of life where nothing is new: a page that hears none knows that it is cut off."""


class PictureStream:
    """Sends every new picture that a viewer has room for; each is encoded once, however many watch."""

    def __init__(self, gallery: Gallery, live: Print) -> None:
        self._gallery, self._live = gallery, live

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Show pictures until the viewer leaves."""
        with self._gallery.place():
            viewer = await self._gallery.begin(request, f"multipart/x-mixed-replace; boundary={BOUNDARY}")
            await viewer.send(f"--{BOUNDARY}\r\n".encode())
            shown, again_s = None, math.inf
            async for _ in viewer.turns(self._gallery.bell, AGAIN_S):
                still, now_s = await self._live.newest(), time.monotonic()
                if still and (still.seq != shown or now_s >= again_s):
                    again_s = now_s + AGAIN_S if still.seq != shown else math.inf
                    shown = still.seq
                    head = f"Content-Type: image/jpeg\r\nContent-Length: {len(still.jpeg)}\r\n\r\n"
                    await viewer.send(head.encode() + still.jpeg + f"\r\n--{BOUNDARY}\r\n".encode())
            return viewer.response


class NewsStream:
    """Sends what there is, and then what changes: of each kind the newest, so that nobody falls behind."""

    def __init__(self, gallery: Gallery) -> None:
        self._gallery = gallery

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Tell the news until the viewer leaves."""
        feed = self._gallery.feed
        with self._gallery.place():
            viewer = await self._gallery.begin(request, "text/event-stream")
            hello = json.dumps(feed.hello() | {"pulse_seconds": PULSE_S}, ensure_ascii=True)
            await viewer.send(f"retry: 2000\nevent: hello\ndata: {hello}\n\n".encode())
            told = dict.fromkeys(feed.slots, 0)
            spoke_s = time.monotonic()
            async for _ in viewer.turns(self._gallery.bell):
                news = [slot for slot in feed.slots if slot.version != told[slot]]
                told |= {slot: slot.version for slot in news}
                data = b"".join(slot.message() for slot in news)
                if data or time.monotonic() - spoke_s >= PULSE_S:
                    spoke_s = time.monotonic()
                    await viewer.send(data or b"event: pulse\ndata: {}\n\n")
            return viewer.response
