# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""A Raspberry Pi 5's power management chip: volts and amperes of the twelve rails that it makes out of 5 V."""

import re
from collections.abc import Mapping

from ..firmware import Firmware, FirmwareSilent
from .nameplate import Correction, MeterLost, Nameplate

# '  VDD_CORE_A current(7)=0.75012000A' and, further down, ' VDD_CORE_V volt(15)=0.88725180V'. The numbers in brackets
# are channels of the converter, not pairs.
_LINE = re.compile(r"(\w+)_([AV]) +(?:current|volt)\(\d+\)=([0-9.]+)[AV]")

BOARD_ESTIMATE = Correction(
    1.1451, 0.5879, "linear fit of the sum to a USB-C meter on one Pi 5, by its community (jfikar/RPi5-power)"
)

PLATE = Nameplate(
    name="pmic",
    includes="the sum of the Pi 5's twelve PMIC rails: CPU cores, memory, the chips' own interfaces, radio, HDMI",
    misses="what is taken from 5 V directly: USB devices, HATs, the fan; and the losses of the regulators",
    unit="watts",
    # The firmware reads its converter anew for every question; more than this would be felt as a load of its own.
    max_hz=10.0,
    # Recordings show steps of 15.0024 mA on VDD_CORE, the coarsest rail, at 0.9 V.
    resolution=0.0135,
    correction=BOARD_ESTIMATE,
)


def rails(answer: str) -> Mapping[str, tuple[float, float]]:
    """Return volts and amperes of every rail that has both, by name; EXT5V and BATT have no amperes."""
    values = {(name, unit): float(value) for name, unit, value in _LINE.findall(answer)}
    return {name: (values[name, "V"], amperes) for (name, unit), amperes in values.items()
            if unit == "A" and (name, "V") in values}  # fmt: skip


class Pmic:
    """Asks the firmware for all rails at once. What it gives is their raw sum, which is measured, not the estimate."""

    plate = PLATE

    def __init__(self, firmware: Firmware) -> None:
        self._firmware = firmware

    def read(self) -> float:
        """Return the sum of the rails, in watts. Raises MeterLost if the firmware does not say."""
        try:
            found = rails(self._firmware.ask("pmic_read_adc"))
        except FirmwareSilent as error:
            raise MeterLost(str(error)) from None
        if not found:
            raise MeterLost("the firmware's answer to pmic_read_adc has no rail with volts and amperes")
        return sum(volts * amperes for volts, amperes in found.values())
