# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Secrets that lie on the Pi: a flash hands the service what lies there now."""

from typing import TYPE_CHECKING

from labelcam_flash.flash import status

if TYPE_CHECKING:
    from conftest import StandIn


def handed(stand_in: "StandIn") -> dict[str, str]:
    """What the service has."""
    folder = stand_in.base / "run/credentials/labelcam.service"
    return {path.name: path.read_text() for path in folder.glob("*")}


def restarts(stand_in: "StandIn") -> int:
    return len([call for call in stand_in.calls() if call.startswith("restart")])


def test_a_secret_that_is_put_there_is_handed_over_by_the_next_flash(stand_in: "StandIn") -> None:
    """Although nothing else has changed; and when it has been, nothing is restarted any more."""
    stand_in.flash()
    stand_in.secret("mqtt").write_text("first\n")
    assert "its secrets have changed since it was started; make flash hands them over" in status(stand_in.pi)
    assert "is live" in stand_in.flash()
    assert handed(stand_in) == {"mqtt": "first\n"}
    assert "runs already" in stand_in.flash()
    assert "secrets" not in status(stand_in.pi)
    assert restarts(stand_in) == 2


def test_a_secret_that_is_changed_or_removed_is_taken_up(stand_in: "StandIn") -> None:
    """One that is gone would keep the service from starting, for its unit would ask for it."""
    stand_in.secret("mqtt").write_text("first\n")
    stand_in.flash()
    stand_in.secret("mqtt").write_text("second\n")
    stand_in.flash()
    assert handed(stand_in) == {"mqtt": "second\n"}
    stand_in.secret("mqtt").unlink()
    assert "is live" in stand_in.flash()
    assert handed(stand_in) == {}
    assert "runs already" in stand_in.flash()
    assert restarts(stand_in) == 3


def test_what_an_editor_leaves_is_no_secret(stand_in: "StandIn") -> None:
    """Nano's and vim's own files begin with a dot."""
    stand_in.flash()
    stand_in.secret(".mqtt.swp").write_text("x")
    assert "runs already" in stand_in.flash()


def test_the_same_release_goes_through_its_trial_with_new_secrets(stand_in: "StandIn") -> None:
    """It is checked with them before anything is restarted."""
    stand_in.flash()
    stand_in.secret("http").write_text("0123456789abcdef\n")
    stand_in.told.clear()
    stand_in.flash()
    assert "token=0123456789abcdef" in (stand_in.folder / "checked").read_text()
    assert "waiting for the first label" in stand_in.told
