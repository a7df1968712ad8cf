# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Which path leads where. In private mode there is no path to any picture."""

from concurrent.futures import ThreadPoolExecutor

from aiohttp import web

from ...pictures import Pictures
from .api import Api, Photographs
from .bell import Bell
from .exposition import Exposition
from .feed import Feed
from .film import Print
from .guard import Guard
from .keys import Keys
from .pages import Pages
from .streams import NewsStream, PictureStream
from .viewers import Gallery

LIVE = 1024
"""Pixels of the live picture on its longer side; a snapshot has all of them."""

FORM_BYTES = 4096


def make_app(
    feed: Feed, bell: Bell, pictures: Pictures | None, guard: Guard, keys: Keys, places: int
) -> web.Application:
    """Return what is served; `pictures` is None in private mode."""
    gallery, api, pages = Gallery(feed, bell, places), Api(feed), Pages(guard, keys)
    app = web.Application(middlewares=[guard.watch], client_max_size=FORM_BYTES)
    app.on_response_prepare.append(guard.dress)
    app.router.add_get("/", pages.page)
    app.router.add_get("/assets/{name}", pages.asset)
    app.router.add_get("/sign-in", pages.form)
    app.router.add_post("/sign-in", pages.sign_in)
    app.router.add_post("/sign-out", pages.sign_out)
    app.router.add_get("/healthz", api.health)
    app.router.add_get("/metrics", Exposition(feed).answer)
    app.router.add_get("/api/v1/state", api.state)
    app.router.add_get("/api/v1/events", NewsStream(gallery).answer, allow_head=False)
    if pictures:
        _show_pictures(app, gallery, pictures)
    return app


def _show_pictures(app: web.Application, gallery: Gallery, pictures: Pictures) -> None:
    encoder = ThreadPoolExecutor(1, "http-encode")  # started with the first picture that somebody asks for

    async def end(_app: web.Application) -> None:
        encoder.shutdown(wait=False, cancel_futures=True)

    app.on_cleanup.append(end)
    stream = PictureStream(gallery, Print(pictures, encoder, LIVE, 80))
    photographs = Photographs(gallery.feed, Print(pictures, encoder, None, 90))
    app.router.add_get("/stream.mjpg", stream.answer, allow_head=False)
    app.router.add_get("/snapshot.jpg", photographs.snapshot)
    app.router.add_get("/api/v1/events/{id}.jpg", photographs.thumbnail)
