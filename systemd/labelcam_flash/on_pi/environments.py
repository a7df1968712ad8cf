# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Virtual environments on the Pi: one for every set of wheels, shared by the releases that have the same."""

from __future__ import annotations

import hashlib
import shutil
import sys
from pathlib import Path
from venv import EnvBuilder

from .channel import say
from .files import replace, sha256_of
from .layout import VENVS
from .system import run, try_run

COMPLETE = ".complete"
"""The file that comes last, and names the requirements that were installed by their checksum."""

_NEVER_IMPORTED = "/(tests|pygments/(lexers|styles|formatters))/"
"""Two fifths of all source: a Zero 2 W has better things to do than to compile it."""


def install(folder: Path) -> None:
    """Make the virtual environment of a release, or share the one that has the very same wheels already."""
    requirements = sha256_of(folder / "requirements.txt")
    venv = VENVS / _name(requirements)
    if not (venv / COMPLETE).is_file():
        shutil.rmtree(venv, ignore_errors=True)
        say("installing the wheels (without any network)")
        _make_venv(venv, folder)
        run("sync", "--file-system", str(venv))  # thousands of files
        replace(venv / COMPLETE, requirements.encode())
    target = folder / "venv"
    if not target.is_symlink():
        target.symlink_to(venv)


def finished() -> list[str]:
    """Return the requirements, by checksum, that are installed for this very Python."""
    found = ((done.parent.name, done.read_text()) for done in VENVS.glob(f"*/{COMPLETE}"))
    return sorted(requirements for name, requirements in found if name == _name(requirements))


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


def _name(requirements: str) -> str:
    return hashlib.sha256((requirements + sys.version).encode()).hexdigest()[:12]
