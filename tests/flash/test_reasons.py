# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from labelcam.errors import GateFailed
from labelcam.golden import GoldenResult
from labelcam_flash import payload
from labelcam_flash.cli import main
from labelcam_flash.facts import Facts
from labelcam_flash.reasons import why

if TYPE_CHECKING:
    from conftest import StandIn


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        (
            "sudo: unable to resolve host pi: Name or service not known\nsudo: a password is required",
            "tee /etc/sudoers.d/",
        ),
        ("sudo: interactive authentication is required", "tee /etc/sudoers.d/"),
        ("sudo: python3: command not found", "has no python3"),
        ("bash: line 1: exec: python3: not found", "has no python3"),
        ("bash: line 1: exec: sudo: not found", "has no sudo"),
        ("Sorry, user pi is not allowed to execute '/usr/bin/python3 -I -c …' as root on pi.", "adduser NAME sudo"),
        ("ssh: connect to host 10.0.0.9 port 22: No route to host", "nothing has that address"),
        ("ssh: connect to host 10.0.0.9 port 22: Network is unreachable", "this computer's own connection"),
        ("Received disconnect from 10.0.0.9 port 22:2: Too many authentication failures", "IdentityFile"),
        ("ssh: connect to host 10.0.0.9 port 22: Connection timed out", "does not answer"),
        ("", "the connection was cut; run it again"),
        ("\x1b[2Jkex_exchange_identification: read", " [2Jkex_exchange_identification: read; run it again"),
    ],
)
def test_what_is_said_there_is_told_with_its_remedy(said: str, meant: str) -> None:
    """By ssh, by sudo, and by the shells that a Pi may have."""
    assert meant in why(said)


@pytest.mark.parametrize("command", ["status", "logs", "rollback"])
def test_every_command_tells_why_a_pi_cannot_be_reached(
    stand_in: "StandIn", command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """In the same line, with the same exit code, where logs used to give ssh's own."""
    (stand_in.folder / "ssh-says").write_text("ssh: connect to host pi port 22: Connection refused\r\n")
    assert main([command, "--pi", "pi"]) == 1
    assert capsys.readouterr().err == (
        "labelcam-flash: pi: nothing answers SSH there; enable it: sudo raspi-config nonint do_ssh 0\n"
    )


def test_logs_that_end_are_a_connection_that_broke(stand_in: "StandIn", capfd: pytest.CaptureFixture[str]) -> None:
    """Whoever follows ends them with Ctrl-C."""
    assert main(["logs", "--pi", "pi@stand-in"]) == 1
    said = capfd.readouterr()
    assert said.out == "labelcam: that is why\n"
    assert said.err == "labelcam-flash: pi@stand-in: the connection was cut; run it again\n"


@pytest.mark.parametrize(
    ("host", "remedy"),
    [
        ("pi@host:2222", "the port is given apart, by SSH_PORT=2222"),
        ("pi@[fe80::1]", "without brackets"),
        ("[::1]:22", "without brackets"),
        (" ", "PI=pi@raspberrypi.local"),
    ],
)
def test_what_ssh_would_not_understand_is_refused(host: str, remedy: str, capsys: pytest.CaptureFixture[str]) -> None:
    """In place of a name that cannot be resolved."""
    assert main(["status", "--pi", host]) == 2
    assert remedy in capsys.readouterr().err


def test_an_address_may_have_colons(stand_in: "StandIn", capsys: pytest.CaptureFixture[str]) -> None:
    """IPv6, as ssh takes it, and ssh's own way to write a port."""
    assert main(["status", "--pi", "pi@fe80::1 ssh://pi@host:22"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_a_pi_that_is_named_twice_is_one(stand_in: "StandIn", capsys: pytest.CaptureFixture[str]) -> None:
    """Two flashes of the same Pi at once would get into each other's way."""
    assert main(["status", "--pi", "pi@one pi@one"]) == 0
    assert capsys.readouterr().out == "pi@one: labelcam is not installed\n"


def test_a_failed_golden_is_a_failed_gate(person_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its exit code is 3 here as anywhere else."""
    failed = GoldenResult("one.png", False, "cat in place of dog")
    monkeypatch.setattr(payload, "check_goldens", lambda *_: [failed])
    assert main(["flash", "--pi", "pi@nowhere", "--model", str(person_model)]) == GateFailed.exit_code == 3


def test_nothing_that_a_pi_says_steers_the_terminal(stand_in: "StandIn") -> None:
    """The board's name, the system's and the service's words may be anybody's."""
    words = {"model": "Pi\x1b[2J", "os": "Deb\x07ian", "status": "\x1b]0;x\x07cat", "service": "a\r"}
    facts = Facts.of(stand_in.pi.ask("facts") | words)
    assert (facts.model, facts.os, facts.status, facts.service) == ("Pi [2J", "Deb ian", " ]0;x cat", "a ")
