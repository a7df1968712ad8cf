# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""A release on trial: whatever cuts the trial short, the Pi knows which release has proved itself."""

from typing import TYPE_CHECKING

import pytest

from labelcam_flash.errors import ConnectionLost, FlashFailed, GoingBackFailed, RolledBack
from labelcam_flash.flash import roll_back, status

if TYPE_CHECKING:
    from conftest import StandIn


@pytest.fixture
def proven(stand_in: "StandIn") -> str:
    """The release that held; the one that is live has been cut off in its trial."""
    stand_in.flash(b"good")
    name = stand_in.live()
    stand_in.cut_power()
    with pytest.raises(ConnectionLost):
        stand_in.flash(b"good, and new")
    assert stand_in.live() != name
    return name


def previous(stand_in: "StandIn") -> str | None:
    link = stand_in.base / "opt/labelcam/previous"
    return link.readlink().name if link.is_symlink() else None


def test_a_release_whose_trial_was_cut_short_is_said_to_be_on_trial(stand_in: "StandIn", proven: str) -> None:
    """Whoever looks is told, and where the way back leads."""
    said = status(stand_in.pi)
    assert "on trial: a flash is at work, or was cut off" in said
    assert f"make rollback goes back to {proven}" in said


def test_such_a_release_is_tried_again(stand_in: "StandIn", proven: str) -> None:
    """It is live, and does not count as running: only now the one before it becomes the previous one."""
    name = stand_in.live()
    assert stand_in.flash(b"good, and new").startswith(f"{name} is live")
    assert any("has not proved itself yet" in line for line in stand_in.told)
    assert previous(stand_in) == proven
    assert "on trial" not in status(stand_in.pi)
    assert "runs already" in stand_in.flash(b"good, and new")


def test_such_a_release_is_rolled_back(stand_in: "StandIn", proven: str) -> None:
    """By hand, although nothing had become the previous one yet; it does not become it either."""
    roll_back(stand_in.pi)
    assert stand_in.live() == proven
    assert previous(stand_in) is None
    assert "on trial" not in status(stand_in.pi)


def test_a_third_release_goes_back_to_the_proven_one(stand_in: "StandIn", proven: str) -> None:
    """One that fails does not bring back what never proved itself; one that holds has the proven one before it."""
    with pytest.raises(RolledBack, match=f"live is {proven}, as before"):
        stand_in.flash(b"bad")
    assert stand_in.live() == proven
    stand_in.cut_power()
    with pytest.raises(ConnectionLost):
        stand_in.flash(b"good, and newer")
    stand_in.flash(b"good, and newest")
    assert previous(stand_in) == proven
    kept = {path.name for path in (stand_in.base / "opt/labelcam/releases").iterdir()}
    assert kept == {proven, stand_in.live()}


def test_a_first_release_that_was_cut_short_has_none_before_it(stand_in: "StandIn") -> None:
    """That is what a rollback says; and if another one fails, nothing is left running."""
    stand_in.cut_power()
    with pytest.raises(ConnectionLost):
        stand_in.flash(b"good")
    assert "there is none to go back to" in status(stand_in.pi)
    with pytest.raises(FlashFailed, match="no earlier release"):
        roll_back(stand_in.pi)
    with pytest.raises(RolledBack, match="there was no release before"):
        stand_in.flash(b"bad")
    assert not (stand_in.base / "opt/labelcam/current").is_symlink()


def test_whatever_goes_wrong_in_a_trial_ends_it(stand_in: "StandIn") -> None:
    """Such as a journal that holds what is no text."""
    stand_in.flash()
    before = stand_in.live()
    stand_in.alter("journalctl", "echo 'labelcam: that is why'", r"printf 'that is \377\376 why\n'")
    with pytest.raises(RolledBack, match=f"that is .. why; rolled back, live is {before}, as before"):
        stand_in.flash(b"bad")
    assert stand_in.live() == before


def test_a_fault_of_ours_in_a_trial_ends_it_too(stand_in: "StandIn") -> None:
    """What nobody has foreseen is said by its name; the release before is back."""
    stand_in.flash()
    before = stand_in.live()
    # A number that is none: the first look after the new release was started.
    stand_in.alter("systemctl", "restart)", 'restart) [ -f "$STAND_IN/odd" ] || touch "$STAND_IN/odd" "$STAND_IN/next"')
    stand_in.alter("systemctl", "show)", 'show) if rm "$STAND_IN/next" 2>/dev/null; then echo MainPID=none; exit 0; fi')
    with pytest.raises(RolledBack, match=f"ValueError: .*'none'; rolled back, live is {before}, as before"):
        stand_in.flash(b"good, and new")
    assert stand_in.live() == before


def test_a_way_back_that_fails_is_told_as_what_it_is(stand_in: "StandIn") -> None:
    """Neither as nothing changed nor as rolled back; it stays on record, and a rollback mends it."""
    stand_in.flash()
    before = stand_in.live()
    refuses = stand_in.folder / "refuses"
    refuses.write_text("the bus is gone")
    with pytest.raises(GoingBackFailed, match=r"the bus is gone; going back failed as well \(.*bus is gone\)") as told:
        stand_in.flash(b"good, and new")
    assert told.value.exit_code == 3
    assert "on trial" in status(stand_in.pi)
    refuses.unlink()
    roll_back(stand_in.pi)
    assert stand_in.live() == before
    assert "on trial" not in status(stand_in.pi)


def test_the_record_is_on_the_disk_before_anything_changes(stand_in: "StandIn") -> None:
    """A Pi whose unit is already the new one's and whose link is not yet has a flash to repeat."""
    stand_in.flash()
    (stand_in.base / "opt/labelcam/on-trial").write_text(stand_in.live())
    unit = stand_in.base / "etc/systemd/system/labelcam.service"
    unit.write_text("[Unit]\nDescription=of another release\n")
    assert "is live" in stand_in.flash()
    assert "of another release" not in unit.read_text()
    assert "runs already" in stand_in.flash()
