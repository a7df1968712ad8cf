# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""What the board says of itself: which it is, how hot, how fast, and whether it is held back. None where it cannot."""

from dataclasses import dataclass
from pathlib import Path

from .firmware import Firmware, FirmwareSilent

MODEL = "proc/device-tree/model"
CPUFREQ = "sys/devices/system/cpu/cpu0/cpufreq"
ZONES = "sys/class/thermal"
HWMON = "sys/class/hwmon"

_CPU_ZONES = ("cpu-thermal", "cpu_thermal", "soc-thermal", "x86_pkg_temp")

# https://www.raspberrypi.com/documentation/computers/os.html#get_throttled; bits 16 to 19 say what has been since the
# last start, but the kernel's own driver clears them every two seconds: nobody may rely on them.
_UNDER_VOLTAGE, _HELD_BACK = 1 << 0, 1 << 1 | 1 << 2 | 1 << 3


@dataclass(frozen=True, slots=True)
class BoardState:
    """How the board is right now."""

    celsius: float | None = None
    mhz: float | None = None
    """Clock of the first core."""

    throttled: bool | None = None
    """Whether the firmware holds the clock down: capped, throttled, or at the soft temperature limit."""

    undervolted: bool | None = None
    """Whether the supply's voltage is too low."""


class Board:
    """Reads the kernel's files and asks the firmware; what is not there once is not looked for again."""

    def __init__(self, root: Path = Path("/"), firmware: Firmware | None = None) -> None:
        self._root = root
        self._firmware = firmware or Firmware(root)
        self._zone = _with_text(root / ZONES, "thermal_zone*/type", _CPU_ZONES)
        self._alarm = _with_text(root / HWMON, "hwmon*/name", ("rpi_volt",))
        self._firmware_tells = True
        self._firmware_tells = self._throttle_bits() is not None

    @property
    def model(self) -> str | None:
        """Return the board's own name; PCs have none here."""
        return (_text(self._root / MODEL) or "").rstrip("\0") or None

    @property
    def governor(self) -> str | None:
        """Return what chooses the clock: 'ondemand', 'performance'."""
        return _text(self._root / CPUFREQ / "scaling_governor")

    def state(self) -> BoardState:
        """Return how the board is, in a millisecond or less."""
        bits = self._throttle_bits()
        return BoardState(
            celsius=_scaled(self._zone and self._zone / "temp", 1e-3),
            mhz=_scaled(self._root / CPUFREQ / "scaling_cur_freq", 1e-3),
            throttled=None if bits is None else bool(bits & _HELD_BACK),
            undervolted=self._undervolted(bits),
        )

    def _throttle_bits(self) -> int | None:
        """Ask in words: the node that the group 'video' may open lets the mailbox's own tag 0x00030046 not through."""
        if not self._firmware_tells:
            return None
        try:
            return int(self._firmware.ask("get_throttled").removeprefix("throttled="), 16)
        except (FirmwareSilent, ValueError):
            return None

    def _undervolted(self, bits: int | None) -> bool | None:
        alarm = _text(self._alarm / "in0_lcrit_alarm") if self._alarm else None
        told = [bool(bits & _UNDER_VOLTAGE)] if bits is not None else []
        told += [alarm != "0"] if alarm else []
        return any(told) if told else None


def _with_text(folder: Path, files: str, texts: tuple[str, ...]) -> Path | None:
    """The first folder whose file says one of the texts, earlier ones first."""
    said = {path.parent: _text(path) for path in sorted(folder.glob(files))}
    return next((place for text in texts for place, one in said.items() if one == text), None)


def _scaled(path: Path | None, factor: float) -> float | None:
    text = _text(path) if path else None
    return int(text) * factor if text and text.lstrip("-").isdecimal() else None


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip() or None
    except OSError:
        return None
