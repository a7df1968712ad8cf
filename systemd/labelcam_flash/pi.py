# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""One Raspberry Pi over SSH: what it is asked travels on stdin, never on a command line."""

import contextlib
import io
import json
import subprocess
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import IO, Any, Protocol

from .errors import ConnectionLost, FlashFailed

_START = (
    "import os,sys;"
    "b=sys.stdin.buffer;"
    "d=os.memfd_create('on_pi');"
    "os.write(d,b.read(int(b.readline())));"
    "sys.path.insert(0,'/proc/self/fd/%d'%d);"
    "from on_pi.main import main;main()"
)
"""Takes the program from stdin into memory, for the Pi's disk may be full."""

_AS_ROOT = 'if [ "$(id -u)" = 0 ]; then exec {0}; else exec sudo -n {0}; fi'
_COMMAND = f'p="{_START}"; {_AS_ROOT.format("python3 -I -c " + chr(34) + "$p" + chr(34))}'
_FOLLOW = _AS_ROOT.format("journalctl --unit labelcam --follow --lines 50 --output short-iso")
"""The two commands that are ever run over SSH. Nothing of the user's is in them."""


class Readable(Protocol):
    """What files have in common here."""

    def read(self, size: int, /) -> bytes:
        """Return at most so many bytes; none at the end."""
        ...


Part = tuple[Mapping[str, object], Readable]
"""A header and the file that follows it."""


@dataclass(frozen=True, slots=True)
class Pi:
    """How to reach it."""

    host: str
    """As ssh takes it: user@name, or an alias of ~/.ssh/config."""

    control: Path
    """A socket of ours for the connection that every request shares."""

    port: int | None = None
    config: Path | None = None
    """An ssh_config to use in place of the user's own."""

    tell: Callable[[str], None] = field(default=print)
    """Where progress goes."""

    def ask(self, what: str, payload: Iterable[Part] = (), **request: object) -> Any:
        """Have the Pi do something and return its answer; `payload` follows the request.

        Raises FlashFailed with the Pi's reason if it refuses, ConnectionLost with ssh's if it does not answer.
        """
        with tempfile.TemporaryFile() as complaints, self._started(_COMMAND, complaints) as process:
            assert process.stdin  # noqa: S101 - both are pipes
            assert process.stdout  # noqa: S101
            with contextlib.suppress(BrokenPipeError):  # then it has ended early, and says why
                _send(process.stdin, {"do": what, **request}, payload)
            with contextlib.suppress(BrokenPipeError):
                process.stdin.close()
            answers = [found for line in process.stdout if (found := self._heard(line))]
            process.wait()
            complaints.seek(0)
            complaint = complaints.read().decode(errors="replace").strip()
        if not answers:
            raise ConnectionLost(f"{self.host}: {_why(complaint)}")
        if "refused" in answers[-1]:
            raise FlashFailed(f"{self.host}: {printable(answers[-1]['refused'])}")
        return answers[-1]["result"]

    def follow(self) -> int:
        """Show what the service says until the user has seen enough, and return ssh's exit code."""
        return subprocess.run(self._ssh(_FOLLOW), check=False).returncode

    def hang_up(self) -> None:
        """End the shared connection."""
        command = ["ssh", "-F", "/dev/null", "-O", "exit", "-o", f"ControlPath={self.control}", "--", "pi"]
        with contextlib.suppress(FileNotFoundError):
            subprocess.run(command, check=False, capture_output=True, stdin=subprocess.DEVNULL)

    def _started(self, command: str, complaints: IO[bytes]) -> "subprocess.Popen[bytes]":
        try:
            return subprocess.Popen(
                self._ssh(command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=complaints
            )
        except FileNotFoundError:
            raise FlashFailed("there is no ssh on this computer; install it: sudo apt install openssh-client") from None

    def _ssh(self, command: str) -> list[str]:
        options = {
            "ControlMaster": "auto",
            "ControlPath": str(self.control),
            "ControlPersist": "30",
            "ConnectTimeout": "15",
            "ServerAliveInterval": "5",
            "ServerAliveCountMax": "6",
        }
        ssh = ["ssh", *(f"-o{key}={value}" for key, value in options.items())]
        ssh += ["-F", str(self.config)] if self.config else []
        ssh += ["-p", str(self.port)] if self.port else []
        return [*ssh, "--", self.host, command]

    def _heard(self, line: bytes) -> dict[str, Any] | None:
        try:
            said = json.loads(line)
        except ValueError:
            return None  # a greeting of the Pi's own shell
        if not isinstance(said, dict):
            return None
        if "say" in said:
            self.tell(printable(said["say"]))
        return said if said.keys() & {"result", "refused"} else None


@contextlib.contextmanager
def reached(host: str, port: int | None, config: Path | None, tell: Callable[[str], None]) -> Iterator[Pi]:
    """Give a Pi whose one shared connection ends with the block."""
    # Not TMPDIR: ssh takes no socket whose path is longer than 104 bytes, and reads quotes, % and $ in it.
    with tempfile.TemporaryDirectory(prefix="labelcam-", dir="/tmp") as folder:
        pi = Pi(host, Path(folder) / "ssh", port, config, tell)
        try:
            yield pi
        finally:
            pi.hang_up()


def _send(stdin: IO[bytes], request: Mapping[str, object], payload: Iterable[Part]) -> None:
    code = program()
    stdin.write(f"{len(code)}\n".encode() + code + json.dumps(request).encode() + b"\n")
    for header, file in payload:
        stdin.write(json.dumps(header).encode() + b"\n")
        while piece := file.read(1 << 18):
            stdin.write(piece)
    stdin.flush()


@cache
def program() -> bytes:
    """The code that runs on the Pi, as a zip that Python imports from."""
    whole = io.BytesIO()
    folder = Path(__file__).with_name("on_pi")
    with zipfile.ZipFile(whole, "w") as archive:
        for path in sorted(folder.glob("*.py")):
            archive.writestr(zipfile.ZipInfo(f"on_pi/{path.name}", (1980, 1, 1, 0, 0, 0)), path.read_bytes())
    return whole.getvalue()


def printable(text: object) -> str:
    """Return a text without what would steer a terminal."""
    return "".join(letter if letter.isprintable() else " " for letter in str(text))


def _why(complaint: str) -> str:
    """Say what ssh or sudo meant, with the remedy."""
    for sign, remedy in {
        "a password is required": "sudo on it asks for a password; allow your user without one, see sudo visudo there",
        "Could not resolve": "no such name in this network; use its address, or check that it is on and connected",
        "Permission denied": "it does not let you in; put your key there: ssh-copy-id, then try ssh by hand",
        "Connection refused": "nothing answers SSH there; enable it: sudo raspi-config nonint do_ssh 0",
        "timed out": "it does not answer; check that it is on and in this network",
        "Host key verification failed": "its host key is new or has changed; connect once by hand with ssh and look",
        "python3: not found": "it has no python3; use Raspberry Pi OS Bookworm or Trixie, 64-bit",
        "hostname contains invalid": "that is no host's name; say for instance PI=pi@raspberrypi.local",
    }.items():
        if sign in complaint:
            return remedy
    last = printable((complaint.splitlines() or ["the connection was cut"])[-1])
    return f"{last}; run it again, it goes on where it stopped"
