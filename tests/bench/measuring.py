# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""What the daemon's measuring costs: `labelcam run` with meter, board and journal, against itself with none of them.

Both take turns, and each turn's order is the other way round, so that a slow minute slows both. Beside the frames a
second stands the CPU time of a frame, which neighbours on the machine disturb less. The real code reads a recorded
board (what hardware needs to answer is no CPU time), power at 10 Hz and the rest every second, as by default.
"""

import argparse
import json
import math
import os
import statistics
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from child import ChildFailed, output_of
from host import host
from models import model_files
from targets import Spread

from labelcam.console import complain, progress
from labelcam.errors import LabelcamError
from labelcam.student import student_95
from recorded_board import INA219, hwmon, write

HERE = Path(__file__).parent
CAMERA = "synthetic:640x480"
MOST = 0.02
"""The target: two hundredths of the frames."""

MEASURED = """
[power]
meter = "hwmon"
[limits]
max_celsius = 90
[journal]
folder = "{folder}/journal"
"""
NOTHING = """
[power]
meter = "none"
[journal]
enabled = false
"""


@dataclass(frozen=True, slots=True)
class Turn:
    """What one run reached."""

    fps: float
    cpu_ms: float
    """Of all threads, for a frame; loading the model is in it."""


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print one JSON document; the code is 0 even where the target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7, metavar="N", help="turns of each (7)")
    parser.add_argument("--seconds", type=float, default=10.0, metavar="S", help="of a turn (10)")
    parser.add_argument("--model", type=Path, metavar="FILE", help="in place of the mobilenet_v2 that we build")
    args = parser.parse_args(argv)
    try:
        model = args.model or model_files([])["mobilenet_v2"]
        document = {"schema": 1, "camera": CAMERA, "model": model.name, "rounds": args.rounds, "host": host()}
        with tempfile.TemporaryDirectory(prefix="labelcam-measuring-") as folder:
            turns = _take_turns(model, args.rounds, args.seconds, Path(folder))
    except (LabelcamError, ChildFailed) as error:
        complain("make bench-measuring", error)
        return 1
    except KeyboardInterrupt:
        return 130
    document["load_after"] = round(os.getloadavg()[0], 2)
    print(json.dumps(document | _report(turns), indent=2))
    return 0


def _take_turns(model: Path, rounds: int, seconds: float, folder: Path) -> list[dict[str, Turn]]:
    root = folder / "root"
    write(root / "sys/class/thermal/thermal_zone0", {"type": "cpu-thermal", "temp": 48250})
    write(root / "sys/devices/system/cpu/cpu0/cpufreq", {"scaling_cur_freq": 2400000, "scaling_governor": "ondemand"})
    hwmon(root, 1, INA219)
    for name, text in (("measured", MEASURED), ("nothing", NOTHING)):
        (folder / f"{name}.toml").write_text(text.format(folder=folder))
    turns = []
    with progress(f"{rounds} rounds of 2 times {seconds:g} s", rounds) as advance:
        for number in range(rounds):
            order = ("measured", "nothing") if number % 2 else ("nothing", "measured")
            turns.append({name: _turn(name, model, seconds, folder) for name in order})
            advance()
    return turns


def _turn(name: str, model: Path, seconds: float, folder: Path) -> Turn:
    summary = folder / "summary.json"
    settings = ("--settings", folder / f"{name}.toml")
    source = ("--model", model, "--camera", CAMERA, "--seconds", seconds, "--summary", summary)
    said = output_of([sys.executable, HERE / "measured_run.py", folder / "root", "run", *settings, *source])
    told: dict[str, Any] = json.loads(summary.read_text())
    # A contest between two runs that measure nothing, or both do, would tell nothing.
    assert (told["energy"] is not None) == (name == "measured")
    return Turn(told["fps"], 1e3 * float(said.split("cpu_seconds ")[1]) / told["frames"])


def _report(turns: Sequence[dict[str, Turn]]) -> dict[str, Any]:
    lost = [1 - turn["measured"].fps / turn["nothing"].fps for turn in turns]
    added = [turn["measured"].cpu_ms / turn["nothing"].cpu_ms - 1 for turn in turns]
    mean, half = statistics.fmean(lost), _half_of_95(lost)
    # Where the machine is busy the rounds lie further apart than what is asked for: nothing is claimed then.
    reached = True if mean + half < MOST else False if mean - half > MOST else None
    return {
        "frames_lost": {**asdict(Spread.of(lost)), "mean": round(mean, 4), "half_of_95": round(half, 4)},
        "cpu_added": asdict(Spread.of(added)),
        "every_round": [{name: asdict(turn) for name, turn in one.items()} for one in turns],
        "targets": [{"figure": "frames_lost", "wanted": f"< {MOST}", "measured": round(mean, 4), "reached": reached}],
    }


def _half_of_95(values: Sequence[float]) -> float:
    """Half of the 95% interval of their mean."""
    return student_95(len(values) - 1) * statistics.stdev(values) / len(values) ** 0.5 if len(values) > 1 else math.inf


if __name__ == "__main__":
    sys.exit(main())
