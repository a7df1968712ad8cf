# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""A window for tests: the real publisher on a free port, told what a camera would have seen, and asked by real HTTP."""

import http.client
import json
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, NamedTuple

import numpy as np

from examples import card, summary
from labelcam.account import BOUNDS_MS, Buckets, Minute, Percentiles
from labelcam.images import Pixels
from labelcam.pictures import Pictures
from labelcam.publish import Publishers, run_publishers
from labelcam.publish.http import Window
from labelcam.records import NO_VITALS, Decision, Event, Label, Notice, Reading, Stage, Vitals
from labelcam.settings import HttpSettings, LabelsSettings

TOKEN = "0123456789abcdef0123456789abcdef"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
PATIENCE_S = 20

STAGES = dict(zip(Stage, (9.5, 0.8, 17.2, 0.1), strict=True))
SPREAD = Percentiles(10.0, 13.0, 17.0, 24.0)
CARD = card(
    "person",
    "no person",
    name="person",
    sha256="26b3f9e07868157ebe3fb201d05357a480df7439ea81636fafa27430b169ebe9",
    width=96,
    height=96,
    scheme="full-integer int8, per-channel weights, uint8 input and output",
    architecture="mobilenet_v1",
    fidelity={"top1_agreement": {"value": 0.947}, "images": 736, "held_out": True, "layers": ["many"]},
    licence="Zlib",
)
SUMMARY = summary(
    frames=1000,
    dropped=3,
    seconds=100.0,
    fps=9.99,
    model="person",
    delegated_ops=(28, 32),
    stages_ms=dict.fromkeys(Stage, SPREAD),
    age_ms=SPREAD,
    rss_mb=98.4,
    labels={"person": 1000},
    publishers={"mqtt": 2},
    dropped_reasons={"stale": 2, "bad": 1},
    vitals=Vitals(4.31, 58.2, False, 2400.0),
    last_minute=Minute(600, 60.0, 1, dict.fromkeys(Stage, SPREAD), SPREAD),
    buckets={name: Buckets((10,) * len(BOUNDS_MS), 12, 400.0) for name in (*Stage, "age")},
)


class Answer(NamedTuple):
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class OpenWindow:
    """The window, and both sides of it."""

    def __init__(self, window: Window, out: Publishers, pictures: Pictures | None) -> None:
        self.window, self.out, self.pictures = window, out, pictures
        self.seq = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.window.port}"

    def see(
        self,
        label: str = "person",
        event: Event | None = None,
        pixels: Pixels | None = None,
        state: str | None = None,
        vitals: Vitals = NO_VITALS,
    ) -> Reading:
        """Classify one frame."""
        decision = Decision((Label(label, 0.93), Label("no person", 0.07)), label if state is None else state, event)
        reading = Reading(self.seq, datetime.now(UTC), None, decision, 28.0, STAGES, 0, vitals)
        self.seq += 1
        if self.pictures is not None:
            self.pictures.show(reading, noise(self.seq) if pixels is None else pixels)
        self.out.offer(reading)
        return reading

    def lose(self, reason: str, event: Event | None = None) -> None:
        self.out.tell(Notice(datetime.now(UTC), "lost", reason, event))

    def account(self, **changes: Any) -> None:
        self.out.tell(replace(SUMMARY, **changes))

    def get(self, path: str, **headers: str) -> Answer:
        return self.ask("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})

    def ask(self, method: str, path: str, body: str = "", headers: Mapping[str, str] | None = None) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.window.port, timeout=PATIENCE_S)
        try:
            connection.request(method, path, body or None, dict(headers or {}))
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.window.port), timeout=PATIENCE_S)

    def raw(self, data: bytes) -> bytes:
        """Send these very bytes, and return all that comes back until the other end closes."""
        with self.connect() as peer:
            return exchange(peer, data)


def exchange(peer: socket.socket, data: bytes) -> bytes:
    found = b""
    try:
        peer.sendall(data)
        while more := peer.recv(65_536):
            found += more
    except ConnectionError:  # broken off: as good an end as any
        pass
    return found


def noise(seed: int) -> Pixels:
    return np.random.default_rng(seed).integers(0, 256, (48, 64, 3), np.uint8)


def until(true: Callable[[], Any], seconds: float = PATIENCE_S) -> Any:
    """Wait until it is, and return what it then says."""
    deadline = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.02)
    return found


@contextmanager
def open_window(
    *, private: bool = False, names: Mapping[str, str] | None = None, lately_s: float = 30.0, **settings: Any
) -> Iterator[OpenWindow]:
    """Open one on a free port; `token_file` and the like are settings."""
    pictures = None if private else Pictures()
    http_settings = HttpSettings(**{"enabled": True, "port": 0, **settings})
    window = Window(http_settings, LabelsSettings(names or {}), pictures, lately_s)
    with run_publishers({"http": window}, lambda: False) as out:
        until(lambda: window.port)
        out.tell(CARD)
        yield OpenWindow(window, out, pictures)
