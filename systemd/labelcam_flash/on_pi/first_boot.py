# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The first boot of a card that `make sdcard` wrote: what a host would ask over SSH, asked on the Pi itself.

Every request is the one that a flash makes, so that the same release comes out. Whatever is cut short is asked again
at the next boot.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import IO, Any

from .channel import Refused
from .layout import CURRENT, FIRST_BOOT_UNIT
from .system import try_run

LOG = "labelcam-install.log"
"""On the boot partition, which every computer can read."""

_SERVE = "import sys; sys.path.insert(0, sys.argv[1]); from on_pi.main import main; main()"
_APT_OPTIONS = (
    *("--yes", "--no-install-recommends", "-o", "APT::Sandbox::User=root"),
    # Without lists there is nothing but the files; --no-download would do, but apt 3.0 then fails on files.
    *("-o", "Dir::State::Lists=/run/labelcam-no-lists"),
)


def main() -> int:
    """Install what lies beside this program; return 0 once there is nothing left to do."""
    card = Card(Path(sys.argv[0]).resolve().parent)
    try:
        card.install()
    except Refused as reason:
        card.tell(f"labelcam is NOT installed: {reason}; it is tried again at the next boot, SSH works meanwhile")
        return 1
    card.clear_away()
    return 0


class Card:
    """The folder on the boot partition that holds everything."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._order: dict[str, Any] = json.loads((folder / "order.json").read_text())

    def install(self) -> None:
        """Do everything. Raises Refused."""
        release = self._order["release"]
        live = _live()
        if live and live != release["id"]:
            self.tell(f"release {live} has been flashed meanwhile and stays; that of the card is dropped")
            return
        self.tell(f"installing release {release['id']} (labelcam {release['version']}), which takes some minutes")
        self._set_clock()
        self._packages()
        with (self._folder / "payload").open("rb") as payload:
            self._ask({"do": "receive"}, payload)
        for check in self._ask({"do": "prepare", "release": release, "camera_may_be_missing": True}):
            self.tell(f"{'ok  ' if check['ok'] else 'wait'} {check['name']:9} {check['detail']}")
        said = self._ask({"do": "settle", "id": release["id"]})
        self.tell(f"labelcam is installed: {said}")

    def _set_clock(self) -> None:
        # Without a network the date is that of the system's image: never before the card was made.
        if time.time() < self._order["made"]:
            self._ask({"do": "clock", "seconds": self._order["made"]})

    def _packages(self) -> None:
        """Install the Debian packages that came along, such as picamera2, from their files alone."""
        packages = sorted(map(str, (self._folder / "debs").glob("*.deb")))
        if not packages:
            return
        self.tell(f"installing {len(packages)} Debian packages")
        surroundings = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"}
        command = ("apt-get", "install", *_APT_OPTIONS, *packages)
        done = subprocess.run(command, capture_output=True, text=True, env=surroundings, check=False)
        if done.returncode:
            said = (done.stdout + done.stderr).splitlines()
            why = next(
                (line.strip() for line in said if "Depends:" in line or line.startswith("E:")), "it said nothing"
            )
            raise Refused(f"the packages of DEBS cannot be installed ({why}); make the card again with what they need")

    def _ask(self, request: dict[str, Any], payload: IO[bytes] | None = None) -> Any:
        """Have the program do what a host would ask of it. Raises Refused with its reason."""
        command = [sys.executable, "-I", "-c", _SERVE, str(self._folder / "install.pyz")]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            assert process.stdin and process.stdout  # noqa: S101, PT018 - both are pipes
            with contextlib.suppress(BrokenPipeError):  # then it has ended early, and says why
                process.stdin.write(json.dumps(request).encode() + b"\n")
                if payload:
                    shutil.copyfileobj(payload, process.stdin)
                process.stdin.close()
            answers = [found for line in process.stdout if (found := self._heard(json.loads(line)))]
        if not answers or "refused" in answers[-1]:
            raise Refused(answers[-1]["refused"] if answers else f"{request['do']} ended early; see journalctl -b")
        return answers[-1]["result"]

    def _heard(self, said: dict[str, Any]) -> dict[str, Any] | None:
        if "say" not in said:
            return said
        self.tell(said["say"])
        return None

    def tell(self, text: str) -> None:
        """Say it on the console and in the log."""
        line = "".join(letter if letter.isprintable() else " " for letter in text)
        print(line, flush=True)
        # A boot partition that cannot be written must not keep labelcam from being installed.
        with contextlib.suppress(OSError), (self._folder.parent / LOG).open("a") as log:
            log.write(line + "\n")
            log.flush()
            os.fsync(log.fileno())

    def clear_away(self) -> None:
        """Remove what was brought along, the order first: without it nothing is done again."""
        with contextlib.suppress(OSError):
            (self._folder / "order.json").unlink()
            shutil.rmtree(self._folder)
        try_run(["systemctl", "disable", FIRST_BOOT_UNIT.name])
        FIRST_BOOT_UNIT.unlink(missing_ok=True)
        try_run(["sync"])


def _live() -> str:
    try:
        return str(json.loads((CURRENT / "release.json").read_text())["id"])
    except (OSError, ValueError, KeyError):
        return ""
