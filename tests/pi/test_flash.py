# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""`make flash` and its sisters against the virtual Pi: a real systemd, sshd, kernel and aarch64 wheels."""

import os
import signal
import subprocess
from queue import Queue
from threading import Thread

from eventually import PATIENCE_S
from flashed import Flashed, make, make_command, make_in_terminal, surroundings
from measured import Measured


def test_the_first_flash_survives_a_broken_connection(flashed: Flashed) -> None:
    """The copy went on where it stopped, nothing came from the internet, and the first label ended it."""
    assert "the connection broke" in flashed.first.err
    assert "first label: " in flashed.first.err
    assert "is live: " in flashed.first.out


def test_a_clock_in_1970_is_set(flashed: Flashed) -> None:
    """A Pi without a network and a battery does not know the date; its first flash told it."""
    assert "its clock says 1970-01-0" in flashed.first.err
    assert flashed.show("ActiveEnterTimestamp").split()[1] > "2026"


def test_known_photographs_arrive_with_their_labels(pi: Flashed) -> None:
    """A real broker on this host hears the right label of each photograph, again and again."""
    right = {"astronaut.png": "person", "coffee.png": "no person"}
    heard: dict[str, set[str]] = {name: set() for name in right}
    with pi.states() as states:
        for _ in range(6):
            state = states.get(timeout=PATIENCE_S)
            heard[state["source"]].add(state["state"])
    assert heard == {name: {label} for name, label in right.items()}


def test_a_second_flash_changes_nothing(pi: Flashed, measured: Measured) -> None:
    """What runs already is not restarted."""
    before = pi.show("InvocationID")
    with measured("a second flash that changes nothing"):
        done = pi.make("flash", MODEL=pi.model, SETTINGS=pi.settings)
    assert (done.exit_code, pi.show("InvocationID")) == (0, before), done.err
    assert "nothing was changed" in done.out


def test_sudo_may_ask_for_a_password(pi: Flashed) -> None:
    """As Raspberry Pi OS does since April 2026: it is asked for once, not shown, and is on no command line."""
    password = "c'orrect horse"
    pi.machine.run("useradd", "-m", "-s", "/bin/bash", "-G", "sudo", "anna")
    pi.machine.write("/run/password", f"anna:{password}\n".encode())
    pi.machine.run("sh", "-c", "cp -r ~pi/.ssh ~anna/ && chown -R anna ~anna/.ssh && chpasswd < /run/password")
    asked = {"ssh_config": pi.machine.ssh_config, "PI": "anna@pi", "MODEL": pi.model, "SETTINGS": pi.settings}
    refused = make("flash", **asked)
    assert refused.exit_code == 1
    assert "sudo on it asks for a password, and there is no terminal to type it" in refused.err
    done = make_in_terminal("flash", password, **asked)
    assert done.exit_code == 0, done.out
    assert done.out.count("[sudo] password for anna on pi:") == 1
    assert "nothing was changed" in done.out
    assert password not in done.out + pi.machine.run("journalctl", "-b", "--no-pager")


def test_a_dry_run_says_what_it_would_do(pi: Flashed) -> None:
    """It names another release for other settings, and leaves the Pi alone."""
    before = pi.live()
    path = pi.machine.folder / "dry.toml"
    path.write_text(pi.settings.read_text() + "# changed\n")
    done = pi.make("flash", SETTINGS=path, DRY_RUN="1")
    assert done.exit_code == 0, done.err
    assert "would install" in done.out
    assert pi.live() == before


def test_several_at_once_and_back(pi: Flashed) -> None:
    """One out of reach does not stop the others, two hosts wait for each other; `make rollback` undoes it."""
    before = pi.live()
    path = pi.machine.folder / "several.toml"
    path.write_text(pi.settings.read_text() + "# several\n")
    done = pi.make("flash", PI="pi pi-again gone", SETTINGS=path)
    assert done.exit_code == 1, done.err
    assert "gone: nothing answers SSH there" in done.err
    assert "another flash is at work on this Pi; waiting for it" in done.err
    live = pi.live()
    assert live != before
    told = dict(line.split(": ", 1) for line in done.out.splitlines())
    assert told.keys() == {"pi", "pi-again"}
    assert all(line.startswith(live) for line in told.values()), told
    done = pi.make("rollback")
    assert done.exit_code == 0, done.err
    assert pi.live() == before


def test_status_and_logs_say_what_it_says(pi: Flashed) -> None:
    """`make status` names release and latest label in one line; `make logs` goes on until Ctrl-C."""
    done = pi.make("status")
    assert done.exit_code == 0, done.err
    assert f"pi: {pi.live()} (labelcam " in done.out
    assert "frames a second" in done.out
    heard: Queue[str] = Queue()
    command, environment = make_command("logs"), surroundings(pi.machine.ssh_config)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment, start_new_session=True) as logs:
        Thread(target=lambda: [heard.put(line) for line in logs.stdout or ()], daemon=True).start()
        try:
            _until(heard, "Started labelcam.service")
            pi.machine.run("kill", "-9", pi.show("MainPID"))
            _until(heard, "code=killed, status=9/KILL")
        finally:
            os.killpg(logs.pid, signal.SIGINT)  # as a terminal does for Ctrl-C
            logs.wait(PATIENCE_S)


def _until(heard: "Queue[str]", words: str) -> None:
    while words not in heard.get(timeout=PATIENCE_S):
        pass


def test_the_service_is_shut_in(pi: Flashed) -> None:
    """It does not run as root, and can change neither its release nor its settings."""
    number = pi.show("MainPID")
    assert pi.machine.run("stat", "-c", "%U", f"/proc/{number}").strip() == "labelcam"
    writable = pi.machine.run(
        "find", "/opt/labelcam", "(", "!", "-user", "root", "-o", "-perm", "/022", ")", "!", "-type", "l"
    )
    assert writable == ""


def test_uninstall_leaves_nothing_but_the_settings(pi: Flashed) -> None:
    """No file, no user, no unit; the next flash takes the settings up again."""
    done = pi.make("uninstall")
    assert done.exit_code == 0, done.err
    named = pi.machine.run("find", "/", "-xdev", "-name", "*labelcam*").split()
    assert named == ["/etc/labelcam", "/etc/labelcam/labelcam.toml"]
    assert pi.machine.run("cat", "/etc/labelcam/labelcam.toml") == pi.settings.read_text()
    assert pi.machine.run("getent", "passwd", "labelcam", check=False) == ""
    assert pi.machine.run("systemctl", "list-units", "--all", "--no-legend", "labelcam*", check=False).strip() == ""
    assert "not installed" in pi.make("status").out
    done = pi.make("uninstall", WITH_SETTINGS="1")
    assert done.exit_code == 0, done.err
    assert pi.machine.run("find", "/", "-xdev", "-name", "*labelcam*") == ""
