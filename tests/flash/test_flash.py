# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
import io
import re
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from labelcam_flash import copying
from labelcam_flash import flash as flash_module
from labelcam_flash.cli import main
from labelcam_flash.errors import ConnectionLost, FlashFailed, RolledBack
from labelcam_flash.facts import Facts
from labelcam_flash.flash import Wanted, flash, roll_back, status, uninstall

if TYPE_CHECKING:
    from conftest import StandIn

ROOT = Path(__file__).parents[2]


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
    before, calls = sorted(stand_in.base.rglob("*")), stand_in.calls()
    model = stand_in.folder / "other.tflite"
    model.write_bytes(b"good, and new")
    done = flash(stand_in.pi, Wanted(model, None, stand_in.folder / "cache", dry_run=True, bar=False))
    assert re.fullmatch("would install [0-9a-f]{12}; nothing was changed", done)
    assert sorted(stand_in.base.rglob("*")) == before
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
    """The copy goes on where it stopped, by itself, also where the Pi is out of reach for a while."""
    monkeypatch.setattr(copying, "RETRY_AFTER_S", 0.0)
    stand_in.cut_after(3_000_000, away=2)
    assert "is live" in stand_in.flash()
    assert len([line for line in stand_in.told if "the connection broke" in line]) == 3


def test_a_copy_is_counted_by_its_bytes() -> None:
    """Many small files do not count for more than they are: what was said to be copied is what was copied."""
    ticks: list[None] = []
    megabytes = copying.Megabytes(lambda: ticks.append(None))
    for _ in range(30):
        file = copying.Counted(io.BytesIO(bytes(90_000)), megabytes)
        while file.read(1 << 16):
            pass
    assert len(ticks) == 2


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
    """What a power cut would leave: not what lies in /run."""
    files = (path.relative_to(folder) for path in folder.rglob("*") if not path.is_dir())
    return sorted(str(path) for path in files if path.parts[0] != "run")


def test_a_check_knows_the_secrets_that_the_service_will_have(stand_in: "StandIn") -> None:
    """A window for other machines is refused without its token; it is never an argument, which all could see."""
    secrets = stand_in.base / "etc/labelcam/credentials"
    secrets.mkdir(parents=True)
    (secrets / "http").write_text("0123456789abcdef\n")
    stand_in.flash()
    arguments, _, token = (stand_in.folder / "checked").read_text().rstrip("\n").partition(" token=")
    assert token == "0123456789abcdef"
    assert token not in arguments


@pytest.mark.parametrize(
    ("service", "says"), [("active", "held by the release that still runs"), ("activating", "fails here")]
)
def test_what_the_old_release_holds_is_borne(stand_in: "StandIn", service: str, says: str) -> None:
    """Even while it waits for its camera, which no check then calls held: good settings are what may mend it."""
    stand_in.flash(settings='[camera]\nsource = "v4l2:/dev/video0"\n')
    (stand_in.folder / "service").write_text(f"1 {service}\n")
    stand_in.fails("camera")
    assert "is live" in stand_in.flash(settings='[camera]\nsource = "v4l2:/dev/video0"\nrotate = 90\n')
    assert f"wait camera    {says}" in stand_in.told


def test_another_camera_is_not_said_to_be_held(stand_in: "StandIn") -> None:
    """The old release has its own; what is wrong with the new one is said."""
    stand_in.flash(settings='[camera]\nsource = "v4l2:/dev/video0"\n')
    stand_in.fails("camera")
    stand_in.flash(settings='[camera]\nsource = "v4l2:/dev/video2"\n')
    assert "wait camera    fails here" in stand_in.told


def test_a_check_that_crashes_is_told_with_its_reason(stand_in: "StandIn") -> None:
    """The last line of what it said, and the command that shows the rest, as root may run it."""
    stand_in.flash()
    before = stand_in.live()
    (stand_in.folder / "crashes").write_text("Traceback\nImportError: libfoo.so.1: no such file\n\n")
    with pytest.raises(FlashFailed, match=r"no answer on the Pi \(ImportError: libfoo.so.1: no such file\); .*: sudo "):
        stand_in.flash(b"good, and new")
    assert stand_in.live() == before


def test_a_fault_of_ours_on_the_pi_is_no_broken_connection(stand_in: "StandIn") -> None:
    """It is told with its place, at once: trying again would not help."""
    with pytest.raises(FlashFailed, match=r"a fault of ours on the Pi, KeyError at main.py:\d+: 'id'; please") as told:
        stand_in.pi.ask("switch")
    assert not isinstance(told.value, ConnectionLost)


def test_a_dry_run_leaves_a_fresh_pi_untouched(stand_in: "StandIn") -> None:
    """Not even a folder or a lock comes of it, nor of a look."""
    flash(stand_in.pi, Wanted(_model(stand_in), "", stand_in.folder / "cache", dry_run=True, bar=False))
    status(stand_in.pi)
    assert list(stand_in.base.iterdir()) == []


def test_what_was_left_half_made_does_not_use_up_the_disk(stand_in: "StandIn", monkeypatch: pytest.MonkeyPatch) -> None:
    """It counts as free, and goes before anything is copied; what is complete need not be unpacked again."""
    asked = []
    monkeypatch.setattr(flash_module, "check_room", lambda _host, facts, _size, **to: asked.append((facts, to)))
    half = stand_in.base / "opt/labelcam/venvs/0123456789ab"
    half.mkdir(parents=True)
    assert any(_counts_as_free(stand_in, half / "large") for _ in range(5))  # others write to this disk as well
    stand_in.fails("model")
    for _ in range(2):
        with pytest.raises(FlashFailed, match="fails here"):
            stand_in.flash()
    assert not half.exists()
    assert [to["to_unpack"] for _, to in asked] == [True, False]


def _counts_as_free(stand_in: "StandIn", file: Path) -> bool:
    file.unlink(missing_ok=True)
    before = Facts.of(stand_in.pi.ask("facts")).free_bytes
    file.write_bytes(b"x" * 50_000_000)
    return abs(Facts.of(stand_in.pi.ask("facts")).free_bytes - before) < 40_000_000


def test_two_flashes_at_once_do_not_undo_each_other(stand_in: "StandIn", monkeypatch: pytest.MonkeyPatch) -> None:
    """What one has just sent survives the other's cleaning up."""
    copied = copying.copy

    def meanwhile(*arguments: object, **keywords: bool) -> None:
        copied(*arguments, **keywords)  # type: ignore[arg-type]
        monkeypatch.setattr(flash_module, "copy", copied)
        stand_in.flash(b"good, and another's")

    monkeypatch.setattr(flash_module, "copy", meanwhile)
    assert "is live" in flash(stand_in.pi, Wanted(_model(stand_in), "", stand_in.folder / "cache", bar=False))


def test_a_release_that_another_flash_has_cleaned_up_is_said_to_be_gone(stand_in: "StandIn") -> None:
    """In the right line, and with nothing changed."""
    stand_in.flash()
    with pytest.raises(FlashFailed, match="release 0123 is no longer on the Pi: another flash has cleaned up; run"):
        stand_in.pi.ask("switch", id="0123", watch_s=0.0)
    assert "runs already" in stand_in.flash()


def test_an_uninstallation_overwrites_no_other_settings(stand_in: "StandIn") -> None:
    """What ran survives, readable by root alone, and what lay there lies beside it."""
    kept = stand_in.base / "etc/labelcam/labelcam.toml"
    kept.parent.mkdir(parents=True)
    kept.write_text("# somebody's\n")
    stand_in.flash(settings="# mine\n")
    assert uninstall(stand_in.pi, with_settings=False).endswith(f"kept in {kept}, others that lay there in {kept}.old")
    older = kept.with_name("labelcam.toml.old")
    assert (kept.read_text(), older.read_text()) == ("# mine\n", "# somebody's\n")
    assert {path.stat().st_mode & 0o777 for path in (kept, older)} == {0o600}


@pytest.mark.parametrize("given", ["0", "no", "yes"])
def test_settings_and_secrets_go_for_a_1_and_nothing_else(given: str, capsys: pytest.CaptureFixture[str]) -> None:
    """WITH_SETTINGS=0 means no to everybody but a shell; make hands over what it was given."""
    with pytest.raises(SystemExit) as ended:
        main(["uninstall", "--pi", "pi@stand-in", f"--with-settings={given}"])
    assert ended.value.code == 2
    assert f"WITH_SETTINGS={given}: say 1 to remove them, or leave it out" in capsys.readouterr().err
    command = ["make", "-n", "uninstall", "PI=pi@stand-in", f"WITH_SETTINGS={given}"]
    asked = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert '--with-settings="$WITH_SETTINGS"' in asked


def _model(stand_in: "StandIn") -> Path:
    path = stand_in.folder / "given.tflite"
    path.write_bytes(b"good")
    return path
