# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The seam between us and everything that tells power, and the only place that knows which meters exist."""

import logging
from pathlib import Path
from typing import Literal, Protocol, assert_never

from ..errors import SettingsError
from ..firmware import Firmware
from .nameplate import Correction, MeterLost, Nameplate

__all__ = ["Correction", "Meter", "MeterKind", "MeterLost", "Nameplate", "open_meter"]

MeterKind = Literal["auto", "pmic", "hwmon", "rapl", "none"]

_Kind = Literal["pmic", "hwmon", "rapl", "none"]
_BEST_FIRST: tuple[_Kind, ...] = ("pmic", "hwmon", "rapl")

log = logging.getLogger(__name__)


class Meter(Protocol):
    """A source of power readings. It holds nothing open: a sensor that went and came back is simply there again."""

    @property
    def plate(self) -> Nameplate:
        """What it measures, how finely and how often."""
        ...

    def read(self) -> float:
        """Return watts or, where the plate says so, the joules counted so far. Raises MeterLost if there are none now.

        Takes as long as the hardware does, a millisecond or less; never to be called where a frame waits.
        """
        ...


class _Absent(Exception):
    """A kind of meter is not to be had on this machine: why, with the remedy."""


def open_meter(
    kind: MeterKind = "auto", sensor: str = "", root: Path = Path("/"), firmware: Firmware | None = None
) -> Meter:
    """Return the meter of a kind, or the best that is there for 'auto', once it has given a first reading.

    `sensor` names the hwmon sensor, such as 'ina219' or 'ina3221@1-0041/2'. Raises SettingsError if what was named is
    not there: only 'auto' may end up with none.
    """
    if sensor and kind not in ("auto", "hwmon"):
        raise SettingsError(f'the sensor {sensor!r} is hwmon\'s, but the meter is {kind!r}; use meter = "hwmon"')
    if kind == "auto" and not sensor:
        return _best(root, firmware or Firmware(root))
    try:
        return _open("hwmon" if kind == "auto" else kind, sensor, root, firmware or Firmware(root))
    except _Absent as absent:
        raise SettingsError(f"meter {kind!r}: {absent}") from None


def _best(root: Path, firmware: Firmware) -> Meter:
    """The board's own chip, then a sensor in its supply, then the processor's counters."""
    for kind in _BEST_FIRST:
        try:
            meter = _open(kind, "", root, firmware)
        except _Absent as absent:
            log.debug("meter-absent kind=%s reason=%s", kind, absent)
            continue
        log.info("meter=%s includes=%s misses=%s", meter.plate.name, meter.plate.includes, meter.plate.misses)
        return meter
    log.info("meter=none: this machine cannot tell what it takes")
    return _open("none", "", root, firmware)


def _open(kind: _Kind, sensor: str, root: Path, firmware: Firmware) -> Meter:
    match kind:
        case "none":
            from .none import NoMeter

            return NoMeter()
        case "pmic":
            return _pmic(firmware)
        case "hwmon":
            return _hwmon(sensor, root)
        case "rapl":
            return _rapl(root)
        case _:
            assert_never(kind)


def _pmic(firmware: Firmware) -> Meter:
    from .pmic import Pmic

    return _tried(Pmic(firmware), "only a Raspberry Pi 5 has one; use 'auto'")


def _hwmon(sensor: str, root: Path) -> Meter:
    from .hwmon import Hwmon, choose, sensors

    every = sensors(root)
    found = choose(every, sensor) if sensor else [one for one in every if one.chip.startswith("ina")]
    there = ", ".join(map(str, every)) or "none at all"
    if not found:
        named = f"no sensor {sensor!r}" if sensor else "no power sensor of the INA family"
        raise _Absent(f"{named} among hwmon's (there is {there}); load its driver, or name one of those")
    if len(found) > 1:
        raise _Absent(f"several hwmon sensors ({there}); name the one that feeds the board, as CHIP@ADDRESS/CHANNEL")
    try:
        return _tried(Hwmon(found[0], root), "check its wiring")
    except (OSError, ValueError) as error:
        raise _Absent(f"the sensor {found[0]} does not answer ({error}); check its wiring") from None


def _rapl(root: Path) -> Meter:
    from .rapl import Rapl

    try:
        return _tried(Rapl(root), "check /sys/class/powercap")
    except PermissionError as error:
        # CVE-2020-8694 (Platypus): the counters leak what others compute, so Linux keeps them for root.
        raise _Absent(f"{error.filename}: root only since CVE-2020-8694; sudo chmod a+r it, or run as root") from None
    except (OSError, ValueError) as error:
        raise _Absent(f"no energy counter ({error}); only x86 processors have one; use 'auto'") from None


def _tried(meter: Meter, remedy: str) -> Meter:
    try:
        meter.read()
    except MeterLost as error:
        raise _Absent(f"{error}; {remedy}") from None
    return meter
