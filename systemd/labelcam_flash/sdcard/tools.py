# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Runs the host's own tools, with the line that installs one which is not there."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from ..errors import CardFailed

PACKAGES = {"mcopy": "mtools", "mdir": "mtools", "mmd": "mtools", "debugfs": "e2fsprogs"}


def need_tools() -> None:
    """Look for every tool before anything is begun. Raises CardFailed."""
    for program in PACKAGES:
        found(program)


def found(program: str) -> str:
    """Return where a tool lies, the folders of administrators included. Raises CardFailed."""
    path = shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if path is None:
        raise CardFailed(f"there is no {program} on this computer; install it: sudo apt install {PACKAGES[program]}")
    return path


def surroundings() -> dict[str, str]:
    """Return what tools run with: no translated messages, nobody's own mtools settings."""
    # Raspberry Pi OS's boot partition is no multiple of 63 sectors, which mtools refuses by default.
    return {**os.environ, "LC_ALL": "C", "MTOOLSRC": "/dev/null", "MTOOLS_SKIP_CHECK": "1"}


def run(program: str, *arguments: str | Path, cwd: Path | None = None, given: bytes | None = None) -> bytes:
    """Return what a tool printed; `given` goes to its stdin. Raises CardFailed with its last line if it fails."""
    command: Sequence[str | Path] = [found(program), *arguments]
    done = subprocess.run(command, input=given, capture_output=True, check=False, cwd=cwd, env=surroundings())
    if done.returncode:
        raise CardFailed(f"{program}: {last_line(done.stderr)}")
    return done.stdout


def last_line(said: bytes) -> str:
    """Return the end of a tool's complaint."""
    lines = said.decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing"
