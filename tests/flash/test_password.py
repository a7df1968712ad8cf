# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
import os
import pty
import select
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest

import real_sudo
from labelcam_flash import password
from labelcam_flash.cli import main
from labelcam_flash.errors import ConnectionLost, FlashFailed
from labelcam_flash.flash import Wanted, flash, roll_back, status
from labelcam_flash.pi import Password
from real_sudo import PASSWORD

if TYPE_CHECKING:
    from conftest import StandIn

ROOT = Path(__file__).parents[2]

Rule = Literal["anna ALL=(ALL:ALL) ALL", "anna ALL=(ALL:ALL) NOPASSWD: ALL"]
ASKED: Rule = "anna ALL=(ALL:ALL) ALL"
NOT_ASKED: Rule = "anna ALL=(ALL:ALL) NOPASSWD: ALL"


@pytest.fixture(params=["stand-in", "real"])
def as_anna(stand_in: "StandIn", request: pytest.FixtureRequest) -> Callable[[Rule], "StandIn"]:
    """Gives a Pi whose sudo is the stand-in, and one whose sudo is real."""

    def give(rule: Rule) -> "StandIn":
        if request.param == "real":
            real_sudo.install(stand_in.folder, rule)
        else:
            stand_in.log_in_as_anna(PASSWORD if rule == ASKED else None)
        return stand_in

    return give


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What a person types, the next one first; what was asked comes after a None."""
    answers: list[str] = []

    def getpass(prompt: str) -> str:
        print(prompt)
        return answers.pop(0)

    monkeypatch.setattr(password, "getpass", getpass)
    monkeypatch.setattr(password, "_terminal", lambda: True)
    return answers


def test_a_password_is_asked_for_where_sudo_wants_one(
    as_anna: Callable[[Rule], "StandIn"], typed: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Once, by the names of user and host; then every request goes through."""
    pi = as_anna(ASKED).pi
    assert password.is_wanted(pi)
    typed += [PASSWORD]
    known = password.asked_for(pi)
    assert capsys.readouterr().out == "[sudo] password for anna on stand-in: \n"
    assert known.ask("facts")["python"] == list(sys.version_info[:2])
    assert "labelcam is not installed" in (status(known), status(known))


def test_sudo_that_wants_none_is_not_given_one(as_anna: Callable[[Rule], "StandIn"]) -> None:
    """And where it stops to want one meanwhile, the line that it leaves on stdin is not taken for a request."""
    pi = as_anna(NOT_ASKED).pi
    assert not password.is_wanted(pi)
    assert status(replace(pi, password=Password(PASSWORD))) == "labelcam is not installed"


def test_a_wrong_password_is_said_so_three_times(stand_in: "StandIn", typed: list[str]) -> None:
    """As sudo has it. Nothing but the password is ever sent with it."""
    stand_in.log_in_as_anna(PASSWORD)
    typed += ["wrong", "", "labelcam 5"]
    with pytest.raises(FlashFailed, match=r"3 wrong passwords for sudo; nothing was changed$"):
        password.asked_for(stand_in.pi)
    assert stand_in.told == ["sudo does not take it"] * 3
    assert stand_in.tries() == ["wrong", "", "labelcam 5"]


def test_a_slip_of_the_fingers_is_no_drama(as_anna: Callable[[Rule], "StandIn"], typed: list[str]) -> None:
    """The second try counts."""
    typed += [PASSWORD.upper(), PASSWORD]
    assert status(password.asked_for(as_anna(ASKED).pi)) == "labelcam is not installed"


def test_a_password_that_is_right_no_more_changes_nothing(as_anna: Callable[[Rule], "StandIn"]) -> None:
    """One that was changed behind our back: sudo takes lines of the program for further tries, and gives up."""
    with pytest.raises(ConnectionLost, match="sudo takes that password no longer; run it again"):
        replace(as_anna(ASKED).pi, password=Password("old")).ask("facts")


def test_who_may_not_use_sudo_is_told_so(stand_in: "StandIn", typed: list[str]) -> None:
    """The right password is of no use then, and is not asked for again."""
    real_sudo.install(stand_in.folder, "root ALL=(ALL) ALL")
    assert password.is_wanted(stand_in.pi)
    typed += [PASSWORD]
    with pytest.raises(FlashFailed, match="your user may not use sudo there; as one who may: sudo adduser NAME sudo"):
        password.asked_for(stand_in.pi)


def test_without_a_terminal_there_is_one_line(stand_in: "StandIn", monkeypatch: pytest.MonkeyPatch) -> None:
    """With the very line that allows the user without a password."""
    stand_in.log_in_as_anna(PASSWORD)
    monkeypatch.setattr(password, "_terminal", lambda: False)
    with pytest.raises(FlashFailed) as failed:
        password.let_in(stand_in.pi)
    assert str(failed.value) == (
        "pi@stand-in: sudo on it asks for a password, and there is no terminal to type it; allow your user without "
        'one, there: echo "$USER ALL=(ALL) NOPASSWD: ALL" | sudo tee /etc/sudoers.d/010_labelcam'
    )


def test_a_password_is_nowhere_but_on_stdin(
    stand_in: "StandIn", typed: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The whole flash goes through, and no command line, environment, file, message or traceback shows it."""
    stand_in.log_in_as_anna(PASSWORD)
    typed += [PASSWORD]
    known = password.let_in(stand_in.pi)
    model = tmp_path / "a.tflite"
    model.write_bytes(b"good")
    done = flash(known, Wanted(model, "# mine\n", tmp_path / "cache", bar=False))
    with pytest.raises(FlashFailed, match="no earlier release") as failed:
        roll_back(known)
    said = [done, repr(known), str(known), *stand_in.told, *traceback.format_exception(failed.value)]
    files = [
        path for path in tmp_path.rglob("*") if path.is_file() and path.name not in ("sudo-password", "sudo-tries")
    ]
    assert {"ssh-arguments", "environment", "sudo-calls"} <= {path.name for path in files}
    assert not [text for text in said if PASSWORD in text]
    assert not [path for path in files if PASSWORD.encode() in path.read_bytes()]


def test_prompts_of_several_pis_come_one_after_the_other(
    stand_in: "StandIn", typed: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Each is asked for its own, before the work begins anywhere; one that is not let in does not stop the other."""
    stand_in.log_in_as_anna(PASSWORD)
    typed += ["a", "b", "c", PASSWORD]
    assert main(["status", "--pi", "pi@one anna@two"]) == 1
    said = capsys.readouterr()
    prompts, result = said.out.splitlines()[:-1], said.out.splitlines()[-1]
    assert prompts == ["[sudo] password for anna on one: "] * 3 + ["[sudo] password for anna on two: "]
    assert result == "anna@two: labelcam is not installed"
    assert "labelcam-flash: pi@one: 3 wrong passwords" in said.err


def test_make_asks_on_the_terminal(as_anna: Callable[[Rule], "StandIn"]) -> None:
    """The real make, in a terminal: what is typed is not shown."""
    as_anna(ASKED)
    make = ["make", "-C", str(ROOT), "--no-print-directory", f"--old-file={sys.prefix}/host", f"VENV={sys.prefix}"]
    child, terminal = pty.fork()
    if child == 0:
        os.execvpe(make[0], [*make, "status"], {**os.environ, "PI": "anna@stand-in"})
    seen = _until(terminal, b"password for anna on stand-in: ")
    os.write(terminal, PASSWORD.encode() + b"\n")
    seen += _until(terminal, b"labelcam is not installed")
    for piece in _pieces(terminal):
        seen += piece
    os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert PASSWORD.encode() not in seen


def _until(terminal: int, text: bytes) -> bytes:
    seen = b""
    for piece in _pieces(terminal):
        seen += piece
        if text in seen:
            return seen
    pytest.fail(f"{text!r} never came: {seen!r}")


def _pieces(terminal: int) -> Iterator[bytes]:
    with suppress(OSError):  # EIO: the other side has ended
        while select.select([terminal], [], [], 60.0)[0]:
            yield os.read(terminal, 4096)
