# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""`make flash` against the virtual Pi: what it promises, with a real systemd, sshd, kernel and aarch64 wheels."""

import time
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from eventually import PATIENCE_S, eventually
from labelcam_flash import flash as flash_module
from labelcam_flash.errors import FlashFailed, RolledBack
from labelcam_flash.flash import Wanted, flash
from labelcam_flash.pi import Pi, reached
from labelcam_flash.release import Release, make_release

if TYPE_CHECKING:
    from conftest import Flashed


def in_process(pi: "Flashed") -> AbstractContextManager[Pi]:
    """The Pi for a flash in this very process, which can be given what the command would refuse."""
    return reached("pi", None, pi.machine.ssh_config, print)


def test_the_first_flash_survives_a_broken_connection(flashed: "Flashed") -> None:
    """The copy went on where it stopped, nothing came from the internet, and the first label ended it."""
    assert "the connection broke" in flashed.first_output
    assert "first label: " in flashed.first_output
    assert "is live: " in flashed.first_output


def test_known_photographs_arrive_with_their_labels(pi: "Flashed") -> None:
    """A real broker on this host hears the right label of each photograph, again and again."""
    right = {"astronaut.png": "person", "coffee.png": "no person"}
    heard: dict[str, set[str]] = {name: set() for name in right}
    with pi.machine.forwarded(pi.broker.port), pi.broker.heard("labelcam/pi/state") as states:
        for _ in range(6):
            state = states.get(timeout=PATIENCE_S)
            heard[state["source"]].add(state["state"])
    assert heard == {name: {label} for name, label in right.items()}


def test_a_second_flash_changes_nothing(pi: "Flashed") -> None:
    """What runs already is not restarted."""
    before = pi.show("InvocationID")
    done = pi.make("flash", "--model", pi.model, "--settings", pi.settings)
    assert (done.returncode, pi.show("InvocationID")) == (0, before), done.stderr
    assert "nothing was changed" in done.stdout


def test_a_dry_run_says_what_it_would_do(pi: "Flashed") -> None:
    """It names another release for other settings, and leaves the Pi alone."""
    before = pi.live()
    path = pi.machine.folder / "dry.toml"
    path.write_text(pi.settings.read_text() + "# changed\n")
    done = pi.make("flash", "--settings", path, "--dry-run")
    assert done.returncode == 0, done.stderr
    assert "would install" in done.stdout
    assert pi.live() == before


def test_a_killed_service_comes_back(pi: "Flashed") -> None:
    """It is started afresh after kill -9."""
    before = pi.show("MainPID")
    pi.machine.run("kill", "-9", before)
    eventually(lambda: pi.show("ActiveState") == "active" and pi.show("MainPID") not in (before, "0"), pi.journal)


def test_a_hung_service_is_started_afresh(pi: "Flashed") -> None:
    """The watchdog ends a process that no longer says that it lives."""
    before = pi.show("MainPID")
    pi.machine.run("kill", "-STOP", before)
    eventually(lambda: pi.show("ActiveState") == "active" and pi.show("MainPID") not in (before, "0"), pi.journal)
    assert "Watchdog timeout" in pi.journal()


def test_a_broken_model_never_goes_live(pi: "Flashed", tmp_path: Path) -> None:
    """The host refuses it; and if it did not, the Pi's own check would, with the old release running on."""
    broken = tmp_path / "broken.tflite"
    whole = bytearray(pi.model.read_bytes())
    whole[len(whole) // 3 : len(whole) // 2] = bytes(len(whole) // 2 - len(whole) // 3)
    broken.write_bytes(whole)
    before = pi.show("InvocationID")
    refused = pi.make("flash", "--model", broken)
    assert refused.returncode != 0
    with in_process(pi) as there, pytest.raises(FlashFailed, match=r"pi: (model|goldens): "):
        flash(there, Wanted(broken, None, tmp_path, bar=False))
    assert pi.show("InvocationID") == before


@pytest.mark.parametrize(("flags", "why"), [("--no-such-flag", "failed to start"), ("--seconds 8", "did not stay up")])
def test_a_bad_release_is_rolled_back(
    pi: "Flashed", tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flags: str, why: str
) -> None:
    """One that does not come up and one that does not stay up give way to the release before, which runs on."""
    before, model = pi.live(), pi.model

    def bad(*arguments: object) -> Release:
        release = make_release(*arguments)  # type: ignore[arg-type]
        unit = release.files["system/labelcam.service"]
        assert isinstance(unit, Path)
        text = unit.read_text().replace("labelcam run", f"labelcam run {flags}")
        return replace(release, files={**release.files, "system/labelcam.service": text.encode()})

    monkeypatch.setattr(flash_module, "make_release", bad)
    with in_process(pi) as there, pytest.raises(RolledBack, match=f"{why}.*rolled back, live is {before}, as before"):
        flash(there, Wanted(model, None, tmp_path, bar=False))
    assert (pi.live(), pi.show("ActiveState")) == (before, "active")
    assert flags not in pi.show("ExecStart")


def test_rollback_by_hand(pi: "Flashed") -> None:
    """Other settings go live, and the ones before come back."""
    before = pi.live()
    done = pi.flash(pi.settings.read_text() + "# other\n")
    assert done.returncode == 0, done.stderr
    assert pi.live() != before
    done = pi.make("rollback")
    assert done.returncode == 0, done.stderr
    assert pi.live() == before


def test_a_full_disk_is_refused_and_harms_nothing(
    pi: "Flashed", tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is said before anything is copied; and where it fills up meanwhile, the copy ends in one line."""
    before = pi.show("InvocationID")
    pi.machine.run("sh", "-c", "fallocate -l $(($(df --output=avail -B1 / | tail -n 1) - 1000000)) /full || true")
    done = pi.flash(pi.settings.read_text() + "# other\n")
    assert done.returncode == 1
    assert "MB are free and" in done.stderr
    large = tmp_path / "large.tflite"
    large.write_bytes(bytes(range(256)) * 20_000)
    monkeypatch.setattr(flash_module, "check_room", lambda *_, **__: None)
    with in_process(pi) as there, pytest.raises(FlashFailed, match="No space left on device"):
        flash(there, Wanted(large, None, tmp_path, bar=False))
    assert pi.show("InvocationID") == before


def test_after_a_power_cut_it_is_back_by_itself(pi: "Flashed") -> None:
    """The same release comes up at boot, and its first label makes it ready."""
    before = pi.live()
    pi.machine.power_cut()
    pi.machine.power_on()
    eventually(lambda: pi.show("ActiveState") == "active", pi.journal)
    assert pi.live() == before


def test_a_clock_in_1970_is_set(pi: "Flashed") -> None:
    """A Pi without a network and a battery does not know the date; a flash tells it."""
    pi.machine.run("date", "-s", "@86400")
    done = pi.flash(pi.settings.read_text() + "# other\n")
    assert done.returncode == 0, done.stderr
    assert "its clock says 1970-01-0" in done.stderr
    assert abs(int(pi.machine.run("date", "+%s")) - time.time()) < 3600


def test_the_service_is_shut_in(pi: "Flashed") -> None:
    """It does not run as root, and can change neither its release nor its settings."""
    number = pi.show("MainPID")
    assert pi.machine.run("stat", "-c", "%U", f"/proc/{number}").strip() == "labelcam"
    writable = pi.machine.run(
        "find", "/opt/labelcam", "(", "!", "-user", "root", "-o", "-perm", "/022", ")", "!", "-type", "l"
    )
    assert writable == ""


def test_uninstall_leaves_nothing_but_the_settings(pi: "Flashed") -> None:
    """No file, no user, no unit; the next flash takes the settings up again."""
    done = pi.make("uninstall")
    assert done.returncode == 0, done.stderr
    named = pi.machine.run("find", "/", "-xdev", "-name", "*labelcam*").split()
    assert named == ["/etc/labelcam", "/etc/labelcam/labelcam.toml"]
    assert pi.machine.run("getent", "passwd", "labelcam", check=False) == ""
    assert pi.machine.run("systemctl", "list-units", "--all", "--no-legend", "labelcam*", check=False).strip() == ""
    assert "not installed" in pi.make("status").stdout
    done = pi.make("uninstall", "--with-settings")
    assert done.returncode == 0, done.stderr
    assert pi.machine.run("find", "/", "-xdev", "-name", "*labelcam*") == ""
