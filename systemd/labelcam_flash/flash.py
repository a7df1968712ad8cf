# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""From a model file and settings to a Pi that says what it sees: every step refuses before the next one harms."""

import datetime as dt
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from labelcam.settings import default_text

from .copying import copy, missing_on
from .errors import FlashFailed, GoingBackFailed, RolledBack
from .facts import Facts, Held
from .payload import DEFAULT_MODEL, checked_model
from .pi import Pi
from .reasons import printable
from .release import make_release
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
    if facts.release and facts.release.id == release.id and facts.service == "active" and not _unsettled(pi, facts):
        return f"{release.id} runs already, nothing was changed; {facts.status}"
    missing = missing_on(pi, release)
    size = sum(part.left for part in missing)
    check_room(pi.host, facts, size, to_unpack=release.held["requirements.txt"].sha256 not in facts.environments)
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
    install = "sudo apt update && sudo apt install -y python3-picamera2 --no-install-recommends"
    missing = f"no picamera2 (a CSI camera needs it: {install})"
    count = len(facts.cameras)
    devices = "1 video device" if count == 1 else f"{count or 'no'} video devices"
    return f"{devices}, {'picamera2 is there' if facts.picamera2 else missing}"


def _model(wanted: Wanted, facts: Facts) -> Path | Held:
    """What was given, else what the Pi has, else the smallest of the zoo."""
    if wanted.model:
        return wanted.model
    if facts.release:
        return facts.release.files["model.tflite"]
    return checked_model(DEFAULT_MODEL, wanted.cache)


def _settings(wanted: Wanted, facts: Facts) -> str:
    """What was given, else what the Pi has, else the commented defaults."""
    if wanted.settings is not None:
        return wanted.settings
    if facts.settings is None:
        return default_text()
    if any("\ud800" <= letter <= "\udfff" for letter in facts.settings):  # what decodes no other way
        raise FlashFailed("the settings on the Pi are no UTF-8 text; mend them there, or give others by SETTINGS=")
    return facts.settings


def _unsettled(pi: Pi, facts: Facts) -> bool:
    """Say why a release that runs already is to be started afresh, if it is."""
    whys = {
        "it has not proved itself yet, since an earlier flash was cut off: it is tried again": facts.trial is not None,
        "its settings were edited on the Pi: it gets its own back": facts.settings_edited,
        "its secrets have changed: it is started afresh with them": not facts.secrets_fresh,
    }
    for why in (why for why, true in whys.items() if true):
        pi.tell(why)
    return any(whys.values())


def _set_clock(pi: Pi, facts: Facts) -> None:
    if facts.clock_synced or abs(facts.clock - time.time()) < CLOCK_S:
        return
    wrong = dt.datetime.fromtimestamp(facts.clock, dt.UTC)
    pi.tell(f"its clock says {wrong:%Y-%m-%d} and nothing keeps it right; setting it from this computer's")
    pi.ask("clock", seconds=time.time())


def _outcome(pi: Pi, outcome: Mapping[str, Any]) -> str:
    if "stuck" in outcome:
        raise GoingBackFailed(
            f"{pi.host}: {printable(outcome['reason'])}; going back failed as well ({printable(outcome['stuck'])}), "
            "so that the release on trial may be the live one; see make status, then make rollback"
        )
    if outcome["rolled_back"]:
        raise RolledBack(f"{pi.host}: {printable(outcome['reason'])}; rolled back, live is {printable(outcome['now'])}")
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
    remarks = "".join(f"; {remark}" for remark in _remarks(facts))
    return f"{facts.release.id} (labelcam {facts.release.version}): {facts.service}, {printable(told)}{remarks}"


def _remarks(facts: Facts) -> Iterator[str]:
    """What somebody who looks should know besides."""
    if facts.trial is not None:
        back = f"make rollback goes back to {facts.trial}" if facts.trial else "there is none to go back to"
        yield f"on trial: a flash is at work, or was cut off; then make flash tries it again, {back}"
    if facts.settings_edited:
        yield "its settings were edited there since it was flashed; make flash takes them up"
    if not facts.secrets_fresh:
        yield "its secrets have changed since it was started; make flash hands them over"


def uninstall(pi: Pi, *, with_settings: bool) -> str:
    """Remove everything but the settings, or those as well."""
    left = pi.ask("uninstall", with_settings=with_settings)
    older = f", others that lay there in {left['older']}" if left["older"] else ""
    return f"removed; its settings are kept in {left['kept']}{older}" if left["kept"] else "removed"
