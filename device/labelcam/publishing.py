# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Who is told what we see: the publishers that settings and terminal ask for, and what each of them is made of."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from .pictures import Pictures
from .publish import Publisher
from .publish.jsonl import JsonLines
from .publish.lines import Lines
from .publish.text import Log, Terminal
from .settings import Settings


@dataclass(frozen=True, slots=True)
class Outlet:
    """A publisher that is to run."""

    name: str
    made_of: tuple[object, ...]
    """What it depends on: as long as that stays equal, a running one goes on through a change of settings."""

    make: Callable[[], Publisher]
    """Makes it, without touching the network. Raises SettingsError if it cannot be used as the settings want it."""


def outlets(settings: Settings, pictures: Pictures | None, stdout: Lines, *, as_json: bool) -> Iterator[Outlet]:
    """Yield every publisher that the settings and the place where stdout goes ask for.

    In private mode, or where `pictures` is None, no publisher is given one.
    """
    shown = None if settings.camera.private else pictures
    if as_json:
        yield Outlet("stdout", (), lambda: JsonLines(stdout))
    elif sys.stdout.isatty():
        yield Outlet("terminal", (), lambda: Terminal(stdout))
    if not sys.stdout.isatty():
        yield Outlet("log", (), Log)
    if settings.mqtt.host:
        yield Outlet("mqtt", (settings.mqtt,), lambda: _mqtt(settings))
    if settings.http.enabled:
        made_of = (settings.http, settings.labels, shown is None, lately_s(settings))
        yield Outlet("http", made_of, lambda: _http(settings, shown))


# Each publisher's library is loaded only where it is wanted: paho alone costs 40 ms of start-up, aiohttp 13 MB.


def _mqtt(settings: Settings) -> Publisher:
    from .publish.mqtt import Mqtt

    return Mqtt(settings.mqtt)


def _http(settings: Settings, pictures: Pictures | None) -> Publisher:
    from .publish.http import Window

    return Window(settings.http, settings.labels, pictures, lately_s(settings))


def lately_s(settings: Settings) -> float:
    """Return for how long after its last frame the daemon counts as well: as long as a camera may be silent."""
    return max(settings.camera.timeout_seconds, 3 / settings.limits.max_fps)
