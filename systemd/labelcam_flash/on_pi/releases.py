# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Releases on the Pi: assembled aside, installed by hash, switched by one link, and back again."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any
from venv import EnvBuilder

from .channel import Refused, say
from .layout import CURRENT, PREVIOUS, RELEASES, VENVS
from .store import drop_unused, link, sha256_of
from .system import run, try_run

SECRET = ("labelcam.toml",)
"""Settings may name a camera with its password: only root and the service may read them."""


_NEVER_IMPORTED = "/(tests|pygments/(lexers|styles|formatters))/"
"""Two fifths of all source: a Zero 2 W has better things to do than to compile it."""


def assemble(release: dict[str, Any]) -> Path:
    """Lay out a release from what the store holds, and give it its name when it is complete. Does nothing if it is."""
    final = RELEASES / str(release["id"])
    if final.is_dir():
        return final
    new = RELEASES / (final.name + ".new")
    shutil.rmtree(new, ignore_errors=True)
    for name, described in release["files"].items():
        # What lies on an SD card is read once more: a release is what its checksums say, or it is none.
        link(described["sha256"], new / name)
        if name in SECRET:
            (new / name).chmod(0o600)
        if sha256_of(new / name) != described["sha256"]:
            raise Refused(f"{name} is damaged on the Pi's disk; the card may be failing")
    (new / "release.json").write_text(json.dumps(release, indent=1, sort_keys=True))
    for path in (new / "release.json", *(path for path in (new, *new.rglob("*")) if path.is_dir())):
        _settle(path)  # the contents themselves are on the disk since they were received
    new.rename(final)
    _settle(RELEASES)
    return final


def _settle(path: Path) -> None:
    """Wait until a file or folder is on the disk, where a power cut leaves it alone."""
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def install(folder: Path) -> None:
    """Make the virtual environment of a release, or share the one that has the very same wheels already."""
    venv = VENVS / _venv_name(folder)
    done = venv / ".complete"
    if not done.is_file():
        shutil.rmtree(venv, ignore_errors=True)
        say("installing the wheels (without any network)")
        _make_venv(venv, folder)
        run("sync", "--file-system", str(venv))  # thousands of files
        done.touch()
    target = folder / "venv"
    if not target.is_symlink():
        target.symlink_to(venv)


def _make_venv(venv: Path, folder: Path) -> None:
    # With the system's packages, for picamera2 comes from apt; without ensurepip, which Lite images may lack.
    EnvBuilder(system_site_packages=True, symlinks=True).create(venv)
    (pip,) = (folder / "wheels").glob("pip-*.whl")
    requirements, wheels = folder / "requirements.txt", folder / "wheels"
    run(
        *(str(venv / "bin/python"), "-I", str(pip / "pip"), "install", "--no-index", "--require-hashes", "--quiet"),
        # What apt has installed does not count: the release brings every version that it was tested with.
        *("--ignore-installed", "--no-cache-dir", "--disable-pip-version-check", "--no-warn-script-location"),
        *("--no-deps", "--root-user-action=ignore", "--no-compile"),
        *("--find-links", str(wheels), "--requirement", str(requirements)),
        timeout_s=1800,
    )
    # The service may write no byte code, and pip would use one core for what nobody imports. A file that cannot be
    # compiled is no matter.
    compile_all = [str(venv / "bin/python"), "-m", "compileall", "-qq", "-j", "0", "-x", _NEVER_IMPORTED]
    try_run([*compile_all, str(venv / "lib")], timeout_s=1800)


def _venv_name(folder: Path) -> str:
    whole = hashlib.sha256((folder / "requirements.txt").read_bytes())
    whole.update(sys.version.encode())
    return whole.hexdigest()[:12]


def point(name: Path, at: Path) -> None:
    """Let a link name a release, in one step: a power cut leaves the old or the new, never none."""
    new = name.with_name(name.name + ".new")
    new.unlink(missing_ok=True)
    new.symlink_to(at.relative_to(name.parent))
    new.replace(name)
    _settle(name.parent)


def current() -> Path | None:
    """Return the release that is live, or None."""
    return _resolved(CURRENT)


def previous() -> Path | None:
    """Return the release that was live before, or None."""
    return _resolved(PREVIOUS)


def _resolved(name: Path) -> Path | None:
    # Not resolve(): where /opt is a link itself, one release would have two names.
    if not name.is_symlink():
        return None
    folder = name.parent / name.readlink()
    return folder if folder.is_dir() else None


def prune() -> None:
    """Keep the live release and the one before it; forget all others and what only they used."""
    kept = {folder for folder in (current(), previous()) if folder}
    for folder in RELEASES.iterdir():
        if folder not in kept:
            shutil.rmtree(folder, ignore_errors=True)
    used = {(folder / "venv").readlink() for folder in kept if (folder / "venv").is_symlink()}
    for venv in VENVS.iterdir() if VENVS.is_dir() else ():
        if venv not in used:
            shutil.rmtree(venv, ignore_errors=True)
    drop_unused()
