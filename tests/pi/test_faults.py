# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""What goes wrong on a Pi and on the way to it: it heals by itself, or what ran before runs on."""

from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen

import pytest

from eventually import eventually
from flashed import CACHE, Flashed, make_command, surroundings
from labelcam_flash import flash as flash_module
from labelcam_flash.errors import FlashFailed, RolledBack
from labelcam_flash.flash import Wanted, flash
from labelcam_flash.pi import Pi, reached
from labelcam_flash.release import Release, make_release


def in_process(pi: Flashed) -> AbstractContextManager[Pi]:
    """The Pi for a flash in this very process, which can be given what the command would refuse."""
    return reached("pi", None, pi.machine.ssh_config, print)


def test_a_killed_service_comes_back(pi: Flashed) -> None:
    """It is started afresh after kill -9."""
    before = pi.show("MainPID")
    pi.machine.run("kill", "-9", before)
    pi.comes_back(before)


def test_a_hung_service_is_started_afresh(pi: Flashed) -> None:
    """The watchdog ends a process that no longer says that it lives."""
    before = pi.show("MainPID")
    pi.machine.run("kill", "-STOP", before)
    pi.comes_back(before)
    assert "Watchdog timeout" in pi.journal()


def test_a_broken_model_never_goes_live(pi: Flashed, tmp_path: Path) -> None:
    """The host refuses it; and if it did not, the Pi's own check would, with the old release running on."""
    broken = tmp_path / "broken.tflite"
    whole = bytearray(pi.model.read_bytes())
    whole[len(whole) // 3 : len(whole) // 2] = bytes(len(whole) // 2 - len(whole) // 3)
    broken.write_bytes(whole)
    before = pi.show("InvocationID")
    refused = pi.make("flash", MODEL=broken)
    assert refused.exit_code == 78, refused.err
    assert "broken.tflite" in refused.err
    with in_process(pi) as there, pytest.raises(FlashFailed, match=r"pi: (model|goldens): "):
        flash(there, Wanted(broken, None, CACHE, bar=False))
    assert pi.show("InvocationID") == before


@pytest.mark.parametrize(("flags", "why"), [("--no-such-flag", "failed to start"), ("--frames 4", "did not stay up")])
def test_a_bad_release_is_rolled_back(pi: Flashed, monkeypatch: pytest.MonkeyPatch, flags: str, why: str) -> None:
    """One that does not come up and one that does not stay up give way to the release before, which runs on."""
    before = pi.live()

    def bad(*arguments: object) -> Release:
        release = make_release(*arguments)  # type: ignore[arg-type]
        unit = release.files["system/labelcam.service"]
        assert isinstance(unit, Path)
        text = unit.read_text().replace("labelcam run", f"labelcam run {flags}")
        return replace(release, files={**release.files, "system/labelcam.service": text.encode()})

    monkeypatch.setattr(flash_module, "make_release", bad)
    with in_process(pi) as there, pytest.raises(RolledBack, match=f"{why}.*rolled back, live is {before}, as before"):
        flash(there, Wanted(pi.model, None, CACHE, bar=False))
    assert (pi.live(), pi.show("ActiveState")) == (before, "active")
    assert flags not in pi.show("ExecStart")


def test_a_full_disk_is_refused_and_harms_nothing(pi: Flashed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is said before anything is copied; and where it fills up meanwhile, the copy ends in one line."""
    before = pi.show("InvocationID")
    # What is kept for root counts as well: the copy runs as root.
    free = "$(($(stat -f -c '%f * %S' /)))"
    pi.machine.run("sh", "-c", f"fallocate -l $(({free} - 3000000)) /full || true")
    done = pi.flash(pi.settings.read_text() + "# other\n")
    assert done.exit_code == 1
    assert "MB are free and" in done.err
    large = tmp_path / "large.tflite"
    large.write_bytes(bytes(range(256)) * 20_000)
    monkeypatch.setattr(flash_module, "check_room", lambda *_, **__: None)
    with in_process(pi) as there, pytest.raises(FlashFailed, match="No space left on device"):
        flash(there, Wanted(large, None, CACHE, bar=False))
    assert (pi.show("InvocationID"), pi.show("ActiveState")) == (before, "active")


def test_after_a_power_cut_in_a_trial_it_is_back_by_itself(pi: Flashed) -> None:
    """It comes up at boot, its first label makes it ready, and it knows which release to go back to."""
    before = pi.live()
    settings = pi.machine.folder / "on trial.toml"
    settings.write_text(pi.settings.read_text() + "# on trial\n")
    with Popen(
        make_command("flash"), env=surroundings(pi.machine.ssh_config, SETTINGS=settings), stdout=DEVNULL, stderr=PIPE
    ) as trial:
        assert trial.stderr
        assert any(b"frames a second" in line for line in trial.stderr)
        pi.machine.power_cut()
        trial.kill()
    pi.machine.power_on()
    eventually(lambda: pi.show("ActiveState") == "active", pi.journal)
    assert pi.live() != before
    assert "; on trial: " in pi.make("status").out
    done = pi.make("rollback")
    assert (done.exit_code, pi.live()) == (0, before), done.err


def test_another_password_is_taken_up(pi: Flashed) -> None:
    """A secret that came since the last flash is handed to the service by the next, though all else is as it was."""
    folder, before = "/etc/labelcam/credentials", pi.show("InvocationID")
    pi.machine.run("install", "-d", "-m", "700", folder)
    pi.machine.write(f"{folder}/mqtt", b"correct horse\n")
    assert "its secrets have changed since it was started" in pi.make("status").out
    done = pi.make("flash", MODEL=pi.model, SETTINGS=pi.settings)
    assert done.exit_code == 0, done.err
    assert pi.show("InvocationID") != before
    assert pi.machine.run("cat", "/run/credentials/labelcam.service/mqtt") == "correct horse\n"
    assert "nothing was changed" in pi.make("flash", MODEL=pi.model, SETTINGS=pi.settings).out
