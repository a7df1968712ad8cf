# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Which Coral sticks are plugged in, on a tree like the kernel's."""

from edgetpu_library import BARE, READY, Stick
from labelcam.edgetpu.usb import Finding, corals, link


def others(stick: Stick) -> None:
    """What else is listed: the root hub, its interface, a keyboard, and a device that went while we looked."""
    stick.plug("usb2", 1, idVendor="1d6b", idProduct="0003")
    stick.plug("2-0:1.0", 1)
    stick.plug("1-1.4", 5, idVendor="046d", idProduct="c31c", speed="1.5")
    (stick.usb / "1-1.3").mkdir()


def test_a_coral_is_found_among_other_devices(stick: Stick) -> None:
    """Port, device file and speed are told; hubs, interfaces and half-gone devices are not mistaken for one."""
    others(stick)
    stick.plug("2-1.4", 7, **READY)
    (found,) = corals(stick.machine())
    assert (found.port, found.node, found.speed_mbps, found.ready) == ("2-1.4", stick.nodes / "002/007", 5000, True)
    assert link((found,)) == Finding(True, "a Coral on port 2-1.4, 5000 Mbit/s")


def test_without_one_nothing_is_wrong(stick: Stick) -> None:
    """Most machines have none, and some containers list no USB at all."""
    assert corals(stick.machine()) == ()
    others(stick)
    assert corals(stick.machine()) == ()
    assert link(()) == Finding(True, "no Coral USB Accelerator is plugged in")


def test_usb_2_is_said_with_the_remedy(stick: Stick) -> None:
    """A third of the speed is lost in silence otherwise."""
    stick.plug("1-1.2", 4, speed="480")
    finding = link(corals(stick.machine()))
    assert not finding.ok
    assert finding.detail == "the Coral on port 1-1.2 runs at USB 2 speed (480 Mbit/s)"
    assert "USB 3 port" in finding.remedy


def test_before_its_firmware_the_speed_is_not_held_against_it(stick: Stick) -> None:
    """A stick that nobody has used yet shows up as another device, more slowly than it will run."""
    stick.plug(**BARE)
    finding = link(corals(stick.machine()))
    assert finding.ok
    assert "not used since it was plugged in" in finding.detail


def test_one_that_may_not_be_opened_is_said_with_the_remedy(stick: Stick) -> None:
    """Without the udev rules only root may open it."""
    stick.plug(node=False)
    finding = link(corals(stick.machine()))
    assert not finding.ok
    assert finding.detail == f"the Coral on port 2-1 cannot be opened ({stick.nodes}/002/003)"
    assert "plugdev" in finding.remedy
