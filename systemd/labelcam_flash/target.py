# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The systems that a release can be made for, and whether a Pi's is one of them and has room for it."""

from dataclasses import dataclass

from .errors import FlashFailed
from .facts import Facts

UNPACKED_BYTES = 450_000_000
"""What the wheels become on the Pi (300 MB at most, and their byte code), with some air."""

AIR_BYTES = 20_000_000


@dataclass(frozen=True, slots=True)
class Target:
    """A system that wheels are pinned for."""

    name: str
    """Of the constraints file: bookworm or trixie."""

    python: tuple[int, int]
    glibc: int
    """The minor version of its glibc 2.x: wheels for older ones run as well."""


TARGETS = {(3, 11): Target("bookworm", (3, 11), 36), (3, 13): Target("trixie", (3, 13), 41)}


def target_of(host: str, facts: Facts) -> Target:
    """Return the target. Raises FlashFailed, with the remedy, for a machine that no release can be made for."""
    if facts.machine != "aarch64" or facts.userland not in ("arm64", ""):
        raise FlashFailed(f"{host}: its system is {facts.userland or facts.machine}; use the 64-bit image")
    if facts.python not in TARGETS:
        raise FlashFailed(
            f"{host}: {facts.os} has Python {'.'.join(map(str, facts.python))}; "
            "use Raspberry Pi OS Bookworm (3.11) or Trixie (3.13), 64-bit"
        )
    return TARGETS[facts.python]


def check_room(host: str, facts: Facts, to_copy: int, *, to_unpack: bool) -> None:
    """Refuse a Pi whose disk is too full for so many bytes, and the wheels unpacked. Raises FlashFailed."""
    needed = to_copy + AIR_BYTES + (UNPACKED_BYTES if to_unpack else 0)
    if facts.free_bytes < needed:
        raise FlashFailed(
            f"{host}: {facts.free_bytes / 1e6:.0f} MB are free and {needed / 1e6:.0f} are needed; "
            "free some, or use a larger card"
        )
