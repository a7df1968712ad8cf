# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The token: what it must be, how it is compared, what a browser carries in its place, and how guessing is slowed."""

import hashlib
import hmac
import ipaddress
import time
from collections import OrderedDict
from collections.abc import Callable

from ...errors import SettingsError

SHORTEST = 16
"""Characters of a token."""

FREE_GUESSES = 5
LONGEST_WAIT_S = 60.0
REMEMBERED = 256
"""Addresses that guessed wrong; those that did so longest ago are forgotten first."""


class Keys:
    """The one token, or none."""

    def __init__(self, token: str | None, host: str) -> None:
        """Take the token. Raises SettingsError if it is too short, or if `host` needs one and there is none."""
        token = None if token is None else token.strip()  # an editor's line end is no part of it
        if token is not None and len(token) < SHORTEST:
            raise SettingsError(
                f"the token for http has {len(token)} characters and could be guessed; make one of {SHORTEST} or more: "
                "openssl rand -hex 16"
            )
        if token is None and not is_loopback(host):
            raise SettingsError(
                f"http.host = {host!r} lets others see the page, and there is no token; set http.token_file or "
                "LABELCAM_HTTP_TOKEN, or use 127.0.0.1"
            )
        self._token = None if token is None else token.encode()

    @property
    def needed(self) -> bool:
        """Whether there is a token."""
        return self._token is not None

    def fits(self, token: str) -> bool:
        """Whether this is the token; takes as long if it is not."""
        return self._token is not None and hmac.compare_digest(self._token, token.encode("utf-8", "replace"))

    @property
    def cookie(self) -> str:
        """What a browser carries: made of the token, so that it outlives us and dies with it, and does not tell it."""
        return hmac.new(self._token or b"", b"labelcam page", hashlib.sha256).hexdigest()

    def fits_cookie(self, value: str) -> bool:
        """Whether this is the cookie of whoever has signed in."""
        return self.needed and hmac.compare_digest(self.cookie.encode(), value.encode("utf-8", "replace"))


class Patience:
    """Makes whoever guesses wait: after five wrong tokens a second, then two, then four, at most a minute.

    While an address waits, its tokens are not even looked at, so hanging up early gains nothing. Cookies cannot be
    guessed and are not asked to wait: a page that is signed in goes on.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._wrong: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def wait_s(self, address: str) -> float:
        """Return for how long tokens from there are not looked at."""
        _, until_s = self._wrong.get(_network(address), (0, 0.0))
        return max(0.0, until_s - self._clock())

    def guessed_wrong(self, address: str) -> None:
        """Remember it."""
        network = _network(address)
        count = self._wrong.pop(network, (0, 0.0))[0] + 1
        wait_s = min(LONGEST_WAIT_S, 2.0 ** (count - FREE_GUESSES)) if count >= FREE_GUESSES else 0.0
        self._wrong[network] = (count, self._clock() + wait_s)
        if len(self._wrong) > REMEMBERED:
            self._wrong.popitem(last=False)

    def knew(self, address: str) -> None:
        """Forget what went wrong before."""
        self._wrong.pop(_network(address), None)


def is_loopback(host: str) -> bool:
    """Whether only this machine can connect to it."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _network(address: str) -> str:
    """Whoever has one address of IPv6 has 2**64 of them."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    return address if found.version == 4 else str(ipaddress.ip_network((int(found), 64), strict=False))
