# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Whether everyone who is to be told can be told right now, and what is to be kept has a place: for `labelcam check`.

A publisher is made as it would be for a run, which finds what the settings get wrong, and then tried from outside.
"""

import os
from collections.abc import Callable, Iterator

from .errors import LabelcamError
from .keeping import folder_to_keep
from .model_file import ModelFile
from .models import classifier_of
from .paths import expanded
from .settings import Settings

Trial = Callable[[], str]
"""Tries one thing and says how it is; raises LabelcamError, with the remedy, if it will not work."""


def trials(settings: Settings) -> Iterator[tuple[str, Trial]]:
    """Yield the name and the trial of everything that the settings ask for."""
    journal, reservoir = settings.journal, settings.reservoir
    every: tuple[tuple[str, object, Trial], ...] = (
        ("shadow", settings.model.shadow, lambda: _shadow(settings)),
        ("mqtt", settings.mqtt.host, lambda: _mqtt(settings)),
        ("webhook", settings.webhook.url, lambda: _webhook(settings)),
        ("http", settings.http.enabled, lambda: _http(settings)),
        ("jsonl-file", settings.jsonl.path, lambda: _jsonl_file(settings)),
        ("jsonl-socket", settings.jsonl.socket, lambda: _jsonl_socket(settings)),
        ("journal", journal.enabled and journal.folder, lambda: _kept("journal", journal.folder)),
        ("reservoir", reservoir.enabled, lambda: _kept("reservoir", reservoir.folder)),
    )
    return ((name, trial) for name, wanted, trial in every if wanted)


def _shadow(settings: Settings) -> str:
    classifier = classifier_of(settings, ModelFile.load(expanded(settings.model.shadow)), live=False)
    return f"{classifier.model.path}: {len(classifier.labels)} labels, {classifier.size}"


def _mqtt(settings: Settings) -> str:
    from .publish.mqtt import Mqtt, reason_unreachable

    Mqtt(settings.mqtt, settings.home_assistant, settings.labels.names)  # its secrets and certificates can be read
    if why := reason_unreachable(settings.mqtt):
        raise LabelcamError(why)
    return f"{settings.mqtt.host}:{settings.mqtt.port} answers"


def _webhook(settings: Settings) -> str:
    from .publish.webhook import Webhook, reason_unreachable

    Webhook(settings.webhook, settings.mqtt.node_name)
    if why := reason_unreachable(settings.webhook):
        raise LabelcamError(f"nobody answers at {settings.webhook.url} ({why}); start it, or check webhook.url")
    return f"{settings.webhook.url} answers"


def _http(settings: Settings) -> str:
    from .publish.http import Window, reason_closed

    Window(settings.http, settings.labels, None)  # its token can be used
    where = f"{settings.http.host}:{settings.http.port}"
    if why := reason_closed(settings.http):
        raise LabelcamError(
            f"{where} cannot be listened on ({why}); stop what does (labelcam itself?), or set another http.port"
        )
    return f"{where} can be listened on"


def _jsonl_file(settings: Settings) -> str:
    from .publish.jsonl_file import JsonFile, reason_unwritable

    JsonFile(settings.jsonl)
    if why := reason_unwritable(settings.jsonl):
        remedy = "make its folder or room in it, or name another"
        raise LabelcamError(f"jsonl.path {settings.jsonl.path} cannot be written ({why}); {remedy}")
    return f"{settings.jsonl.path} can be written"


def _jsonl_socket(settings: Settings) -> str:
    from .publish.jsonl_socket import JsonSocket, reason_not_free

    JsonSocket(settings.jsonl)
    if why := reason_not_free(settings.jsonl):
        raise LabelcamError(f"jsonl.socket {settings.jsonl.socket} cannot be opened ({why}); name another")
    return f"{settings.jsonl.socket} can be opened"


def _kept(name: str, asked: str) -> str:
    folder = folder_to_keep(asked, name)
    if folder is None:
        return "kept where systemd lets the service keep things"
    there = next(path for path in (folder, *folder.parents) if path.exists())
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        raise LabelcamError(f"{name}.folder {folder}: nothing can be kept in {there}; name another, or chown it")
    return str(folder)
