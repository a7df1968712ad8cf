# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The webhook against a real HTTP server that fails, hangs, redirects and comes back."""

import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from examples import ODD, card, reading
from labelcam.errors import SettingsError
from labelcam.publish import CLOSE_S, run_publishers
from labelcam.publish import webhook as webhook_module
from labelcam.publish.webhook import Webhook, reason_unreachable
from labelcam.records import Event, Notice
from labelcam.settings import WebhookSettings
from mosquitto import eventually
from webhook_server import Answer, Server


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    with ExitStack() as stack:

        def begin(*answers: Answer) -> Server:
            server = Server(*answers)
            stack.callback(server.end)
            return server

        yield begin


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between attempts: a tenth of the real ones, and no secrets of this machine."""
    monkeypatch.setattr(webhook_module, "FIRST_PAUSE_S", 0.1)
    monkeypatch.delenv("LABELCAM_WEBHOOK_TOKEN", raising=False)


def hook(url: str, **more: Any) -> Webhook:
    """The publisher, which has learned what runs."""
    made = Webhook(WebhookSettings(url=url, **more), "door")
    made.introduce(card())
    return made


def test_an_event_is_posted_with_its_reading(serve: Callable[..., Server]) -> None:
    """Node, model, event and the whole reading as JSON, the oddest label as it was."""
    server = serve()
    told = reading(7, ODD, "enter")
    hook(server.url).publish(told)
    (body,) = server.got
    assert {"schema": 1, "node": "door", "model": "colours", "camera": "ok"}.items() <= body.items()
    assert body["event"] == {"type": "enter", "label": ODD, "duration_s": 0.0}
    assert body["reading"] == json.loads(json.dumps(told.as_json()))
    path, headers = server.asked[0]
    assert (path, headers["Content-Type"]) == ("/hook?key=hidden", "application/json")
    assert "Authorization" not in headers


def test_only_events_that_are_asked_for_are_posted(serve: Callable[..., Server]) -> None:
    """Readings without one are not even queued; the leave of a lost camera comes without a reading."""
    server = serve()
    leaves = hook(server.url, events=("leave",))
    assert not leaves.wants(reading(1))
    assert not leaves.wants(reading(1, event="enter"))
    assert leaves.wants(reading(1, event="leave"))
    leaves.notice(Notice(datetime.now(UTC), "lost", "unplugged", Event("leave", "cat", 3.0)))
    leaves.notice(Notice(datetime.now(UTC), "lost", "unplugged"))
    (body,) = server.got
    assert (body["event"]["label"], body["camera"], body["reason"], body["reading"]) == (
        "cat",
        "lost",
        "unplugged",
        None,
    )


def test_a_token_is_sent_in_the_header_and_never_logged(
    serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The log names the host alone: the rest of an address may be a secret, too."""
    caplog.set_level("DEBUG")
    monkeypatch.setenv("LABELCAM_WEBHOOK_TOKEN", "s3cret")
    server = serve(503, 403)
    hook(server.url).publish(reading(1, event="enter"))
    assert [headers["Authorization"] for _, headers in server.asked] == ["Bearer s3cret"] * 2
    assert "127.0.0.1" in caplog.text
    assert "s3cret" not in caplog.text
    assert "hidden" not in caplog.text


@pytest.mark.parametrize("token", ["two\nlines", "Schlüssel", "\x00"])
def test_a_token_that_no_header_may_hold_is_refused(
    token: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A mistake in the secret is said at start, without the secret."""
    (tmp_path / "token").write_text(token)
    (tmp_path / "token").chmod(0o600)
    with pytest.raises(SettingsError, match="characters that no header may") as refused:
        hook("http://127.0.0.1:1/", token_file=str(tmp_path / "token"))
    assert token not in str(refused.value)


def test_what_fails_for_now_is_tried_again_in_order(
    serve: Callable[..., Server], caplog: pytest.LogCaptureFixture
) -> None:
    """Recovery time: the pause that had grown until then. Nothing overtakes; the end of it is told once."""
    server = serve(500, 503, 408, 429, 502)
    publisher = hook(server.url)
    for number in range(5):
        publisher.publish(reading(number, event="enter"))
    assert [body["reading"]["seq"] for body in server.got] == [0, 1, 2, 3, 4]
    assert publisher.lost == 0
    assert caplog.text.count("webhook-again") == 1


def test_an_address_that_nobody_answers_at_is_tried_again(serve: Callable[..., Server]) -> None:
    """A server that starts later gets what happened before."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    settings = WebhookSettings(url=f"http://127.0.0.1:{port}/")
    assert reason_unreachable(settings) == "Connection refused"
    with run_publishers({"webhook": Webhook(settings, "door")}, lambda: False) as out:
        for number in range(3):
            out.offer(reading(number, event="enter"))
        time.sleep(0.3)
        server = Late(port)
        eventually(lambda: len(server.got) == 3, "every event")
        assert reason_unreachable(settings) == ""
        server.end()
    assert [body["reading"]["seq"] for body in server.got] == [0, 1, 2]


class Late(Server):
    """A server at a port of its own."""

    def __init__(self, port: int) -> None:
        self._port = port
        super().__init__()

    def server_bind(self) -> None:
        self.server_address = ("127.0.0.1", self._port)
        super().server_bind()


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 422])
def test_what_is_refused_is_not_tried_again(
    status: int, serve: Callable[..., Server], caplog: pytest.LogCaptureFixture
) -> None:
    """It would be refused again: the next event has its turn, and the log says what to check."""
    server = serve(status)
    publisher = hook(server.url)
    publisher.publish(reading(1, event="enter"))
    publisher.publish(reading(2, event="leave"))
    assert [body["reading"]["seq"] for body in server.got] == [2]
    assert publisher.lost == 1
    assert f"answered {status}; not tried again, check url and token" in caplog.text


def test_an_event_is_given_up_in_the_end(serve: Callable[..., Server]) -> None:
    """After retry_seconds the next one has its turn."""
    server = serve(*[500] * 1000)
    publisher = hook(server.url, retry_seconds=0.5)
    begun = time.monotonic()
    publisher.publish(reading(1, event="enter"))
    assert 0.2 < time.monotonic() - begun < 10
    assert 2 <= len(server.asked) <= 4
    assert publisher.lost == 1


def test_a_server_may_say_when_to_come_again(serve: Callable[..., Server]) -> None:
    """Retry-After is heeded, within reason."""
    server = serve((429, {"Retry-After": "1"}), (503, {"Retry-After": "soon"}))
    begun = time.monotonic()
    hook(server.url).publish(reading(1, event="enter"))
    assert time.monotonic() - begun >= 1
    assert len(server.got) == 1


def test_a_server_that_hangs_is_given_its_time_and_no_more(
    serve: Callable[..., Server], caplog: pytest.LogCaptureFixture
) -> None:
    """No answer within timeout_seconds is none; the event is tried again."""
    server = serve(None)
    hook(server.url, timeout_seconds=0.5).publish(reading(1, event="enter"))
    assert len(server.got) == 1
    assert "no answer within 0.5 s" in caplog.text


def test_a_server_that_trickles_is_given_no_more_time() -> None:
    """A byte now and then keeps no connection alive beyond timeout_seconds."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def trickle() -> None:
            connection, _ = server.accept()
            with connection:
                while True:
                    time.sleep(0.1)
                    connection.sendall(b"X")

        def tolerant() -> None:
            try:
                trickle()
            except OSError:
                return

        threading.Thread(target=tolerant, daemon=True).start()
        publisher = hook(f"http://127.0.0.1:{server.getsockname()[1]}/", timeout_seconds=0.5, retry_seconds=0)
        begun = time.monotonic()
        publisher.publish(reading(1, event="enter"))
        assert time.monotonic() - begun < 5
    assert publisher.lost == 1


@pytest.mark.parametrize("answers", [[None], [500] * 1000])
def test_the_end_does_not_wait_for_a_server_in_trouble(answers: list[Answer], serve: Callable[..., Server]) -> None:
    """Whether it hangs or fails, all publishers together take their common time; what is left is counted."""
    server = serve(*answers)
    with run_publishers({"webhook": hook(server.url, timeout_seconds=60)}, lambda: False) as out:
        for number in range(5):
            out.offer(reading(number, event="enter"))
        eventually(lambda: bool(server.asked), "the first attempt")
        begun = time.monotonic()
    assert time.monotonic() - begun < CLOSE_S + 0.5
    assert out.dropped()["webhook"] >= 1
    assert out.dropped()["webhook"] + len(server.got) == 5


def test_the_last_event_is_still_told(serve: Callable[..., Server]) -> None:
    """A server that is well hears of everything before the end."""
    server = serve()
    with run_publishers({"webhook": hook(server.url)}, lambda: False) as out:
        for number in range(5):
            out.offer(reading(number, event="enter"))
        out.tell(Notice(datetime.now(UTC), "ok", event=Event("leave", "cat", 1.0)))
    assert len(server.got) == 6
    assert out.dropped() == {"webhook": 0}


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_on_the_same_host_is_followed(
    status: int, serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the same body, the same method and the token."""
    monkeypatch.setenv("LABELCAM_WEBHOOK_TOKEN", "s3cret")
    server = serve((status, {"Location": "/elsewhere"}))
    hook(server.url).publish(reading(1, event="enter"))
    assert [path for path, _ in server.asked] == ["/hook?key=hidden", "/elsewhere"]
    assert server.asked[1][1]["Authorization"] == "Bearer s3cret"
    assert len(server.got) == 1


@pytest.mark.parametrize(
    "where", ["http://localhost:{port}/", "http://127.0.0.1:1/", "//localhost/", "ftp://127.0.0.1/"]
)
def test_no_other_host_gets_anything(
    where: str, serve: Callable[..., Server], caplog: pytest.LogCaptureFixture
) -> None:
    """Neither the token nor what the camera saw goes anywhere that the settings do not name."""
    other = serve()
    server = serve((307, {"Location": where.format(port=other.server_port)}))
    publisher = hook(server.url)
    publisher.publish(reading(1, event="enter"))
    assert (other.asked, publisher.lost) == ([], 1)
    assert "where nothing is sent" in caplog.text


def test_redirects_have_an_end(serve: Callable[..., Server]) -> None:
    """A circle is a refusal."""
    server = serve(*[(302, {"Location": "/again"})] * 100)
    publisher = hook(server.url)
    publisher.publish(reading(1, event="enter"))
    assert (len(server.asked), publisher.lost) == (4, 1)


@pytest.mark.parametrize("trusted", [True, False])
def test_certificates_are_verified(
    trusted: bool,
    serve: Callable[..., Server],
    certificate: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A server that nobody vouches for gets nothing, until the clock or the authority is put right."""
    server = serve()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    publisher = hook(server.url.replace("http:", "https:"), retry_seconds=0)
    publisher.publish(reading(1, event="enter"))
    assert len(server.got) == trusted
    assert publisher.lost == (not trusted)
    assert ("its certificate is not good" in caplog.text) is not trusted


@pytest.mark.parametrize("url", ["http://h:99999/", "http://h:x/", "http://h:0/", "https://:443/"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    """Whatever would fail at the first event is said at start."""
    with pytest.raises(SettingsError, match="url = "):
        WebhookSettings(url=url)
