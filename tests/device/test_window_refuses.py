# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""What the window does not answer, and what nobody can do to it."""

import base64
import json
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlencode

import numpy as np
import pytest

from labelcam.metrics import resident_bytes
from labelcam.publish.http.keys import Patience
from open_window import BEARER, TOKEN, OpenWindow, exchange, open_window, until

Start = Callable[..., "subprocess.Popen[str]"]

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
GUARDED = ("/", "/stream.mjpg", "/snapshot.jpg", "/api/v1/state", "/api/v1/events", "/metrics", "/nowhere")


@pytest.fixture
def window() -> Iterator[OpenWindow]:
    """One without a token, for this machine alone."""
    with open_window() as opened:
        opened.see()
        yield opened


@pytest.fixture
def locked(tmp_path: Path) -> Iterator[OpenWindow]:
    """One with a token."""
    path = tmp_path / "token"
    path.write_text(TOKEN)
    path.chmod(0o600)
    with open_window(token_file=str(path), allowed_hosts=("Cam.Example",)) as opened:
        opened.see()
        yield opened


def is_well(window: OpenWindow) -> bool:
    return window.get("/healthz").status == 200


def reached(window: OpenWindow) -> bool:
    try:
        return is_well(window)
    except ConnectionError:
        return False


def host(window: OpenWindow, name: str) -> int:
    return window.get("/api/v1/state", Host=name, **BEARER).status


def test_only_our_own_names_are_answered(locked: OpenWindow) -> None:
    """Addresses, this machine's name, NAME.local, localhost and allowed_hosts; no other."""
    own = socket.gethostname()
    for name in ("127.0.0.1", "192.168.7.9:8765", "[::1]:80", "localhost:1", own, f"{own}.local", "cam.example."):
        assert host(locked, name) == 200, name
    for name in (
        "evil.example",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "evil@localhost",
        "",
        "cam.example.x",
    ):
        assert host(locked, name) == 421, name


def test_exactly_one_host_is_needed(window: OpenWindow) -> None:
    """HTTP/1.0 may leave it out; then nobody knows under which name we were found."""
    assert window.raw(b"GET /healthz HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.0 400")
    twice = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\nConnection: close\r\n\r\n"
    assert b" 400 " in window.raw(twice).splitlines()[0]
    assert is_well(window)


def test_nothing_is_shown_without_the_token(locked: OpenWindow) -> None:
    """Not by any path, not by a path that does not exist, and not with the token in the address."""
    for path in GUARDED:
        found = locked.get(path)
        assert (found.status, found.headers.get("Location")) == ((303, "/sign-in") if path == "/" else (401, None)), (
            path
        )
        for query in (f"?token={TOKEN}", f"?access_token={TOKEN}"):
            assert locked.get(path + query).status in (303, 401), path
    assert locked.get("/api/v1/state", **BEARER).status == 200


def test_health_the_form_and_what_it_is_made_of_need_no_token(locked: OpenWindow) -> None:
    """They tell nothing of this machine."""
    for path in ("/healthz", "/sign-in", "/assets/page.css", "/assets/sign-in.js", "/assets/icon.svg"):
        found = locked.get(path)
        assert found.status == 200, path
        assert socket.gethostname().encode() not in found.body.split() or len(socket.gethostname()) < 4


def test_the_token_is_taken_as_bearer_and_as_a_password(locked: OpenWindow) -> None:
    """Basic is what Home Assistant's cameras can send; the user does not matter."""
    password = base64.b64encode(f"anybody:{TOKEN}".encode()).decode()
    assert locked.get("/metrics", Authorization=f"Basic {password}").status == 200
    assert locked.get("/metrics", Authorization=f"bearer {TOKEN}").status == 200


WRONG = (
    "Bearer",
    "Bearer ",
    f"Bearer {TOKEN}x",
    f"Bearer {TOKEN[:-1]}",
    "Basic %%%",
    "Basic dG9rZW4=",
    TOKEN,
    "Digest x",
)


@pytest.mark.parametrize("given", WRONG)
def test_a_wrong_token_is_none(locked: OpenWindow, given: str) -> None:
    """Too short, too long, of another kind, or not even base64."""
    assert locked.get("/metrics", Authorization=given).status == 401
    assert is_well(locked)


def test_whoever_guesses_waits(locked: OpenWindow, caplog: pytest.LogCaptureFixture) -> None:
    """After five wrong tokens not even the right one is looked at for a second; a page that is signed in goes on."""
    cookie = sign_in(locked)
    for _ in range(5):
        assert locked.get("/metrics", Authorization="Bearer wrong").status == 401
    waiting = locked.get("/metrics", **BEARER)
    assert (waiting.status, int(waiting.headers["Retry-After"])) == (429, 1)
    assert locked.get("/metrics", Cookie=cookie).status == 200
    until(lambda: locked.get("/metrics", **BEARER).status == 200)
    assert caplog.text.count("window-refused") == 1


def test_patience_doubles_and_forgets() -> None:
    """One second, two, four, at most sixty; the right token ends it; an IPv6 network is one; memory is bounded."""
    now = [0.0]
    patience = Patience(lambda: now[0])
    waits = []
    for _ in range(14):
        patience.guessed_wrong("2001:db8::1")
        waits.append(patience.wait_s("2001:db8::ffff"))
        now[0] += waits[-1]
    assert waits == [0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60, 60]
    assert patience.wait_s("10.0.0.1") == 0
    patience.knew("2001:db8::2")
    patience.guessed_wrong("2001:db8::1")
    assert patience.wait_s("2001:db8::1") == 0
    for number in range(1000):
        patience.guessed_wrong(f"10.0.{number // 256}.{number % 256}")
    assert len(patience._wrong) == 256


def sign_in(window: OpenWindow, token: str = TOKEN, **headers: str) -> str:
    answer = window.ask("POST", "/sign-in", urlencode({"token": token}), FORM | headers)
    return answer.headers.get("Set-Cookie", "").partition(";")[0]


def test_signing_in_gives_a_cookie_that_scripts_and_other_sites_cannot_use(locked: OpenWindow) -> None:
    """HttpOnly, SameSite=Strict, Secure behind HTTPS, made of the token without telling it, and gone on signing out."""
    answer = locked.ask("POST", "/sign-in", urlencode({"token": TOKEN}), FORM)
    assert (answer.status, answer.headers["Location"]) == (303, "/")
    words = answer.headers["Set-Cookie"].split("; ")
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(words)
    assert "Secure" not in words
    assert TOKEN not in words[0]
    assert locked.get("/", Cookie=words[0]).status == 200
    assert locked.get("/", Cookie="labelcam=" + "0" * 64).status == 303
    safe = locked.ask("POST", "/sign-in", urlencode({"token": TOKEN}), FORM | {"X-Forwarded-Proto": "https"})
    assert "Secure" in safe.headers["Set-Cookie"].split("; ")
    gone = locked.ask("POST", "/sign-out", headers={"Cookie": words[0]})
    assert "Max-Age=0" in gone.headers["Set-Cookie"]
    wrong = locked.ask("POST", "/sign-in", urlencode({"token": "no"}), FORM)
    assert (wrong.headers["Location"], wrong.headers.get("Set-Cookie")) == ("/sign-in?again", None)


def test_a_form_that_is_none_is_refused(locked: OpenWindow) -> None:
    """Of another kind, not UTF-8, empty, or far too long."""
    multipart = {"Content-Type": "multipart/form-data; boundary=x"}
    assert locked.ask("POST", "/sign-in", "--x--", multipart).status == 415
    assert sign_in(locked, "") == ""
    assert locked.ask("POST", "/sign-in", "token=" + "x" * 9000, FORM).status == 413
    head = b"POST /sign-in HTTP/1.0\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    assert b" 400 " in locked.raw(head + b"Content-Length: 8\r\n\r\ntoken=\xff\xfe").splitlines()[0]
    assert is_well(locked)


def test_every_post_needs_the_token(window: OpenWindow, locked: OpenWindow) -> None:
    """Even where there is none, and whatever the path; reading is all that is free."""
    for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS"):
        for path in ("/", "/sign-out", "/snapshot.jpg", "/api/v1/state", "/nowhere"):
            assert window.ask(method, path).status == 403, (method, path)
            assert locked.ask(method, path).status == 401, (method, path)
    assert window.ask("POST", "/sign-in", urlencode({"token": "x"}), FORM).status == 403


def test_pages_of_other_sites_can_do_nothing(locked: OpenWindow) -> None:
    """They may neither post with a visitor's cookie nor show our pictures; a link to us they may have."""
    cookie = sign_in(locked)
    for origin in ("https://evil.example", "null", f"http://127.0.0.1:{locked.window.port + 1}", "http://[broken"):
        assert locked.ask("POST", "/sign-out", headers={"Cookie": cookie, "Origin": origin}).status == 403, origin
        assert sign_in(locked, Origin=origin) == "", origin
    assert sign_in(locked, Origin=locked.url) != ""
    embedded = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}
    assert locked.ask("GET", "/snapshot.jpg", headers=embedded | {"Cookie": cookie}).status == 403
    followed = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    assert locked.ask("GET", "/", headers=followed | {"Cookie": cookie}).status == 200


def test_every_answer_has_the_headers_that_protect_it(locked: OpenWindow) -> None:
    """Pages, JSON, refusals and what is not there: a policy without any 'unsafe', no framing, no guessing of types."""
    for path in ("/sign-in", "/healthz", "/nowhere", "/assets/page.js", "/assets/nothing.js"):
        headers = locked.get(path).headers
        policy = headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; script-src 'self';"), path
        assert "unsafe" not in policy
        assert "http" not in policy
        assert (headers["X-Content-Type-Options"], headers["X-Frame-Options"]) == ("nosniff", "DENY")
        assert headers["Server"] == "labelcam"
        assert headers["Cache-Control"] in ("no-store", "no-cache")


def test_a_file_that_is_known_already_is_not_sent_again(window: OpenWindow) -> None:
    """The page's files carry a tag of their content."""
    tag = window.get("/assets/uplot.js").headers["ETag"]
    again = window.get("/assets/uplot.js", If_None_Match=tag)
    assert (again.status, again.body) == (304, b"")


MALFORMED = {
    "noise": bytes(range(256)) * 8,
    "nulls": b"\0" * 4000,
    "TLS": bytes.fromhex("1603010200010001fc0303") + b"\x55" * 500,
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "HTTP/0.9": b"GET /\r\n\r\n",
    "HTTP/9.9": b"GET / HTTP/9.9\r\nHost: localhost\r\n\r\n",
    "no version": b"GET / \r\nHost: localhost\r\n\r\n",
    "two lengths": b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "smuggled": b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "negative": b"POST /sign-in HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
    "endless": b"POST /sign-in HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999999999999\r\n\r\n",
    "chunk": b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
    "folded": b"GET / HTTP/1.1\r\nHost: localhost\r\nX: a\r\n b\r\n\r\n",
    "space": b"GET / HTTP/1.1\r\nHost : localhost\r\n\r\n",
    "bare newline": b"GET /healthz HTTP/1.1\nHost: localhost\n\n",
    "absolute": b"GET http://evil.example/ HTTP/1.1\r\nHost: evil.example\r\n\r\n",
    "connect": b"CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example\r\n\r\n",
    "asterisk": b"OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "method": b"\xff\xfe / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "host": b"GET / HTTP/1.1\r\nHost: \xff\xfe[::\r\n\r\n",
    "upgrade": b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    "range": b"GET /snapshot.jpg HTTP/1.1\r\nHost: localhost\r\nRange: bytes=0-,0-,0-,0-,0-\r\n\r\n",
}


@pytest.mark.parametrize("kind", MALFORMED)
def test_what_is_no_http_harms_nobody(window: OpenWindow, kind: str, caplog: pytest.LogCaptureFixture) -> None:
    """It gets a refusal or nothing, no trace and no line in the log; the next one is answered as ever."""
    with closing(window.connect()) as peer:
        peer.sendall(MALFORMED[kind])
        peer.shutdown(socket.SHUT_WR)
        answer = exchange(peer, b"")
    assert b"Traceback" not in answer
    assert b"ok\n" not in answer or kind == "bare newline"
    assert is_well(window)
    assert [record for record in caplog.records if record.levelname in ("ERROR", "CRITICAL")] == []


def dribble(peer: socket.socket) -> None:
    while True:
        peer.sendall(b"X: y\r\n" * 100)
        time.sleep(0.001)


def test_headers_have_an_end(window: OpenWindow) -> None:
    """One that is too long, too many of them, or one that never stops: refused or broken off within 16 KB."""
    start = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n"
    for headers in (b"X: " + b"x" * 5000 + b"\r\n", b"X: y\r\n" * 2000, b"Cookie: labelcam=" + b"0" * 9000 + b"\r\n"):
        status = window.raw(start + headers + b"Connection: close\r\n\r\n").splitlines()[0]
        assert status.split()[1] in (b"400", b"431"), status
    assert b" 400 " in window.raw(b"GET /" + b"a" * 5000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n").splitlines()[0]
    with closing(window.connect()) as peer:
        peer.sendall(start)
        with pytest.raises(ConnectionError):
            dribble(peer)
    assert is_well(window)


OUTSIDE = (
    "../page.html",
    "..%2f__init__.py",
    "%2e%2e/%2e%2e/labelcam.toml",
    "....//page.html",
    "/etc/passwd",
    "%00",
    "page.html",
)


@pytest.mark.parametrize("path", OUTSIDE)
def test_no_path_leads_out_of_what_is_served(window: OpenWindow, path: str) -> None:
    """Files are known by name: nothing beside, above or below them can be had."""
    for start in ("/assets/", "/", "//", "/api/v1/events/"):
        request = f"GET {start}{path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        status = window.raw(request.encode()).splitlines()[0]
        assert status.split()[1] in (b"404", b"400"), (start + path, status)


def test_half_a_request_is_not_waited_for(window: OpenWindow, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever sends a byte now and then is broken off all the same (slowloris), whether in the head or in the body."""
    monkeypatch.setattr("labelcam.publish.http.door.SILENT_S", 0.3)
    monkeypatch.setattr("labelcam.publish.http.pages.BODY_S", 0.3)
    for start in (
        b"",
        b"GET / HTTP/1.1\r\nHost: loc",
        b"POST /sign-out HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\n\r\n",
    ):
        with closing(window.connect()) as peer:
            peer.settimeout(0.1)
            deadline = time.monotonic() + 10
            while time.monotonic() < deadline:
                try:
                    peer.sendall(start[:1] or b"G")
                    start = start[1:]
                    if peer.recv(4096) == b"":
                        break
                except TimeoutError:
                    continue
                except ConnectionError:
                    break
            else:
                pytest.fail("it is still waited for")


def test_silent_connections_make_room(window: OpenWindow) -> None:
    """A hundred that say nothing keep nobody out: the one that has been silent for longest goes."""
    with ExitStack() as stack:
        for count in range(100):
            stack.enter_context(window.connect())
            if count % 20 == 0:
                assert is_well(window)
        assert is_well(window)


def test_an_answer_that_nobody_reads_is_not_kept(window: OpenWindow, monkeypatch: pytest.MonkeyPatch) -> None:
    """A snapshot larger than all buffers, asked for and left there: its connection ends, and its memory with it."""
    monkeypatch.setattr("labelcam.publish.http.door.SILENT_S", 0.5)
    window.see(pixels=np.random.default_rng(0).integers(0, 256, (2400, 3200, 3), np.uint8))  # some 6 MB
    inside = window.window._server._guard.door._inside
    with closing(window.connect()) as peer:
        peer.sendall(b"GET /snapshot.jpg HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert peer.recv(100)
        until(lambda: not inside)
    assert is_well(window)


def test_viewers_have_places(window: OpenWindow) -> None:
    """Beyond max_clients a stream is refused with a reason; what is answered at once still is."""
    with ExitStack() as stack:
        for _ in range(16):
            peer = stack.enter_context(window.connect())
            peer.sendall(b"GET /stream.mjpg HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert peer.recv(4096)
        refused = window.get("/stream.mjpg")
        assert (refused.status, "http.max_clients" in refused.json["error"]) == (503, True)
        assert is_well(window)
    until(lambda: window.window._feed.viewers == 0)


def test_fifty_viewers_that_never_read_are_sent_away(window: OpenWindow, monkeypatch: pytest.MonkeyPatch) -> None:
    """They take a bounded piece of memory until then, and everyone else is served meanwhile."""
    monkeypatch.setattr("labelcam.publish.http.viewers.STUCK_S", 1.0)
    monkeypatch.setattr("labelcam.publish.http.viewers.SOCKET_BYTES", 4096)  # else what they are told fits in there
    large = np.random.default_rng(0).integers(0, 256, (720, 960, 3), np.uint8)  # half a megabyte each as JPEG
    window.see(pixels=large)
    before = resident_bytes()
    with ExitStack() as stack:
        for number in range(50):
            peer = socket.socket()
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            peer.connect(("127.0.0.1", window.window.port))
            stack.enter_context(closing(peer))
            path = "/stream.mjpg" if number % 2 else "/api/v1/events"
            peer.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        until(lambda: window.window._feed.viewers >= 8)
        most = 0
        deadline = time.monotonic() + 20
        while window.window._feed.viewers and time.monotonic() < deadline:
            window.see(pixels=large)
            most = max(most, resident_bytes())
            assert is_well(window)
            time.sleep(0.05)
        assert window.window._feed.viewers == 0
        until(lambda: len(window.window._server._guard.door._inside) <= 1)
        assert most - before < 40e6, f"{(most - before) / 1e6:.1f} MB"


def test_a_mistake_of_ours_ends_one_answer(window: OpenWindow, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asked gets 500 without a trace; the rest goes on."""
    monkeypatch.setattr(window.window._feed, "state", lambda: Path("/nowhere/at/all").stat())
    answer = window.get("/api/v1/state")
    assert (answer.status, "nowhere" in answer.body.decode()) == (500, False)
    assert is_well(window)


def test_the_daemon_goes_on_whatever_is_done_to_its_window(start: Start, colours: Path, tmp_path: Path) -> None:
    """Fifty viewers that never read, malformed and endless requests: no frame is late, none is lost, memory stays."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    settings, summary = tmp_path / "labelcam.toml", tmp_path / "summary.json"
    settings.write_text(f"[http]\nenabled = true\nport = {port}\n[limits]\nmax_fps = 20\n")
    camera = ("--camera", "synthetic:640x480@20", "--summary", summary)
    process = start("run", "--settings", settings, "--model", colours, *camera, stdout=subprocess.DEVNULL)
    window = OpenWindow(SimpleNamespace(port=port), None, None)  # type: ignore[arg-type]
    until(lambda: reached(window))
    with ExitStack() as stack:
        for number in range(50):
            peer = stack.enter_context(window.connect())
            path = "stream.mjpg" if number % 2 else "api/v1/events"
            peer.sendall(f"GET /{path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        for data in MALFORMED.values():
            peer = stack.enter_context(window.connect())
            with suppress(ConnectionError):
                peer.sendall(data)
        before = window.get("/api/v1/state").json["reading"]["seq"]
        until(lambda: window.get("/api/v1/state").json["reading"]["seq"] > before + 60)
        assert is_well(window)
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0
    found = json.loads(summary.read_text())
    assert found["publishers"]["http"] == {"dropped": 0}
    assert found["fps"] > 10  # of 20; a busy machine may lose some by itself
    assert found["rss_mb"] < 150
