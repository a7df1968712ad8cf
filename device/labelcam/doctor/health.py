# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""How the board is: its supply, its temperature, its clock."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from ..board import Board
from ..checklist import Check, failed
from ..firmware import Firmware, FirmwareSilent
from ..journal.clock import clock_state

HOT_CELSIUS = 80.0
"""Where a Pi begins to throttle."""

LEAST_YEAR = 2025
"""A clock that says less has never been set."""

_HAS_BEEN_LOW = 1 << 16
"""get_throttled: under-voltage has occurred; the kernel's driver may clear it, so only its presence means something."""


def examine_health(root: Path, firmware: Firmware | None = None, now: datetime | None = None) -> Iterator[Check]:
    """Yield what board and clock say; nothing of what this machine cannot tell."""
    firmware = firmware or Firmware(root)
    board = Board(root, firmware)
    state = board.state()
    if board.model:
        yield Check("board", True, board.model)
    if state.undervolted or _has_been_low(firmware):
        yield failed("supply", "the voltage is or was too low", "use the Pi's own power supply and a short cable")
    elif state.undervolted is not None:
        yield Check("supply", True, "the voltage is high enough")
    if state.celsius is not None:
        hot = state.celsius >= HOT_CELSIUS or bool(state.throttled)
        told = f"{state.celsius:.0f} °C" + (", and the clock is held down" if state.throttled else "")
        remedy = "give it a heat sink or air, or lower limits.max_fps"
        yield failed("temperature", told, remedy) if hot else Check("temperature", True, told)
    yield _clock(now or datetime.now(UTC))


def _has_been_low(firmware: Firmware) -> bool:
    try:
        return bool(int(firmware.ask("get_throttled").partition("=")[2], 16) & _HAS_BEEN_LOW)
    except (FirmwareSilent, ValueError):
        return False


def _clock(now: datetime) -> Check:
    told = f"{now:%Y-%m-%d %H:%M} UTC"
    if now.year < LEAST_YEAR:
        return failed("clock", f"{told}: it has never been set", "connect the network, or: sudo timedatectl set-time …")
    return Check("clock", True, f"{told}, {clock_state()}")
