# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""`labelcam` in a process of its own, on a machine whose kernel files lie in a folder.

`on_a_recorded_board.py ROOT run …`: the real code reads them; whoever writes them meanwhile makes the board hot.
"""

import sys
from pathlib import Path

import labelcam.plan
import labelcam.running
from labelcam.board import Board
from labelcam.cli import main
from labelcam.firmware import Firmware
from labelcam.power import Meter, MeterKind, open_meter
from recorded_board import Tape


def on(root: Path) -> None:
    """Have the daemon look for the board and its meter there."""

    def meter_there(kind: MeterKind, sensor: str = "") -> Meter:
        return open_meter(kind, sensor, root)

    labelcam.plan.open_meter = meter_there
    firmware = Firmware(root, Tape({"get_throttled": "throttled=0x0"}))  # silent where its node has not been written
    labelcam.running.Board = lambda: Board(root, firmware)


if __name__ == "__main__":
    on(Path(sys.argv[1]))
    sys.exit(main(sys.argv[2:]))
