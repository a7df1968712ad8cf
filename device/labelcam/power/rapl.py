# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""RAPL: the energy counters in Intel's and AMD's processors, as Linux's powercap has them."""

from pathlib import Path

from .nameplate import MeterLost, Nameplate

ZONES = "sys/class/powercap"

_UJ = 1e-6


class Rapl:
    """Adds up every package of the machine, each with a counter that starts again at zero."""

    plate = Nameplate(
        name="rapl",
        includes="the processor's packages: cores, caches, memory controller, graphics inside it",
        misses="all else: memory modules, disks, screen, power supply",
        unit="joules",
        max_hz=100.0,  # counters move every millisecond; ten of them keep that below a tenth of a difference
        resolution=2.0**-14,  # Intel's usual energy unit, 61 microjoules
    )

    def __init__(self, root: Path = Path("/")) -> None:
        """Find the packages. Raises OSError where there is none or it may not be read."""
        self._packages = [_Package(zone) for zone in _zones(root)]
        if not self._packages:
            raise FileNotFoundError(2, "has no package of RAPL", str(root / ZONES))

    def read(self) -> float:
        """Return the joules counted since the first reading. Raises MeterLost if a counter is gone or began anew."""
        return sum(package.joules() for package in self._packages)


def _zones(root: Path) -> list[Path]:
    """The packages: sub-zones have a second colon in their name, and psys counts a package once more."""
    found = sorted((root / ZONES).glob("intel-rapl:[0-9]*"))
    return [zone for zone in found if (zone / "name").read_text(encoding="ascii").startswith("package-")]


def growth(before: int, now: int, reaches: int) -> int:
    """Return by how much a counter grew that starts again at zero after `reaches`.

    Raises MeterLost where that is more than half of what it reaches (half an hour's energy at 65 W): it did not come
    round then, it was set back, as some are when the machine sleeps.
    """
    grown = (now - before) % (reaches + 1)
    if grown > reaches // 2:
        raise MeterLost(f"an energy counter went from {before} to {now}: it began anew")
    return grown


class _Package:
    def __init__(self, zone: Path) -> None:
        self._counter = zone / "energy_uj"
        self._reaches = int((zone / "max_energy_range_uj").read_text(encoding="ascii"))
        self._last = int(self._counter.read_text(encoding="ascii"))
        self._total = 0

    def joules(self) -> float:
        try:
            now = int(self._counter.read_text(encoding="ascii"))
        except (OSError, ValueError) as error:
            raise MeterLost(f"{self._counter}: {error}") from None
        before, self._last = self._last, now
        self._total += growth(before, now, self._reaches)
        return self._total * _UJ
