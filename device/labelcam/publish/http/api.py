# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""What programs ask for: the state, the newest picture, an event's picture, whether we are well."""

from aiohttp import web

from .feed import Feed
from .film import Print


class Api:
    """Answers from what the feed holds."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed

    async def health(self, _request: web.Request) -> web.Response:
        """200 only if a frame was classified lately; it tells nothing else."""
        well = self._feed.classified_lately()
        return web.Response(text="ok\n" if well else "no frame lately\n", status=200 if well else 503)

    async def state(self, _request: web.Request) -> web.Response:
        """Everything in one document."""
        return web.json_response(self._feed.state())


class Photographs:
    """Answers with pictures; there is none of it in private mode."""

    def __init__(self, feed: Feed, whole: Print) -> None:
        self._feed, self._whole = feed, whole

    async def snapshot(self, _request: web.Request) -> web.Response:
        """The newest picture, in full; an old one is none."""
        still = await self._whole.newest() if self._feed.classified_lately() else None
        if still is None:
            raise web.HTTPServiceUnavailable(text="there is no picture of the moment")
        return web.Response(body=still.jpeg, content_type="image/jpeg")

    async def thumbnail(self, request: web.Request) -> web.Response:
        """The picture of the moment when something came or went."""
        happening = self._feed.happening(request.match_info["id"])
        if happening is None or happening.thumbnail is None:
            raise web.HTTPNotFound(text="no such event is remembered, or no picture of it")
        return web.Response(body=happening.thumbnail, content_type="image/jpeg")
