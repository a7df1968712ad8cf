# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""No meter: most boards cannot tell what they take, and everything but energy works without one."""

from .nameplate import MeterLost, Nameplate


class NoMeter:
    """Has nothing to say; whoever samples sees that on its plate and does not ask."""

    plate = Nameplate(name="none", includes="nothing", misses="everything", unit="watts", max_hz=0.0, resolution=None)

    def read(self) -> float:
        """Raise MeterLost: there is no meter."""
        raise MeterLost("there is no meter")
