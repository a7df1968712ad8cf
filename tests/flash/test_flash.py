# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from labelcam_flash import copying
from labelcam_flash.cli import main
from labelcam_flash.errors import ConnectionLost, FlashFailed, RolledBack
from labelcam_flash.flash import Wanted, flash, roll_back, status, uninstall

if TYPE_CHECKING:
    from conftest import StandIn


def test_a_release_goes_live(stand_in: "StandIn") -> None:
    """It is assembled, installed, checked, linked and started, and its unit lies where systemd looks."""
    assert stand_in.flash().endswith("is live: cat, 10.0 frames a second")
    live = stand_in.base / "opt/labelcam/current"
    assert (live / "model.tflite").read_bytes() == b"good"
    assert (live / "venv/bin/labelcam").is_file()
    assert (stand_in.base / "etc/systemd/system/labelcam.service").is_file()
    assert {"daemon-reload", "enable --quiet labelcam.service"} <= set(stand_in.calls())
    assert status(stand_in.pi).startswith(f"{stand_in.live()} (labelcam ")


def test_a_second_flash_changes_nothing(stand_in: "StandIn") -> None:
    """The service is not restarted for what runs already, be it named again or left out."""
    stand_in.flash()
    assert "runs already" in stand_in.flash()
    assert "runs already" in stand_in.flash(model=None, settings=None)
    assert len([call for call in stand_in.calls() if call.startswith("restart")]) == 1


def test_settings_stay_what_they_are_unless_others_are_given(stand_in: "StandIn") -> None:
    """A new model alone keeps the Pi's own settings."""
    stand_in.flash(settings="# of this Pi\r\n")
    stand_in.flash(model=b"good, and new", settings=None)
    assert (stand_in.base / "opt/labelcam/current/labelcam.toml").read_bytes() == b"# of this Pi\r\n"


def test_only_root_and_the_service_read_the_settings(stand_in: "StandIn") -> None:
    """They may name a camera with its password."""
    stand_in.flash()
    settings = stand_in.base / "opt/labelcam/current/labelcam.toml"
    assert settings.stat().st_mode & 0o007 == 0


@pytest.mark.parametrize(("model", "settings"), [(b"bad", "# mine\n"), (b"good", "# dies\n")])
def test_what_does_not_hold_is_rolled_back(stand_in: "StandIn", model: bytes, settings: str) -> None:
    """A release that fails to start, and one that dies after its first label, give way to the one before."""
    stand_in.flash()
    before = stand_in.live()
    with pytest.raises(RolledBack, match=f"that is why; rolled back, live is {before}, as before"):
        stand_in.flash(model, settings)
    assert stand_in.live() == before
    assert stand_in.calls()[-1].startswith("show")
    assert "active" in (stand_in.folder / "service").read_text()


def test_a_first_release_that_does_not_hold_is_stopped(stand_in: "StandIn") -> None:
    """There is nothing to go back to: nothing is left running, nothing is enabled."""
    with pytest.raises(RolledBack, match="there was no release before; the service is stopped"):
        stand_in.flash(b"bad")
    assert not (stand_in.base / "opt/labelcam/current").is_symlink()
    assert "disable --now labelcam.service" in stand_in.calls()


def test_a_dry_run_changes_nothing(stand_in: "StandIn") -> None:
    """It says what it would do; nothing is copied, nothing is restarted."""
    stand_in.flash()
    before, calls = _files(stand_in.base), stand_in.calls()
    model = stand_in.folder / "other.tflite"
    model.write_bytes(b"good, and new")
    done = flash(stand_in.pi, Wanted(model, None, stand_in.folder / "cache", dry_run=True, bar=False))
    assert re.fullmatch("would install [0-9a-f]{12}; nothing was changed", done)
    assert _files(stand_in.base) == before
    assert [call for call in stand_in.calls()[len(calls) :] if not call.startswith("show")] == []


@pytest.mark.parametrize(
    ("given", "content", "why"),
    [
        ("--settings", b"[camera]\nsorce = 1\n", "did you mean 'source'"),
        ("--model", b"no network", "is no TFLite model"),
    ],
)
def test_what_fails_here_never_reaches_a_pi(
    stand_in: "StandIn", given: str, content: bytes, why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Settings and model are checked before anything is asked over SSH."""
    path = stand_in.folder / "given"
    path.write_bytes(content)
    assert main(["flash", "--pi", "pi@stand-in", given, str(path)]) == 78
    assert why in capsys.readouterr().err
    assert not (stand_in.folder / "ssh-arguments").exists()


def test_rollback_and_back_again(stand_in: "StandIn") -> None:
    """The live release and the one before it change places as often as one likes; older ones are gone."""
    with pytest.raises(FlashFailed, match="no earlier release"):
        roll_back(stand_in.pi)
    names = []
    for model in (b"good 1", b"good 2", b"good 3"):
        stand_in.flash(model)
        names.append(stand_in.live())
    roll_back(stand_in.pi)
    assert stand_in.live() == names[1]
    roll_back(stand_in.pi)
    assert stand_in.live() == names[2]
    assert {path.name for path in (stand_in.base / "opt/labelcam/releases").iterdir()} == set(names[1:])


def test_a_connection_that_breaks_is_taken_up_again(stand_in: "StandIn", monkeypatch: pytest.MonkeyPatch) -> None:
    """The copy goes on where it stopped, by itself."""
    monkeypatch.setattr(copying, "RETRY_AFTER_S", 0.0)
    stand_in.cut_after(3_000_000)
    assert "is live" in stand_in.flash()
    assert any("the connection broke" in line for line in stand_in.told)


def test_a_copy_is_taken_up_by_the_next_run(stand_in: "StandIn", monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the connection is gone for good, the next run sends only the rest."""
    monkeypatch.setattr(copying, "RETRIES", 0)
    stand_in.cut_after(3_000_000)
    with pytest.raises(ConnectionLost, match="goes on where it stopped"):
        stand_in.flash()
    stand_in.told.clear()
    stand_in.flash()
    (line,) = (line for line in stand_in.told if "files to copy" in line)
    assert 2.0 < float(line.split()[-2]) < 2.4  # of 5.1 MB


def test_nothing_of_the_users_is_on_the_remote_command_line(stand_in: "StandIn", tmp_path: Path) -> None:
    """A host with spaces, quotes and a command in it is one argument to ssh, and the command never changes."""
    host = 'pi@it\'s "mine" $(touch /tmp/x); `id`'
    pi = replace(stand_in.pi, host=host, config=tmp_path / "my config's")
    with pytest.raises(FlashFailed):
        roll_back(pi)
    status(stand_in.pi)
    lines = (stand_in.folder / "ssh-arguments").read_text().split("\0\n")[:-1]
    strange, usual = (line.split("\0") for line in lines)
    assert strange[-2] == host
    assert strange[-1] == usual[-1]
    assert str(tmp_path / "my config's") in strange


def test_uninstall_leaves_nothing_but_the_settings(stand_in: "StandIn") -> None:
    """The next flash takes them up again; on request they go as well."""
    stand_in.flash(settings="# precious\n")
    assert uninstall(stand_in.pi, with_settings=False) == (
        f"removed; its settings are kept in {stand_in.base / 'etc/labelcam/labelcam.toml'}"
    )
    assert _files(stand_in.base) == ["etc/labelcam/labelcam.toml"]
    stand_in.flash(settings=None)
    assert (stand_in.base / "opt/labelcam/current/labelcam.toml").read_text() == "# precious\n"
    assert uninstall(stand_in.pi, with_settings=True) == "removed"
    assert _files(stand_in.base) == []


def _files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir())


def test_a_check_knows_the_secrets_that_the_service_will_have(stand_in: "StandIn") -> None:
    """A window for other machines is refused without its token; it is never an argument, which all could see."""
    secrets = stand_in.base / "etc/labelcam/credentials"
    secrets.mkdir(parents=True)
    (secrets / "http").write_text("0123456789abcdef\n")
    stand_in.flash()
    arguments, _, token = (stand_in.folder / "checked").read_text().rstrip("\n").partition(" token=")
    assert token == "0123456789abcdef"
    assert token not in arguments
