# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Settings that somebody edits on the Pi: they are no content that releases share, and they count."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from labelcam_flash.errors import FlashFailed, RolledBack
from labelcam_flash.flash import roll_back, status

if TYPE_CHECKING:
    from conftest import StandIn


def settings(stand_in: "StandIn") -> Path:
    return stand_in.base / "opt/labelcam/current/labelcam.toml"


def edit(stand_in: "StandIn", text: str) -> None:
    """As nano and cp do: into the file that is there."""
    with settings(stand_in).open("r+") as file:
        file.truncate()
        file.write(text)


def test_a_new_release_does_not_touch_the_settings_of_the_live_one(stand_in: "StandIn") -> None:
    """The commonest flash, a new model with the same settings, refused at its end: the service can restart."""
    stand_in.flash(b"good")
    settings(stand_in).chmod(0o640)
    before = settings(stand_in).stat()
    stand_in.fails("model")
    with pytest.raises(FlashFailed, match="model: fails here"):
        stand_in.flash(b"good, and new")
    after = settings(stand_in).stat()
    assert (after.st_ino, after.st_mode, after.st_ctime_ns) == (before.st_ino, before.st_mode, before.st_ctime_ns)
    laid = list((stand_in.base / "opt/labelcam/releases").glob("*/labelcam.toml"))
    assert len(laid) == 2
    assert {(path.stat().st_nlink, path.stat().st_mode & 0o777) for path in laid} == {(1, 0o640)}


def test_everything_else_is_shared_and_read_only(stand_in: "StandIn") -> None:
    """Nobody writes into two releases at once by mistake."""
    stand_in.flash()
    model = stand_in.base / "opt/labelcam/current/model.tflite"
    assert model.stat().st_mode & 0o777 == 0o444
    assert model.stat().st_nlink == 2


def test_edited_settings_are_told_and_taken_up(stand_in: "StandIn") -> None:
    """A flash without SETTINGS keeps what runs, as it is; the release before is what ran before."""
    stand_in.flash(b"good", "# mine\n")
    edit(stand_in, "# edited\n")
    assert "its settings were edited there since it was flashed" in status(stand_in.pi)
    assert "is live" in stand_in.flash(b"good", None)
    assert settings(stand_in).read_text() == "# edited\n"
    assert "edited there" not in status(stand_in.pi)
    assert "runs already" in stand_in.flash(b"good", None)
    assert "is live" in stand_in.flash(b"good, and new", None)
    assert settings(stand_in).read_text() == "# edited\n"


def test_the_original_settings_can_be_had_again(stand_in: "StandIn") -> None:
    """A flash with them restores them, and what was edited is what a rollback brings back."""
    stand_in.flash(b"good", "# mine\n")
    edit(stand_in, "# edited\n")
    assert "is live" in stand_in.flash(b"good", "# mine\n")
    assert settings(stand_in).read_text() == "# mine\n"
    assert "runs already" in stand_in.flash(b"good", "# mine\n")
    roll_back(stand_in.pi)
    assert settings(stand_in).read_text() == "# edited\n"
    assert "runs already" in stand_in.flash(b"good", None)


def test_original_settings_that_do_not_hold_give_way_to_the_edited_ones(stand_in: "StandIn") -> None:
    """They were edited for a reason."""
    stand_in.flash(b"good", "# mine\n")
    edit(stand_in, "# edited\n")
    stand_in.alter("systemctl", 'grep -q bad "$current/model.tflite"', 'grep -q mine "$current/labelcam.toml"')
    with pytest.raises(RolledBack, match="as before"):
        stand_in.flash(b"good", "# mine\n")
    assert settings(stand_in).read_text() == "# edited\n"
    assert "active" in (stand_in.folder / "service").read_text()


def test_edited_settings_spoil_no_other_flash(stand_in: "StandIn") -> None:
    """Neither a new model with the original settings is refused, nor does the store keep what was edited for them."""
    stand_in.flash(b"good", "# mine\n")
    edit(stand_in, "# edited\n")
    assert "is live" in stand_in.flash(b"good, and new", "# mine\n")
    assert settings(stand_in).read_text() == "# mine\n"


def test_settings_that_are_no_text_are_not_taken_up(stand_in: "StandIn") -> None:
    """Nor are the defaults flashed in their place without a word."""
    stand_in.flash()
    settings(stand_in).write_bytes(b"# \xff\xfe\n")
    with pytest.raises(FlashFailed, match="the settings on the Pi are no UTF-8 text; mend them there, or"):
        stand_in.flash(b"good", None)


def test_empty_settings_are_settings(stand_in: "StandIn") -> None:
    """Valid, and all defaults: given, they replace others, and left out they stay."""
    stand_in.flash(b"good", "# mine\n")
    stand_in.flash(b"good", "")
    assert settings(stand_in).read_text() == ""
    stand_in.flash(b"good, and new", None)
    assert settings(stand_in).read_text() == ""


def test_a_damaged_content_is_refused_once(stand_in: "StandIn") -> None:
    """The next run sends it again."""
    stand_in.flash(b"good")
    live = stand_in.base / "opt/labelcam/current/requirements.txt"
    live.chmod(0o644)
    live.write_bytes(live.read_bytes()[::-1])
    with pytest.raises(FlashFailed, match=r"requirements.txt was damaged on the Pi's disk and has been removed"):
        stand_in.flash(b"good, and new")
    assert "is live" in stand_in.flash(b"good, and new")
