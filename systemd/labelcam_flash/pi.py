# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""One Raspberry Pi over SSH: what it is asked travels on stdin, never on a command line."""

import contextlib
import json
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Protocol

from .commands import MARK, WHO, asking, following, program
from .ctrl_c import HEARD_S, child, pause
from .errors import ConnectionLost, FlashFailed
from .reasons import printable, why

_IF_STOPPED = {
    "receive": "what has arrived stays there for the next run, and what runs is as it was",
    "prepare": "it ends its preparations by itself, and what runs is as it was",
    "switch": "it brings the switch to its end by itself, or goes back; see make status",
    "rollback": "it brings the switch to its end by itself, or goes back; see make status",
    "uninstall": "it removes everything by itself",
}
"""What becomes of a request whose host has gone; any other has changed nothing that runs."""


class Password:
    """What sudo asks for. No repr, message or traceback shows it; it travels on stdin alone."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return "Password(…)"

    def line(self) -> bytes:
        """Return it as sudo reads it."""
        return self._text.encode() + b"\n"


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

    password: Password | None = None
    """For sudo, where it asks for one."""

    def ask(self, what: str, payload: Iterable[Part] = (), **request: object) -> Any:
        """Have the Pi do something and return its answer; `payload` follows the request.

        Raises FlashFailed with the Pi's reason if it refuses, ConnectionLost with ssh's if it does not answer.
        """
        if_stopped = f"{self.host}: {_IF_STOPPED.get(what, 'what runs is as it was')}"
        with tempfile.TemporaryFile() as complaints, self._started(self._asking(), complaints, if_stopped) as process:
            assert process.stdin  # noqa: S101 - both are pipes
            assert process.stdout  # noqa: S101
            with contextlib.suppress(BrokenPipeError):  # then it has ended early, and says why
                _send(process.stdin, self.password, {"do": what, **request}, payload)
            with contextlib.suppress(BrokenPipeError):
                process.stdin.close()
            answers = [found for line in process.stdout if (found := self._heard(line))]
            process.wait()
            complaint = _read(complaints)
            if not answers:
                pause(HEARD_S)  # ssh may have heard of Ctrl-C before we have
        if not answers:
            raise ConnectionLost(f"{self.host}: {why(complaint)}")
        if "refused" in answers[-1]:
            raise FlashFailed(f"{self.host}: {printable(answers[-1]['refused'])}")
        return answers[-1]["result"]

    def refusal(self) -> str | None:
        """Become root there and do nothing: return what was said if it did not come to that.

        Nothing but the password is sent: sudo would take whatever follows a wrong one for further tries.
        """
        with tempfile.TemporaryFile() as complaints, self._started(self._asking(), complaints) as process:
            process.communicate(self.password.line() if self.password else b"")
            if process.returncode == 0:
                return None
            return _read(complaints)

    def user(self) -> str:
        """Return who we are there. Raises ConnectionLost."""
        with tempfile.TemporaryFile() as complaints, self._started(WHO, complaints) as process:
            said, _ = process.communicate()
            if process.returncode:
                raise ConnectionLost(f"{self.host}: {why(_read(complaints))}")
        return printable((said.decode(errors="replace").split() or ["you"])[-1])

    def follow(self) -> None:
        """Show what the service says until the user has seen enough. Raises ConnectionLost if it ends by itself."""
        command = self._ssh(following(password=self.password is not None))
        with child(command, stdin=subprocess.PIPE) as process:
            process.communicate(self.password.line() if self.password else b"")
        raise ConnectionLost(f"{self.host}: the connection was cut; run it again")

    def hang_up(self) -> None:
        """End the shared connection."""
        command = ["ssh", "-F", "/dev/null", "-O", "exit", "-o", f"ControlPath={self.control}", "--", "pi"]
        with contextlib.suppress(FileNotFoundError):
            subprocess.run(command, check=False, capture_output=True, stdin=subprocess.DEVNULL)

    def _started(
        self, command: str, complaints: IO[bytes], if_stopped: str = ""
    ) -> AbstractContextManager["subprocess.Popen[bytes]"]:
        pipe = subprocess.PIPE
        return child(self._ssh(command), if_stopped, stdin=pipe, stdout=pipe, stderr=complaints)

    def _asking(self) -> str:
        return asking(password=self.password is not None)

    def _ssh(self, command: str) -> list[str]:
        if not shutil.which("ssh"):
            raise FlashFailed("there is no ssh on this computer; install it: sudo apt install openssh-client")
        options = {
            "ControlMaster": "auto",
            "ControlPath": str(self.control),
            "ControlPersist": "600",  # a network may be built between two requests, and nobody likes to log in twice
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


def _send(stdin: IO[bytes], password: Password | None, request: Mapping[str, object], payload: Iterable[Part]) -> None:
    code = program()
    stdin.write(password.line() if password else b"")
    stdin.write(MARK + f"{len(code)}\n".encode() + code + json.dumps(request).encode() + b"\n")
    for header, file in payload:
        stdin.write(json.dumps(header).encode() + b"\n")
        while piece := file.read(1 << 18):
            stdin.write(piece)
    stdin.flush()


def _read(complaints: IO[bytes]) -> str:
    complaints.seek(0)
    return complaints.read().decode(errors="replace").strip()
