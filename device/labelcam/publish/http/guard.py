# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Stands before every answer: under which name we are asked, from which page, and with which token."""

import base64
import binascii
import ipaddress
import logging
import socket
import time

from aiohttp import web
from aiohttp.typedefs import Handler

from ...settings import HttpSettings
from .door import Door
from .keys import Keys, Patience

log = logging.getLogger(__name__)

COOKIE = "labelcam"
OPEN = frozenset({"/healthz", "/sign-in"})
"""What is answered without a token, and everything under /assets/: it tells nothing of this machine."""

READING = frozenset({"GET", "HEAD"})
COMPLAIN_EVERY_S = 60.0

HEADERS = {
    # Nothing but ourselves may be loaded, run or asked; no frame, no plugin, no base, no form elsewhere; and where a
    # browser knows trusted types, no text can become markup even by a mistake of ours.
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # not no-referrer: browsers would then send 'Origin: null' with our own forms
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Server": "labelcam",
}


class Guard:
    """Refuses what must not be answered, and gives every answer its headers."""

    def __init__(self, settings: HttpSettings, keys: Keys) -> None:
        own = socket.gethostname().lower()
        short = own.partition(".")[0]
        named = {name.lower().rstrip(".") for name in settings.allowed_hosts}
        self._names = {"localhost", own, short, f"{own}.local", f"{short}.local"} | named
        self.keys, self._patience = keys, Patience()
        self.door = Door(settings.max_clients)
        self._complain_s = 0.0

    @web.middleware
    async def watch(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Let a request through, or answer it here."""
        self.door.busy(request.transport)
        try:
            self._check_name(request)
            self._check_page(request)
            if refusal := self._without_token(request):
                return refusal
            return await handler(request)
        except web.HTTPException as error:
            if error.status < 400:
                raise
            return refused(error.status, error.text or error.reason, error.headers.get("Allow"))
        except Exception as error:  # noqa: BLE001, what fails here must not end the others
            self._complain(error)
            return refused(500, "something went wrong here; the log says what")
        finally:
            self.door.idle(request.transport)

    async def dress(self, _request: web.Request, response: web.StreamResponse) -> None:
        """Give an answer its headers."""
        response.headers.update(HEADERS)
        response.headers.setdefault("Cache-Control", "no-store")

    def _check_name(self, request: web.Request) -> None:
        """Refuse names that are not ours: a page elsewhere could have made its own name point here (DNS rebinding)."""
        hosts = request.headers.getall("Host", [])
        if len(hosts) != 1:
            raise web.HTTPBadRequest(text="exactly one Host header is needed")
        name = _name_of(hosts[0])
        if not (_is_address(name) or name in self._names):
            raise web.HTTPMisdirectedRequest(text=f"nothing here is called {name[:100]!r}; see http.allowed_hosts")

    def _check_page(self, request: web.Request) -> None:
        """Refuse what pages of others ask for: to look is not theirs, and to post even less."""
        if request.method in READING:
            foreign = request.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin")
            if foreign and request.headers.get("Sec-Fetch-Mode") != "navigate":
                raise web.HTTPForbidden(text="a page of another site has no business here")
            return
        own = request.headers["Host"].lower()
        if request.headers.get("Origin", f"http://{own}").lower() not in (f"http://{own}", f"https://{own}"):
            raise web.HTTPForbidden(text="this comes from a page of another site, or a proxy has changed Host")

    def _without_token(self, request: web.Request) -> web.StreamResponse | None:
        """Return the refusal, or None if it may go on. What is not reading needs a token even if there is none."""
        reading = request.method in READING
        if request.path == "/sign-in" or (reading and (request.path in OPEN or request.path.startswith("/assets/"))):
            return None
        if not self.keys.needed:
            return None if reading else refused(403, "there is no token, so nothing can be changed from here")
        if self.keys.fits_cookie(request.cookies.get(COOKIE, "")):
            return None
        if (offered := _offered(request)) is not None:
            return self.judge(request, offered)
        if reading and request.path == "/":
            raise web.HTTPSeeOther("/sign-in")
        return refused(401, "a token is needed: Authorization: Bearer TOKEN")

    def judge(self, request: web.Request, offered: str) -> web.Response | None:
        """Return the refusal of a token, or None if it is the right one."""
        address = request.remote or ""
        if (wait_s := self._patience.wait_s(address)) > 0:
            answer = refused(429, f"too many wrong tokens; try again in {wait_s:.0f} s")
            answer.headers["Retry-After"] = str(max(1, round(wait_s)))
            return answer
        if self.keys.fits(offered):
            self._patience.knew(address)
            return None
        self._patience.guessed_wrong(address)
        self._complain(f"a wrong token from {address}")
        return refused(401, "that is not the token")

    def _complain(self, what: object) -> None:
        # Whoever knocks all night must not fill an SD card.
        if time.monotonic() >= self._complain_s:
            self._complain_s = time.monotonic() + COMPLAIN_EVERY_S
            log.warning("window-refused reason=%r; more of the kind within a minute are not logged", str(what))
        log.debug("window-refused", exc_info=isinstance(what, BaseException))


def refused(status: int, why: str, allow: str | None = None) -> web.Response:
    """Return a refusal as JSON."""
    headers = {"WWW-Authenticate": 'Bearer realm="labelcam"'} if status == 401 else {}
    if allow:
        headers["Allow"] = allow
    return web.json_response({"error": why}, status=status, headers=headers)


def _offered(request: web.Request) -> str | None:
    """Return the token of the Authorization header: Bearer, or the password of Basic, as Home Assistant sends it."""
    kind, _, value = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() == "bearer":
        return value.strip()
    if kind.lower() == "basic":
        try:
            return base64.b64decode(value, validate=True).decode().partition(":")[2]
        except (binascii.Error, UnicodeDecodeError):
            return ""
    return None


def _name_of(host: str) -> str:
    """Return the name in a Host header, without its port."""
    name = host[: host.find("]") + 1] if host.startswith("[") else host.partition(":")[0]
    return name.strip("[]").lower().rstrip(".")


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
