# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""What programs get from the window, by real HTTP."""

import json
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
from prometheus_client.parser import text_string_to_metric_families

from labelcam.account import ShadowAccount
from labelcam.energy import Energy
from labelcam.errors import SettingsError
from labelcam.publish.http import Window
from labelcam.records import NO_VITALS, Event
from labelcam.settings import HttpSettings, LabelsSettings
from open_window import BEARER, TOKEN, OpenWindow, open_window, until
from said import wait_for

ODD = '<img src=x onerror=alert(1)> "quoted" \\ \n\u2028 \U0001f426 </script>'


@pytest.fixture
def window() -> Iterator[OpenWindow]:
    with open_window() as opened:
        yield opened


@pytest.fixture
def token_file(tmp_path: Path) -> str:
    path = tmp_path / "token"
    path.write_text(TOKEN + " \r\n")
    path.chmod(0o600)
    return str(path)


def picture_of(jpeg: bytes) -> Any:
    return cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)


def test_health_is_a_frame_classified_lately_and_nothing_else() -> None:
    """Before the first frame and some time after the last it is 503; in between 200, whatever else goes on."""
    with open_window(lately_s=0.5) as window:
        assert window.get("/healthz").status == 503
        window.see()
        assert window.get("/healthz").body == b"ok\n"
        window.account()
        until(lambda: window.get("/healthz").status == 503)
        assert window.get("/healthz").body == b"no frame lately\n"


def test_the_state_is_one_document(window: OpenWindow) -> None:
    """/api/v1/state has the newest reading, the camera, events, model and account; before the first frame, nothings."""
    first = window.get("/api/v1/state").json
    assert (first["camera"], first["reading"], first["events"], first["account"]) == ("waiting", None, [], None)
    window.see(ODD, Event("enter", ODD, 0.0))
    window.account()
    found = until(lambda: (state := window.get("/api/v1/state").json)["account"] and state)
    assert (found["schema"], found["camera"], found["classified_lately"], found["private"]) == (1, "ok", True, False)
    assert found["reading"]["label"] == found["reading"]["state"] == ODD
    (event,) = found["events"]
    assert (event["type"], event["label"], event["duration_s"]) == ("enter", ODD, 0.0)
    assert found["model"]["sha256"].startswith("26b3f9e0")
    assert found["model"]["fidelity"] == {"top1_agreement": {"value": 0.947}, "images": 736, "held_out": True}
    assert found["account"]["last_minute"]["fps"] == 10.0


def test_the_state_holds_the_very_newest_reading_though_nobody_watches(window: OpenWindow) -> None:
    """Between two wakings of its thread, the window still knows what the last frame showed."""
    for _ in range(20):
        newest = window.see()
    assert window.get("/api/v1/state").json["reading"]["seq"] == newest.seq


def test_a_lost_camera_is_told_until_the_next_frame(window: OpenWindow) -> None:
    """With the reason, the leave of what was there, and health that ends by itself."""
    window.see("person", Event("enter", "person", 0.0))
    window.lose("/dev/video0: no such camera; plug it in", Event("leave", "person", 12.0))
    found = until(lambda: (state := window.get("/api/v1/state").json)["camera"] == "lost" and state)
    assert found["reason"].startswith("/dev/video0")
    assert [event["type"] for event in found["events"]] == ["enter", "leave"]
    window.see()
    until(lambda: window.get("/api/v1/state").json["camera"] == "ok")


def test_a_snapshot_is_the_newest_picture_in_full(window: OpenWindow) -> None:
    """All pixels of it, and none while there is none."""
    assert window.get("/snapshot.jpg").status == 503
    red = np.full((480, 640, 3), (200, 30, 20), np.uint8)
    window.see(pixels=red)
    answer = window.get("/snapshot.jpg")
    assert (answer.status, answer.headers["Content-Type"]) == (200, "image/jpeg")
    picture = picture_of(answer.body)
    assert picture.shape == (480, 640, 3)
    assert np.abs(picture[:, :, ::-1].mean(axis=(0, 1)) - (200, 30, 20)).max() < 5


def test_an_old_picture_is_no_snapshot() -> None:
    """Whoever asks wants to see what is there now."""
    with open_window(lately_s=0.3) as window:
        window.see()
        until(lambda: window.get("/snapshot.jpg").status == 503)


def test_an_event_keeps_the_picture_of_its_moment(window: OpenWindow) -> None:
    """Small, and still the same when the camera shows something else; an unknown one is 404."""
    blue = np.full((480, 640, 3), (20, 30, 200), np.uint8)
    window.see("person", Event("enter", "person", 0.0), pixels=blue)
    (event,) = until(lambda: window.get("/api/v1/state").json["events"])
    for _ in range(20):
        window.see()
    picture = picture_of(window.get(event["thumbnail"]).body)
    assert picture.shape == (180, 240, 3)
    assert np.abs(picture[:, :, ::-1].mean(axis=(0, 1)) - (20, 30, 200)).max() < 5
    assert window.get("/api/v1/events/another.jpg").status == 404


def test_only_the_last_events_are_remembered(window: OpenWindow) -> None:
    """An endless row of events takes no more memory than two dozen."""
    for count in range(60):
        window.see(str(count), Event("enter", str(count), 0.0))
    until(lambda: [e["label"] for e in window.get("/api/v1/state").json["events"]] == [str(n) for n in range(36, 60)])


def read_until(peer: socket.socket, words: bytes, found: bytes = b"") -> bytes:
    while words not in found:
        more = peer.recv(65_536)
        assert more, found
        found += more
    return found


def pictures_in(peer: socket.socket) -> Iterator[Any]:
    found = b""
    while True:
        found = read_until(peer, b"\r\n--labelcam-frame\r\n", found)
        part, _, found = found.partition(b"\r\n--labelcam-frame\r\n")
        if b"\xff\xd8" in part:
            yield picture_of(part[part.index(b"\xff\xd8") :])


def test_the_live_stream_is_a_row_of_jpegs(window: OpenWindow) -> None:
    """The newest at once, then every new one; the last is sent once more, because browsers show one with the next."""
    with closing(window.connect()) as peer:
        window.see(pixels=np.full((48, 64, 3), 60, np.uint8))
        peer.sendall(b"GET /stream.mjpg HTTP/1.0\r\nHost: localhost\r\n\r\n")
        assert b"multipart/x-mixed-replace; boundary=labelcam-frame" in read_until(peer, b"\r\n\r\n")
        shown = (picture.mean() for picture in pictures_in(peer))
        for brightness in (60, 120, 180):
            window.see(pixels=np.full((48, 64, 3), brightness, np.uint8))
            until(lambda brightness=brightness: abs(next(shown) - brightness) < 3)
        assert abs(next(shown) - 180) < 3
        peer.settimeout(0.6)
        with pytest.raises(TimeoutError):
            next(shown)


def server_sent(peer: socket.socket, wanted: str) -> Iterator[Any]:
    """Documents of one kind, as they come."""
    found = read_until(peer, b"\r\n\r\n").partition(b"\r\n\r\n")[2]
    while True:
        found = read_until(peer, b"\n\n", found)
        message, _, found = found.partition(b"\n\n")
        lines = dict(line.split(": ", 1) for line in message.decode().split("\n") if ": " in line)
        if lines.get("event") == wanted:
            yield json.loads(lines["data"])


def listen(window: OpenWindow) -> socket.socket:
    peer = window.connect()
    peer.sendall(b"GET /api/v1/events HTTP/1.0\r\nHost: localhost\r\n\r\n")
    return peer


def test_news_begin_with_what_there_is_and_go_on_with_what_changes(window: OpenWindow) -> None:
    """Who comes late is told everything, and every reading from then on as long as it can follow."""
    window.see(ODD, Event("enter", ODD, 0.0))
    until(lambda: window.get("/api/v1/state").json["events"])
    with closing(listen(window)) as peer:
        hello = next(server_sent(peer, "hello"))
        assert hello["samples"][0][1]["invoke"] == 17.2
    with closing(listen(window)) as peer:
        told = server_sent(peer, "reading")
        assert next(told)["label"] == ODD
        newest = window.see("coffee", Event("enter", "coffee", 0.0))
        assert next(told)["seq"] == newest.seq
    with closing(listen(window)) as peer:
        assert [event["label"] for event in next(server_sent(peer, "events"))] == [ODD, "coffee"]


def metrics_of(window: OpenWindow, **headers: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    text = window.get("/metrics", **headers).body.decode()
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    return {(sample.name, tuple(sorted(sample.labels.items()))): sample.value for sample in samples}


def test_prometheus_is_told_the_account_in_base_units(window: OpenWindow) -> None:
    """Every metric that is documented, from the last account: seconds, bytes, joules, watts, hertz."""
    assert metrics_of(window)["labelcam_camera_up", ()] == 0
    window.see()
    energy = Energy("pmic", 432.5, 1.0, 100.0, 1000, 10.0, 0, 0.0)
    window.account(energy=energy, shadow=ShadowAccount("other", 50, 7), fallbacks=2, model=ODD)
    until(lambda: ("labelcam_frames_total", ()) in metrics_of(window))
    found = metrics_of(window)
    build = {"delegate": "xnnpack", "model": ODD, "runtime": "ai-edge-litert 2.3.0", "version": "0.1.0"}
    assert found["labelcam_build_info", tuple(sorted(build.items()))] == 1
    alone = {
        "frames_total": 1000,
        "power_watts": 4.31,
        "energy_joules_total": 432.5,
        "temperature_celsius": 58.2,
        "throttled": 0,
        "clock_hertz": 2.4e9,
        "delegated_ops": 28,
        "ops": 32,
        "resident_memory_bytes": 98.4e6,
        "shadow_frames_total": 50,
        "shadow_disagreements_total": 7,
        "fallbacks_total": 2,
        "camera_up": 1,
        "age_seconds_count": 12,
        "age_seconds_sum": 0.4,
    }
    assert {name: found[f"labelcam_{name}", ()] for name in alone} == pytest.approx(alone)
    assert found["labelcam_dropped_total", (("reason", "stale"),)] == 2
    assert found["labelcam_publisher_dropped_total", (("publisher", "mqtt"),)] == 2
    assert found["labelcam_stage_seconds_bucket", (("le", "0.0025"), ("stage", "invoke"))] == 10
    assert found["labelcam_stage_seconds_bucket", (("le", "+Inf"), ("stage", "invoke"))] == 12


def test_what_the_board_cannot_tell_is_left_out(window: OpenWindow) -> None:
    """No meter is no 0 W."""
    window.account(vitals=NO_VITALS)
    until(lambda: ("labelcam_frames_total", ()) in metrics_of(window))
    assert not [name for name, _ in metrics_of(window) if "watts" in name or "celsius" in name or "throttled" in name]


def test_prometheus_may_ask_for_openmetrics(window: OpenWindow) -> None:
    """The newer format is given to whoever prefers it."""
    answer = window.get("/metrics", Accept="application/openmetrics-text; version=1.0.0")
    assert answer.headers["Content-Type"].startswith("application/openmetrics-text")
    assert answer.body.endswith(b"# EOF\n")


def test_in_private_mode_no_path_leads_to_a_picture() -> None:
    """No stream, no snapshot, no thumbnail; what is seen is told in words."""
    with open_window(private=True) as window:
        window.see("person", Event("enter", "person", 0.0))
        (event,) = until(lambda: window.get("/api/v1/state").json["events"])
        assert event["thumbnail"] is None
        for path in ("/stream.mjpg", "/snapshot.jpg", f"/api/v1/events/{event['id']}.jpg"):
            assert window.get(path).status == 404, path
        assert window.get("/api/v1/state").json["private"] is True


def test_a_picture_is_encoded_once_for_all_and_only_if_somebody_watches(
    window: OpenWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody: no JPEG is made. Five viewers: one a frame."""
    made: list[int] = []
    encode = cv2.imencode
    monkeypatch.setattr(cv2, "imencode", lambda *given: made.append(1) or encode(*given))
    for _ in range(30):
        window.see()
    until(lambda: window.get("/api/v1/state").json["camera"] == "ok")
    assert made == []
    viewers = [window.connect() for _ in range(5)]
    for viewer in viewers:
        viewer.sendall(b"GET /stream.mjpg HTTP/1.0\r\nHost: localhost\r\n\r\n")
        read_until(viewer, b"\xff\xd9\r\n--labelcam-frame\r\n")
    assert len(made) == 1  # whatever is sent twice
    time.sleep(1.1)  # the window looks once a second while nobody watches, and these have just come
    window.see()
    until(lambda: len(made) > 1)
    for viewer in viewers:
        read_until(viewer, b"\xff\xd9\r\n--labelcam-frame\r\n")
        viewer.close()
    assert len(made) == 2


def test_a_reading_that_nobody_wants_wakes_nobody() -> None:
    """Off the beat of one a second, without an event and a viewer, it is not even queued."""
    now = [100.0]
    window = Window(HttpSettings(), LabelsSettings(), None, clock=lambda: now[0])
    with open_window() as other:  # a source of readings
        reading, entering = other.see(), other.see("person", Event("enter", "person", 0.0))
    assert window.wants(reading)
    now[0] += 0.5
    assert not window.wants(reading)
    assert window.wants(entering)
    now[0] += 1.0
    assert window.wants(reading)


def test_the_end_takes_less_than_a_second_whoever_watches(window: OpenWindow) -> None:
    """Streams that nobody reads, half a request, idle connections: none of them holds up the end."""
    window.see()
    peers = [window.connect() for _ in range(6)]
    for peer, path in zip(peers, ("stream.mjpg", "stream.mjpg", "api/v1/events", "api/v1/events"), strict=False):
        peer.sendall(f"GET /{path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    peers[4].sendall(b"GET / HT")
    until(lambda: window.window._feed.viewers == 4)
    begun = time.monotonic()
    window.window.close()
    assert time.monotonic() - begun < 1
    for peer in peers:
        peer.close()


def test_others_than_this_machine_need_a_token() -> None:
    """Without one, any address but loopback is refused at start, with the remedy; so is a token that can be guessed."""
    for host in ("0.0.0.0", "192.168.1.5", "::", "pi.example"):
        with pytest.raises(SettingsError, match=r"there is no token; set http.token_file or LABELCAM_HTTP_TOKEN"):
            Window(HttpSettings(host=host), LabelsSettings(), None)
    for host in ("127.0.0.1", "127.0.0.2", "::1", "localhost"):
        Window(HttpSettings(host=host), LabelsSettings(), None)


def test_a_short_token_is_refused(tmp_path: Path) -> None:
    """What could be guessed is no token."""
    path = tmp_path / "token"
    path.write_text("secret")
    path.chmod(0o600)
    with pytest.raises(SettingsError, match=r"6 characters .* openssl rand -hex 16"):
        Window(HttpSettings(token_file=str(path)), LabelsSettings(), None)


def test_a_taken_port_is_said_once_and_tried_again(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The daemon goes on meanwhile; when the port is free, the window opens by itself."""
    monkeypatch.setattr("labelcam.publish.http.server.RETRY_S", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        window = Window(HttpSettings(port=port), LabelsSettings(), None)
        window.open()
        until(lambda: "window-closed" in caplog.text)
        time.sleep(0.2)
    try:
        until(lambda: window.port == port)
        assert caplog.text.count("window-closed") == 1
    finally:
        window.close()


Start = Callable[..., "subprocess.Popen[str]"]


def test_the_daemon_itself_serves_it(
    start: Start, colours: Path, tmp_path: Path, token_file: str, labelcam: Callable[..., SimpleNamespace]
) -> None:
    """`run` with [http] answers as documented, to the token only, logs no request, and ends at once on SIGTERM."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    settings = tmp_path / "labelcam.toml"
    settings.write_text(f'[http]\nenabled = true\nport = {port}\ntoken_file = "{token_file}"\n')
    checked = labelcam("check", "--settings", settings, "--model", colours, "--camera", "synthetic:64x48")
    assert re.search(rf"^ok +http +127.0.0.1:{port} can be listened on$", checked.stdout, re.MULTILINE)
    log = tmp_path / "log"
    with log.open("w") as stderr:
        process = start(
            *("run", "--settings", settings, "--model", colours, "--camera", "synthetic:64x48@20"),
            stdout=subprocess.DEVNULL,
            stderr=stderr,
        )
        wait_for("window-open", log)
        window = OpenWindow(SimpleNamespace(port=port), None, None)  # type: ignore[arg-type]
        until(lambda: window.get("/healthz").status == 200)
        assert window.get("/api/v1/state").status == 401
        assert metrics_of(window, **BEARER)["labelcam_camera_up", ()] == 1
        found = until(lambda: (state := window.get("/api/v1/state", **BEARER).json)["account"] and state)
        assert found["model"]["name"] == "colours"
        assert found["account"]["last_minute"]["frames"] > 0
        assert picture_of(window.get("/snapshot.jpg", **BEARER).body).shape == (48, 64, 3)
        busy = labelcam("check", "--settings", settings, "--model", colours, "--camera", "synthetic:64x48")
        assert "cannot be listened on" in busy.stdout
        with closing(window.connect()) as viewer:
            viewer.sendall(
                f"GET /stream.mjpg HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\n\r\n".encode()
            )
            assert viewer.recv(4096)
            begun = time.monotonic()
            process.send_signal(signal.SIGTERM)
            assert process.wait(10) == 0
            assert time.monotonic() - begun < 5
    assert "GET" not in log.read_text()


def test_the_daemon_in_private_mode_shows_no_picture(start: Start, colours: Path, tmp_path: Path) -> None:
    """camera.private closes every path to a picture in the real daemon, too."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    settings, log = tmp_path / "labelcam.toml", tmp_path / "log"
    settings.write_text(f"[camera]\nprivate = true\n[http]\nenabled = true\nport = {port}\n")
    with log.open("w") as stderr:
        start(
            *("run", "--settings", settings, "--model", colours, "--camera", "synthetic:64x48@20"),
            stdout=subprocess.DEVNULL,
            stderr=stderr,
        )
        wait_for("window-open", log)
        window = OpenWindow(SimpleNamespace(port=port), None, None)  # type: ignore[arg-type]
        until(lambda: window.get("/healthz").status == 200)
        assert window.get("/api/v1/state").json["private"] is True
        assert (window.get("/snapshot.jpg").status, window.get("/stream.mjpg").status) == (404, 404)


def test_a_daemon_without_it_loads_none_of_it(labelcam: Callable[..., SimpleNamespace], colours: Path) -> None:
    """Aiohttp takes 13 MB, and nobody pays for it who has not turned the page on."""
    program = (
        "import sys; from labelcam.cli import main; "
        f"main(['run', '--model', {str(colours)!r}, '--camera', 'synthetic:64x48', '--frames', '3']); "
        "print([name for name in sys.modules if name.split('.')[0] in ('aiohttp', 'prometheus_client')])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.splitlines()[-1] == "[]"
