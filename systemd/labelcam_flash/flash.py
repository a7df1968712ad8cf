# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""From a model file and settings to a Pi that says what it sees: every step refuses before the next one harms."""

import datetime as dt
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from labelcam.settings import default_text

from .copying import copy, missing_on
from .errors import RolledBack
from .facts import Facts, Held
from .payload import DEFAULT_MODEL, checked_model
from .pi import Pi, printable
from .release import Release, make_release
from .target import check_room, target_of
from .wheelhouse import wheelhouse

WATCH_S = 15.0
"""How long a new release must stay up before it is kept: longer than the ten seconds between two signs of life."""

CLOCK_S = 3600.0
"""A clock that is further off than this is set from the host's, where no network keeps it right."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to run; None keeps what the Pi has."""

    model: Path | None
    settings: str | None
    cache: Path
    dry_run: bool = False
    bar: bool = True
    """Draw how far the copy is: for one Pi at a time."""


def flash(pi: Pi, wanted: Wanted) -> str:
    """Bring a Pi to what is wanted, and return in one line what became of it.

    Raises FlashFailed if nothing was changed, RolledBack if the release did not hold.
    """
    facts = Facts.of(pi.ask("facts"))
    target = target_of(pi.host, facts)
    pi.tell(f"{facts.model or facts.machine}, {facts.os}; {_cameras(facts)}")
    release = make_release(target, wheelhouse(target, wanted.cache), _model(wanted, facts), _settings(wanted, facts))
    if facts.release and facts.release.id == release.id and facts.service == "active":
        return f"{release.id} runs already, nothing was changed; {facts.status}"
    missing = missing_on(pi, release)
    size = sum(part.left for part in missing)
    check_room(pi.host, facts, size, to_unpack=not _has_wheels(facts, release))
    pi.tell(f"release {release.id} for {target.name}: {len(missing)} files to copy, {size / 1e6:.1f} MB")
    if wanted.dry_run:
        return f"would install {release.id}; nothing was changed"
    _set_clock(pi, facts)
    copy(pi, release, missing, bar=wanted.bar)
    for check in pi.ask("prepare", release=release.described):
        pi.tell(f"{'ok  ' if check['ok'] else 'wait'} {check['name']:9} {printable(check['detail'])}")
    status = _outcome(pi, pi.ask("switch", id=release.id, watch_s=WATCH_S))
    return f"{release.id} is live: {status}"


def _cameras(facts: Facts) -> str:
    missing = "no picamera2 (a CSI camera needs it: sudo apt install python3-picamera2)"
    return f"{len(facts.cameras)} video devices, {'picamera2 is there' if facts.picamera2 else missing}"


def _model(wanted: Wanted, facts: Facts) -> Path | Held:
    """What was given, else what the Pi has, else the smallest of the zoo."""
    if wanted.model:
        return wanted.model
    if facts.release:
        return facts.release.files["model.tflite"]
    return checked_model(DEFAULT_MODEL, wanted.cache)


def _settings(wanted: Wanted, facts: Facts) -> str:
    """What was given, else what the Pi has, else the commented defaults."""
    return wanted.settings or facts.settings or default_text()


def _has_wheels(facts: Facts, release: Release) -> bool:
    name = "requirements.txt"
    return facts.release is not None and facts.release.files[name] == release.held[name]


def _set_clock(pi: Pi, facts: Facts) -> None:
    if facts.clock_synced or abs(facts.clock - time.time()) < CLOCK_S:
        return
    wrong = dt.datetime.fromtimestamp(facts.clock, dt.UTC)
    pi.tell(f"its clock says {wrong:%Y-%m-%d} and nothing keeps it right; setting it from this computer's")
    pi.ask("clock", seconds=time.time())


def _outcome(pi: Pi, outcome: Mapping[str, Any]) -> str:
    if outcome["rolled_back"]:
        raise RolledBack(f"{pi.host}: {printable(outcome['reason'])}; rolled back, live is {outcome['now']}")
    return printable(outcome["status"])


def roll_back(pi: Pi) -> str:
    """Make the release before this one live again. Raises FlashFailed if there is none."""
    return f"the earlier release is live: {_outcome(pi, pi.ask('rollback', watch_s=WATCH_S))}"


def status(pi: Pi) -> str:
    """Say what runs there."""
    facts = Facts.of(pi.ask("facts"))
    if facts.release is None:
        return "labelcam is not installed"
    told = facts.status if facts.service == "active" else f"{facts.status or 'no label yet'}; see make logs"
    return f"{facts.release.id} (labelcam {facts.release.version}): {facts.service}, {printable(told)}"


def uninstall(pi: Pi, *, with_settings: bool) -> str:
    """Remove everything but the settings, or those as well."""
    kept = pi.ask("uninstall", with_settings=with_settings)["kept"]
    return f"removed; its settings are kept in {kept}" if kept else "removed"
