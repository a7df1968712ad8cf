# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The page, the form to sign in, and the files that they are made of; the last are known by name, none by path."""

import asyncio
import hashlib
from importlib.resources import files
from urllib.parse import parse_qs

from aiohttp import web

from ...web import uplot_script, uplot_style
from .guard import COOKIE, Guard, refused
from .keys import Keys

KINDS = {"js": "text/javascript", "css": "text/css", "html": "text/html", "svg": "image/svg+xml"}
OURS = {
    *("page.css", "icon.svg", "page.js", "words.js", "link.js", "view.js", "visits.js", "figures.js", "stages.js"),
    *("card.js", "sign-in.js", "uplot.js", "uplot.css"),
}
"""What may be asked for under /assets/."""

BODY_S = 5.0
"""How long the form may take to arrive."""

YEAR_S = 31_536_000


class Pages:
    """Serves them."""

    def __init__(self, guard: Guard, keys: Keys) -> None:
        self._guard, self._keys = guard, keys
        self._files: dict[str, tuple[bytes, str]] = {}

    async def page(self, request: web.Request) -> web.Response:
        """The page itself."""
        return self._file(request, "page.html")

    async def asset(self, request: web.Request) -> web.Response:
        """One of the files that a page is made of."""
        name = request.match_info["name"]
        if name not in OURS:
            raise web.HTTPNotFound(text="there is no such file")
        return self._file(request, name)

    async def form(self, request: web.Request) -> web.Response:
        """The form to sign in, where there is a token."""
        if not self._keys.needed:
            raise web.HTTPSeeOther("/")
        return self._file(request, "sign-in.html")

    async def sign_in(self, request: web.Request) -> web.Response:
        """Take the token of the form, and give a cookie for it."""
        if not self._keys.needed:
            return refused(403, "there is no token, so nobody need sign in")
        if request.content_type != "application/x-www-form-urlencoded":
            raise web.HTTPUnsupportedMediaType(text="this is no form")
        try:
            async with asyncio.timeout(BODY_S):
                fields = parse_qs(await request.text())
        except TimeoutError:
            raise web.HTTPRequestTimeout(text="the form did not arrive") from None
        except UnicodeDecodeError:
            raise web.HTTPBadRequest(text="the form is no UTF-8") from None
        if self._guard.judge(request, fields.get("token", [""])[0].strip()):
            raise web.HTTPSeeOther("/sign-in?again")
        answer = web.Response(status=303, headers={"Location": "/"})
        secure = request.headers.get("X-Forwarded-Proto") == "https"
        answer.set_cookie(
            COOKIE, self._keys.cookie, max_age=YEAR_S, path="/", httponly=True, samesite="Strict", secure=secure
        )
        return answer

    async def sign_out(self, _request: web.Request) -> web.Response:
        """Take the cookie back."""
        answer = web.Response(status=303, headers={"Location": "/sign-in"})
        answer.del_cookie(COOKIE, path="/", httponly=True, samesite="Strict")
        return answer

    def _file(self, request: web.Request, name: str) -> web.Response:
        data, tag = self._read(name)
        kind = KINDS[name.rpartition(".")[2]]
        headers = {"ETag": f'"{tag}"', "Cache-Control": "no-cache"}
        if any(given.value == tag for given in request.if_none_match or ()):
            return web.Response(status=304, headers=headers)
        return web.Response(body=data, content_type=kind, charset="utf-8", headers=headers)

    def _read(self, name: str) -> tuple[bytes, str]:
        """Read it when it is first asked for: a page that nobody opens takes no memory."""
        if name not in self._files:
            ours = files(__package__).joinpath("page")
            made = {"uplot.js": uplot_script, "uplot.css": uplot_style}
            data = made[name]().encode() if name in made else ours.joinpath(name).read_bytes()
            self._files[name] = data, hashlib.sha256(data).hexdigest()[:16]
        return self._files[name]
