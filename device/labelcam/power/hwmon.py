# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Power sensors that the kernel knows: an INA219, INA226 or INA3221 in the board's supply, most of all.

Sensors are found by name: the numbers of the folders change from one start to the next. Units are the kernel's
(Documentation/hwmon/sysfs-interface): microwatts, millivolts, milliamperes.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .nameplate import MeterLost, Nameplate

FOLDER = "sys/class/hwmon"

# Microwatts of a step times ohms: Documentation/hwmon/ina2xx and the chips' data sheets. 10 microvolts over the shunt,
# times 20, for the INA219; 2.5 microvolts times 25 for the INA226.
_STEP_UW_OHM = {"ina219": 200, "ina220": 200, "ina226": 62.5, "ina230": 62.5, "ina231": 62.5}
_INA260_STEP_W = 0.010
_INA3221_STEP_UV = 40
_FASTEST_HZ = 100.0  # the chips convert in a millisecond, and a reading over I2C takes half of one


@dataclass(frozen=True, slots=True)
class Sensor:
    """One channel of a chip that tells power, or voltage and current."""

    chip: str
    """As the kernel calls it: 'ina219'."""

    address: str
    """Where it is attached: '1-0040' is address 0x40 of I2C bus 1."""

    channel: int
    label: str
    """What the board's maker calls the channel; mostly empty."""

    folder: Path
    tells_power: bool
    """Whether the chip multiplies by itself."""

    def __str__(self) -> str:
        return f"{self.chip}@{self.address}/{self.channel}" + (f" ({self.label})" if self.label else "")

    def read(self) -> float:
        """Return the power in watts. Raises OSError or ValueError if the chip does not answer."""
        if self.tells_power:
            return self._number("power") * 1e-6
        return self.volts() * self._number("curr") * 1e-3

    def volts(self) -> float:
        """Return the voltage. Raises OSError or ValueError if the chip does not answer."""
        return self._number("in") * 1e-3

    def _number(self, quantity: str) -> int:
        return int((self.folder / f"{quantity}{self.channel}_input").read_text(encoding="ascii"))


def sensors(root: Path = Path("/")) -> list[Sensor]:
    """Return every channel of every chip that can tell a power, ordered by where they are attached."""
    return sorted(_sensors(root / FOLDER), key=lambda sensor: (sensor.chip, sensor.address, sensor.channel))


def choose(found: list[Sensor], wanted: str) -> list[Sensor]:
    """Return the sensors that a name means: CHIP, CHIP@ADDRESS, each with or without /CHANNEL, by number or label."""
    name, _, channel = wanted.partition("/")
    chip, _, address = name.partition("@")
    return [
        sensor
        for sensor in found
        if sensor.chip == chip
        and address in ("", sensor.address)
        and channel in ("", str(sensor.channel), sensor.label)
    ]


class Hwmon:
    """Reads one sensor, and finds it again should its driver have been away."""

    def __init__(self, sensor: Sensor, root: Path = Path("/")) -> None:
        """Read what the chip says of itself. Raises OSError or ValueError if it does not answer."""
        self._sensor, self._root = sensor, root
        self.plate = Nameplate(
            name=f"hwmon {sensor}",
            includes="all that is fed through the sensor's shunt",
            misses="what is fed past it; the losses of the power supply before it",
            unit="watts",
            max_hz=_max_hz(sensor),
            resolution=_resolution(sensor),
        )

    def read(self) -> float:
        """Return the power in watts. Raises MeterLost if the chip does not answer."""
        try:
            return self._sensor.read()
        except (OSError, ValueError) as error:
            self._sensor = next((one for one in sensors(self._root) if str(one) == str(self._sensor)), self._sensor)
            raise MeterLost(f"{self.plate.name}: {error}") from None


def _sensors(folder: Path) -> Iterator[Sensor]:
    for chip in folder.glob("hwmon*"):
        name = _text(chip / "name")
        address = (chip / "device").resolve().name if (chip / "device").exists() else chip.name
        powers = _numbered(chip, "power")
        for n in powers or _numbered(chip, "in") & _numbered(chip, "curr"):
            if _text(chip / f"in{n}_enable") != "0":
                label = _text(chip / f"power{n}_label") or _text(chip / f"in{n}_label")
                yield Sensor(name, address, n, label, chip, bool(powers))


def _numbered(chip: Path, quantity: str) -> set[int]:
    names = (re.fullmatch(rf"{quantity}(\d+)_input", path.name) for path in chip.glob(f"{quantity}*_input"))
    return {int(name[1]) for name in names if name}


def _max_hz(sensor: Sensor) -> float:
    """Where the chip averages, it has something new only once in its interval."""
    interval_ms = _whole(sensor.folder / "update_interval")
    return min(_FASTEST_HZ, 1000 / interval_ms) if interval_ms else _FASTEST_HZ


def _resolution(sensor: Sensor) -> float | None:
    """One step of the chip's power register, in watts; an INA3221 has none, but a step of current at its voltage."""
    if sensor.chip == "ina260":
        return _INA260_STEP_W
    if sensor.chip == "ina3221":
        shunt = _whole(sensor.folder / f"shunt{sensor.channel}_resistor")
        return _INA3221_STEP_UV / shunt * sensor.volts() if shunt else None
    step, shunt = _STEP_UW_OHM.get(sensor.chip), _whole(sensor.folder / "shunt_resistor")
    return step / shunt if step and shunt else None  # microwatts times ohms, by microohms


def _whole(path: Path) -> int:
    text = _text(path)
    return int(text) if text.isdecimal() else 0


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
