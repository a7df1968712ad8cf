# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Who is told what we see: the publishers that settings and terminal ask for, and what each of them is made of."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from .camera import parse_spec
from .decision import Decider
from .journal.place import folder_to_write
from .model_file import ModelFile
from .models import classifier_of
from .mounting import patience_s
from .paths import expanded
from .pictures import Pictures
from .publish import Publisher
from .publish.jsonl import JsonLines
from .publish.lines import Lines
from .publish.text import Log, Terminal
from .reservoir import Reservoir, reservoir_folder
from .settings import ReservoirSettings, Settings
from .shadow import Shadow


@dataclass(frozen=True, slots=True)
class Outlet:
    """A publisher that is to run."""

    name: str
    made_of: tuple[object, ...]
    """What it depends on: as long as that stays equal, a running one goes on through a change of settings."""

    make: Callable[[], Publisher]
    """Makes it, without touching the network. Raises SettingsError if it cannot be used as the settings want it."""


def outlets(settings: Settings, pictures: Pictures, stdout: Lines, *, as_json: bool) -> Iterator[Outlet]:
    """Yield every publisher that the settings and the place where stdout goes ask for.

    In private mode no publisher that leaves the process is given pictures.
    """
    yield from _on_this_terminal(stdout, as_json=as_json)
    yield from _jsonl(settings)
    yield from _on_the_network(settings, None if settings.camera.private else pictures)
    yield from _kept(settings, pictures)
    if settings.model.shadow:
        yield Outlet("shadow", _shadow_of(settings), lambda: _shadow(settings, pictures))


def _on_this_terminal(stdout: Lines, *, as_json: bool) -> Iterator[Outlet]:
    if as_json:
        yield Outlet("stdout", (), lambda: JsonLines(stdout))
    elif sys.stdout.isatty() or sys.stderr.isatty():  # a person is there, perhaps behind `| tee`
        yield Outlet("terminal", (), lambda: Terminal(stdout))
        return
    if not sys.stdout.isatty():
        yield Outlet("log", (), Log)


def _jsonl(settings: Settings) -> Iterator[Outlet]:
    if settings.jsonl.path:
        yield Outlet("jsonl-file", (settings.jsonl,), lambda: _jsonl_file(settings))
    if settings.jsonl.socket:
        yield Outlet("jsonl-socket", (settings.jsonl,), lambda: _jsonl_socket(settings))


def _on_the_network(settings: Settings, shown: Pictures | None) -> Iterator[Outlet]:
    private, names = shown is None, settings.labels
    if settings.mqtt.host:
        told = (settings.mqtt, settings.home_assistant, names, private)
        yield Outlet("mqtt", told, lambda: _mqtt(settings, shown))
    if settings.webhook.url:
        yield Outlet("webhook", (settings.webhook, settings.mqtt.node_name), lambda: _webhook(settings))
    if settings.http.enabled:
        made_of = (settings.http, names, private, lately_s(settings), settings.mqtt.node_name)
        yield Outlet("http", made_of, lambda: _http(settings, shown))


def check_against(settings: Settings, labels: tuple[str, ...]) -> None:
    """Refuse what no publisher can do with the labels of this model. Raises SettingsError."""
    if settings.home_assistant.enabled:
        from .publish.home_assistant import check_labels

        check_labels(settings.home_assistant, labels)


def _kept(settings: Settings, pictures: Pictures) -> Iterator[Outlet]:
    """What stays on this machine's disk."""
    if settings.journal.enabled and (folder := folder_to_write(settings.journal.folder)):
        yield Outlet("journal", (settings.journal,), lambda: _journal(settings, folder))
    if settings.reservoir.enabled:
        yield Outlet("reservoir", (settings.reservoir,), lambda: _reservoir(settings.reservoir, pictures))


def _reservoir(settings: ReservoirSettings, pictures: Pictures) -> Publisher:
    return Reservoir(settings, reservoir_folder(settings), pictures)


def _shadow_of(settings: Settings) -> tuple[object, ...]:
    """What a shadow depends on: the content of its file, too."""
    path = expanded(settings.model.shadow)
    try:
        stat = path.stat()
    except OSError:
        return (path,)  # making it says what is wrong
    how = (settings.model.shadow_seconds, settings.model.fit, settings.runtime, settings.decision)
    return (path, stat.st_ino, stat.st_mtime_ns, stat.st_size, how)


def _shadow(settings: Settings, pictures: Pictures) -> Publisher:
    classifier = classifier_of(settings, ModelFile.load(expanded(settings.model.shadow)), live=False)
    decider = Decider(settings.decision, classifier.labels, classifier.constants)
    return Shadow(classifier, decider, pictures, settings.model.shadow_seconds)


# Each publisher's library is loaded only where it is wanted: paho alone costs 40 ms of start-up, aiohttp 13 MB.


def _jsonl_file(settings: Settings) -> Publisher:
    from .publish.jsonl_file import JsonFile

    return JsonFile(settings.jsonl)


def _jsonl_socket(settings: Settings) -> Publisher:
    from .publish.jsonl_socket import JsonSocket

    return JsonSocket(settings.jsonl)


def _mqtt(settings: Settings, pictures: Pictures | None) -> Publisher:
    from .publish.mqtt import Mqtt

    return Mqtt(settings.mqtt, settings.home_assistant, settings.labels.names, pictures)


def _webhook(settings: Settings) -> Publisher:
    from .publish.webhook import Webhook

    return Webhook(settings.webhook, settings.mqtt.node_name)


def _http(settings: Settings, pictures: Pictures | None) -> Publisher:
    from .publish.http import Window

    return Window(settings.http, settings.labels, pictures, lately_s(settings), settings.mqtt.node_name)


def lately_s(settings: Settings) -> float:
    """Return for how long after its last frame the daemon counts as well: as long as a camera may be silent."""
    return patience_s(settings, parse_spec(settings.camera.source))


def _journal(settings: Settings, folder: Path) -> Publisher:
    from .journal.segments import Segments
    from .publish.journal import Journal

    return Journal(Segments(folder, round(settings.journal.max_mb * 1e6)))
