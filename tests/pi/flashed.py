# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""A virtual Pi with a release on it, and the real `make` that put it there."""

import os
import pty
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from queue import Queue
from typing import Any

from broker import Broker
from eventually import eventually
from machine import Machine

ROOT = Path(__file__).parents[2]
CACHE = ROOT / "build/flash"
"""Where `make flash` keeps wheels."""

MQTT_PORT = 1883
"""Where it looks for a broker: the default."""

PHOTOS = "/srv/photos"
PLAYED = f"photos:{PHOTOS}?fps=0.5&loop"
"""What it is flashed with for its camera."""


@dataclass(frozen=True, slots=True)
class Said:
    """What became of a command."""

    exit_code: int
    """The command's own: make itself gives 2 for any that failed."""

    out: str
    err: str


def make(target: str, ssh_config: Path, **variables: str | Path) -> Said:
    """Run a target of the Makefile for the host `pi`, its variables given by the environment."""
    done = subprocess.run(
        make_command(target), capture_output=True, text=True, timeout=1200, env=surroundings(ssh_config, **variables)
    )
    failed = re.search(rf"^make: \*\*\* .*{target}\] Error (\d+)$", done.stderr, re.MULTILINE)
    return Said(int(failed[1]) if failed else done.returncode, done.stdout, done.stderr)


def make_in_terminal(target: str, typed: str, ssh_config: Path, **variables: str | Path) -> Said:
    """The same in a terminal, where somebody types a line as soon as a password is asked for."""
    child, terminal = pty.fork()
    if child == 0:
        os.execvpe("make", make_command(target), surroundings(ssh_config, **variables))
    shown = b""
    with os.fdopen(terminal, "r+b", buffering=0) as screen, suppress(OSError):  # Linux ends a terminal with EIO
        while piece := screen.read(4096):
            shown += piece
            if b"password for" in shown and typed:
                screen.write(typed.encode() + b"\n")
                typed = ""
    return Said(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), shown.decode(), "")


def make_command(target: str) -> list[str]:
    """The command, with the virtual environment that these tests run in, as it is."""
    return [
        "make",
        "-C",
        str(ROOT),
        "--no-print-directory",
        f"--old-file={sys.prefix}/host",
        f"VENV={sys.prefix}",
        target,
    ]


def surroundings(ssh_config: Path, **variables: str | Path) -> dict[str, str]:
    """The environment that a person's shell would give to make; nothing of the make that runs us."""
    ours = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
    given = {name: str(value) for name, value in variables.items()}
    return {**ours, "PI": "pi", "SSH_CONFIG": str(ssh_config), **given}


@dataclass(frozen=True, slots=True)
class Flashed:
    """A virtual Pi with a release, and what to ask of it."""

    machine: Machine
    broker: Broker
    model: Path
    settings: Path
    first: Said
    """What the first flash said."""

    def make(self, target: str, **variables: str | Path) -> Said:
        """Run a target of the Makefile for it."""
        return make(target, self.machine.ssh_config, **variables)

    @contextmanager
    def states(self) -> Iterator["Queue[dict[str, Any]]"]:
        """Bring a broker within its reach, and give the states that it publishes there from now on."""
        with self.machine.forwarded(MQTT_PORT, self.broker.port), self.broker.heard("labelcam/pi/state") as states:
            yield states

    def flash(self, settings: str) -> Said:
        """Flash other settings."""
        path = self.machine.folder / "other settings.toml"
        path.write_text(settings)
        return self.make("flash", SETTINGS=path)

    def show(self, name: str) -> str:
        """Return a property of the service."""
        return self.machine.run("systemctl", "show", "--value", f"--property={name}", "labelcam").strip()

    def live(self) -> str:
        """Return the name of the live release."""
        return Path(self.machine.run("readlink", "/opt/labelcam/current").strip()).name

    def journal(self) -> str:
        """Return what the service, and systemd about it, have said since it was booted."""
        return self.machine.run("journalctl", "-b", "-u", "labelcam", "-o", "cat", "--no-pager")

    def comes_back(self, before: str) -> None:
        """Wait until the service runs in another process than `before`, its first label said."""
        eventually(
            lambda: self.show("ActiveState") == "active" and self.show("MainPID") not in (before, "0"), self.journal
        )
