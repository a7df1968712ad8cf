# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""An INA219 behind the kernel's own hwmon driver: i2c-stub is the bus, and what its registers hold is up to a test.

Registers as in Texas Instruments' data sheet, SBOS448. The stand-in multiplies nothing by itself: all are written.
"""

from dataclasses import dataclass

from machine import Machine

_BUS, _ADDRESS = "0", "0x40"
_SHUNT_OHMS = 0.1  # of the boards that everybody has


@dataclass(frozen=True, slots=True)
class Ina219:
    """The chip, on the Pi's only I2C bus."""

    pi: Machine

    def attach(self, volts: float, amperes: float) -> None:
        """Have the kernel find it, with this supply."""
        self.supply(volts, amperes)
        self.pi.write(f"/sys/bus/i2c/devices/i2c-{_BUS}/new_device", f"ina219 {_ADDRESS}".encode())
        chip = f"/sys/bus/i2c/devices/{_BUS}-0040/hwmon/hwmon*"
        self.pi.run("sh", "-c", f"echo {round(_SHUNT_OHMS * 1e6)} > $(echo {chip})/shunt_resistor")

    def supply(self, volts: float, amperes: float) -> None:
        """Let it measure this from now on."""
        shunt_volts = amperes * _SHUNT_OHMS
        self._write(1, shunt_volts / 10e-6)
        self._write(2, volts / 4e-3 * 8)  # the lowest three bits are flags
        # The driver's calibration makes the current's step that of the shunt's voltage, and the power's twenty of it.
        self._write(3, volts * amperes / (20 * 10e-6 / _SHUNT_OHMS))
        self._write(4, shunt_volts / 10e-6)

    def _write(self, register: int, value: float) -> None:
        big_endian = int.from_bytes(round(value).to_bytes(2, "big"), "little")
        self.pi.run("/usr/sbin/i2cset", "-f", "-y", _BUS, _ADDRESS, str(register), hex(big_endian), "w")
