# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
from dataclasses import replace

import pytest

from labelcam_flash.errors import FlashFailed
from labelcam_flash.facts import Facts
from labelcam_flash.target import check_room, target_of

PI = Facts(
    model="Raspberry Pi 4 Model B Rev 1.4",
    machine="aarch64",
    userland="arm64",
    os="Debian GNU/Linux 12 (bookworm)",
    python=(3, 11),
    free_bytes=2_000_000_000,
    environments=frozenset(),
    cameras=("/dev/video0",),
    picamera2=False,
    clock=0.0,
    clock_synced=False,
    release=None,
    trial=None,
    settings=None,
    settings_edited=False,
    secrets_fresh=True,
    service="inactive",
    status="",
)


@pytest.mark.parametrize(("python", "name"), [((3, 11), "bookworm"), ((3, 13), "trixie")])
def test_two_systems_are_served(python: tuple[int, int], name: str) -> None:
    """Bookworm's Python and Trixie's have wheels pinned for them."""
    assert target_of("pi", replace(PI, python=python)).name == name


@pytest.mark.parametrize(
    "found",
    [
        replace(PI, machine="armv7l", userland="armhf"),
        replace(PI, userland="armhf"),  # a 64-bit kernel under a 32-bit system, as Raspberry Pi OS had for years
        replace(PI, machine="armv6l", userland=""),
    ],
)
def test_a_32_bit_system_gets_one_line(found: Facts) -> None:
    """It is told to use the 64-bit image, and nothing else."""
    with pytest.raises(FlashFailed, match=r"^pi: its system is arm\w+; use the 64-bit image$"):
        target_of("pi", found)


def test_another_python_is_told_which_systems_will_do() -> None:
    """Neither Bullseye nor a system newer than the pins is tried."""
    with pytest.raises(FlashFailed, match=r"has Python 3.9; use Raspberry Pi OS Bookworm"):
        target_of("pi", replace(PI, python=(3, 9)))


def test_a_full_card_is_refused_before_anything_is_copied() -> None:
    """The line says what is free and what is needed, unpacking included where wheels are new."""
    check_room("pi", replace(PI, free_bytes=100_000_000), 1_000_000, to_unpack=False)
    with pytest.raises(FlashFailed, match=r"^pi: 100 MB are free and 471 are needed; "):
        check_room("pi", replace(PI, free_bytes=100_000_000), 1_000_000, to_unpack=True)
