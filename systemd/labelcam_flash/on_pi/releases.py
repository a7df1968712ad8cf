# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Releases on the Pi: assembled aside from what the store holds, and forgotten when neither live nor to go back to."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

from . import settings, store, trial
from .channel import Refused
from .files import settle
from .layout import RELEASES, VENVS
from .links import current, previous


def assemble(release: dict[str, Any]) -> Path:
    """Lay out a release from what the store holds, and give it its name when it is complete.

    One that is there already gets its own settings back where they were edited. Raises Refused.
    """
    final, files = RELEASES / str(release["id"]), release["files"]
    if final.is_dir():
        if settings.edited(final):
            settings.lay_down(final, _settings(files))
        return final
    new = RELEASES / (final.name + ".new")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(parents=True)
    settings.lay_down(new, _settings(files))
    for name in files.keys() - {settings.NAME}:
        (new / name).parent.mkdir(parents=True, exist_ok=True)
        os.link(store.whole(files[name]["sha256"], name), new / name)
    (new / "release.json").write_text(json.dumps(release, indent=1, sort_keys=True))
    for path in (new / "release.json", *(path for path in (new, *new.rglob("*")) if path.is_dir())):
        settle(path)  # the contents themselves are on the disk since they were received
    new.rename(final)
    settle(RELEASES)
    return final


def _settings(files: dict[str, Any]) -> bytes:
    return store.whole(files[settings.NAME]["sha256"], settings.NAME).read_bytes()


def need(folder: Path) -> None:
    """Raise Refused for a release that is not there, or not whole."""
    if not (folder / "venv").is_dir():
        raise Refused(f"release {folder.name} is no longer on the Pi: another flash has cleaned up; run it again")


def prune() -> None:
    """Keep the live release and those to go back to; forget all others and what only they used."""
    kept = {folder for folder in (current(), previous(), trial.proven()) if folder}
    for folder in RELEASES.iterdir():
        if folder not in kept:
            shutil.rmtree(folder, ignore_errors=True)
    used = {(folder / "venv").readlink() for folder in kept if (folder / "venv").is_symlink()}
    for venv in VENVS.iterdir() if VENVS.is_dir() else ():
        if venv not in used:
            shutil.rmtree(venv, ignore_errors=True)
    files = (told["files"] for folder in kept if (told := settings.described(folder)))
    store.drop_unused({held["sha256"] for named in files for held in named.values()})
