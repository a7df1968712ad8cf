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
from dataclasses import asdict
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from host import host
from targets import Target

from labelcam.board import Board
from labelcam.firmware import Firmware
from labelcam.power import Meter, MeterKind, open_meter
from labelcam.sampler import Sampler
from recorded_board import INA219, Tape, hwmon, package, pi5

HZ = 10.0
MOST = 0.01
"""The target: one hundredth of one core."""


def main() -> int:
    """Measure every kind and print the document."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0, metavar="S", help="for each kind (20)")
    print(json.dumps({"host": host(), **overhead(parser.parse_args().seconds)}, indent=2))
    return 0


def overhead(seconds: float) -> dict[str, Any]:
    """Return what every kind of meter costs, measured for so many seconds each, and the target."""
    with tempfile.TemporaryDirectory(prefix="labelcam-power-") as folder:
        root = Path(folder)
        firmware = Firmware(root, _board(root))
        kinds: dict[MeterKind, str] = {"none": "", "hwmon": "ina219", "rapl": "", "pmic": ""}
        measured = {
            kind: _share(open_meter(kind, sensor, root, firmware), Board(root, firmware), seconds)
            for kind, sensor in kinds.items()
        }
    worst = max(measured.values())
    target = Target("meter_cpu_share", f"< {MOST}", worst, worst < MOST)
    return {"hz": HZ, "cpu_share": measured, "targets": [asdict(target)]}


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
