# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Settings that were edited in place are what runs: they become a release of their own, to which one can go back."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from . import settings, store
from .channel import say
from .environments import install
from .layout import CURRENT
from .links import current, point
from .releases import assemble


def set_apart(wanted: str) -> None:
    """Where the release that is live is wanted as it was: let its edited settings live on under a name of their own.

    Nothing is restarted by it; what was edited stays what runs until the switch.
    """
    live = current()
    if live is None or live.name != wanted or not settings.edited(live) or not (live / settings.NAME).is_file():
        return
    told = settings.described(live)
    assert told  # noqa: S101 - or it would not count as edited
    own = assemble(_with(told, (live / settings.NAME).read_bytes()))
    settings.let_service_read(own)
    install(own)
    point(CURRENT, own)
    say(f"the settings that were edited on the Pi are kept as release {own.name}")


def _with(told: dict[str, Any], content: bytes) -> dict[str, Any]:
    """Return the release with other settings, named as the host would name it."""
    held = {"sha256": store.put(content), "bytes": len(content)}
    named = {**told, "files": {**told["files"], settings.NAME: held}}
    del named["id"]
    return {**named, "id": hashlib.sha256(json.dumps(named, sort_keys=True).encode()).hexdigest()[:12]}
