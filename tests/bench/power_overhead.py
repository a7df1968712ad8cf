# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""What measuring power costs: CPU seconds a second of our own sampler over every kind of meter, as JSON on stdout.

The real code reads a recorded board; what the hardware itself needs to answer is not in it, and is no CPU time.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from host import host

from labelcam.board import Board
from labelcam.firmware import Firmware
from labelcam.power import Meter, open_meter
from labelcam.sampler import Sampler
from recorded_board import INA219, Tape, hwmon, package, pi5

HZ = 10.0
MOST = 0.01
"""The target: one hundredth of one core."""


def main() -> int:
    """Measure every kind and print the document."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0, metavar="S", help="for each kind (20)")
    seconds = parser.parse_args().seconds
    kinds: dict[str, Callable[[Path, Firmware], Meter]] = {
        "none": lambda root, firmware: open_meter("none", "", root, firmware),
        "hwmon": lambda root, firmware: open_meter("hwmon", "ina219", root, firmware),
        "rapl": lambda root, firmware: open_meter("rapl", "", root, firmware),
        "pmic": lambda root, firmware: open_meter("pmic", "", root, firmware),
    }
    with tempfile.TemporaryDirectory(prefix="labelcam-power-") as folder:
        root = Path(folder)
        firmware = Firmware(root, _board(root))
        measured = {
            kind: _share(opened(root, firmware), Board(root, firmware), seconds) for kind, opened in kinds.items()
        }
    worst = max(measured.values())
    target = {"figure": "meter_cpu_share", "wanted": f"< {MOST}", "measured": worst, "reached": worst < MOST}
    print(json.dumps({"schema": 1, "hz": HZ, "host": host(), "cpu_share": measured, "targets": [target]}, indent=2))
    return 0


def _board(root: Path) -> Tape:
    tape = pi5(root)
    hwmon(root, 1, INA219)
    package(root, 0, 1)
    return tape


def _share(meter: Meter, board: Board, seconds: float) -> float:
    """CPU seconds a second of this process, whose main thread sleeps meanwhile."""
    with Sampler(meter, board, HZ):
        before, begun = time.process_time(), time.monotonic()
        time.sleep(seconds)
        return round((time.process_time() - before) / (time.monotonic() - begun), 5)


if __name__ == "__main__":
    sys.exit(main())
