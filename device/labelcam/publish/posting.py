# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""One POST to an address, answered within its time or not at all, and to nobody else."""

import http.client
import socket
import ssl
import threading
from collections.abc import Mapping
from contextlib import suppress
from urllib.parse import SplitResult, quote, urljoin, urlsplit

REDIRECTS = 3
MOVED = (301, 302, 307, 308)
TRY_AGAIN = (408, 429)
"""Of the statuses that blame us, those that time may mend."""

LONGEST_RETRY_AFTER_S = 300.0
URL_KEEPS = "/%:=&?~#+!$,;'@()*[]"


class NotTaken(Exception):
    """It may be taken later."""

    def __init__(self, why: str, pause_s: float = 0.0) -> None:
        super().__init__(why)
        self.pause_s = pause_s
        """How long the other side wants to be left alone."""


class Refused(Exception):
    """It will not be taken, however often it is tried."""


class Poster:
    """Posts one body at a time; `cut` ends what is going on."""

    def __init__(self, url: str, headers: Mapping[str, str], timeout_s: float) -> None:
        self._url, self._headers, self._timeout_s = url, dict(headers), timeout_s
        self._tls = ssl.create_default_context() if url.startswith("https:") else None
        self._connection: http.client.HTTPConnection | None = None

    def post(self, body: bytes) -> None:
        """Return when the body has been taken. Raises Refused, or NotTaken where it is worth trying again."""
        url = self._url
        for _ in range(1 + REDIRECTS):
            status, headers = self._ask(urlsplit(url), body)
            if 200 <= status < 300:
                return
            if status not in MOVED:
                raise _verdict(status, headers.get("Retry-After", ""))
            url = _moved(url, headers.get("Location", ""))
        raise Refused(f"more than {REDIRECTS} redirects")

    def cut(self) -> None:
        """Break off. Called on another thread."""
        connection = self._connection
        if connection and connection.sock:
            with suppress(OSError):
                # Not the method of a TLS socket, which takes away what the other thread is reading with.
                socket.socket.shutdown(connection.sock, socket.SHUT_RDWR)

    def _ask(self, url: SplitResult, body: bytes) -> tuple[int, http.client.HTTPMessage]:
        connection = self._connect(url)
        late = threading.Event()

        def be_late() -> None:
            late.set()
            self.cut()

        # A socket's timeout begins anew with every byte; this one is for all of it.
        watch = threading.Timer(self._timeout_s, be_late)
        watch.daemon = True
        watch.start()
        try:
            target = (url.path or "/") + (f"?{url.query}" if url.query else "")
            connection.request("POST", quote(target, safe=URL_KEEPS), body, {**self._headers, "Connection": "close"})
            answer = connection.getresponse()
            return answer.status, answer.headers
        except ssl.SSLCertVerificationError as error:
            raise NotTaken(f"its certificate is not good ({error.verify_message})") from None
        except (OSError, http.client.HTTPException) as error:
            if late.is_set() or isinstance(error, TimeoutError):
                raise NotTaken(f"no answer within {self._timeout_s:g} s") from None
            raise NotTaken(getattr(error, "strerror", None) or str(error) or type(error).__name__) from None
        finally:
            watch.cancel()
            self._connection = None
            connection.close()

    def _connect(self, url: SplitResult) -> http.client.HTTPConnection:
        host = url.hostname or ""
        if url.scheme == "https":
            tls = self._tls or ssl.create_default_context()
            self._connection = http.client.HTTPSConnection(host, url.port, timeout=self._timeout_s, context=tls)
        else:
            self._connection = http.client.HTTPConnection(host, url.port, timeout=self._timeout_s)
        return self._connection


def _verdict(status: int, retry_after: str) -> Exception:
    if status in TRY_AGAIN or status >= 500:
        pause_s = min(float(retry_after), LONGEST_RETRY_AFTER_S) if retry_after.isdecimal() else 0.0
        return NotTaken(f"answered {status}", pause_s)
    return Refused(f"answered {status}")


def _moved(url: str, location: str) -> str:
    """Where it has moved to, as long as that is the same host, and as well protected."""
    old, new = urlsplit(url), urlsplit(urljoin(url, location))
    safer = (old.scheme, new.scheme) == ("http", "https")
    if new.hostname != old.hostname or not (safer or (new.scheme, new.port) == (old.scheme, old.port)):
        raise Refused(f"is redirected to {new.scheme}://{new.netloc}, where nothing is sent")
    return new.geturl()
