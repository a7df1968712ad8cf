# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""`make bench`: labelcam against the bare interpreter and MediaPipe on this machine, as one JSON document on stdout."""

import argparse
import json
import os
import statistics
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from child import ChildFailed
from cold_start import first_label_seconds
from everything import everything_on
from host import host
from litert_benchmark import contest
from mediapipe_venv import mediapipe_python
from memory import measure_memory
from models import model_files
from pace import measure_pace
from power_overhead import overhead
from rounds import CAMERA, Round, Runners, run_rounds
from targets import Figures, Spread, targets

from labelcam.console import complain, note
from labelcam.errors import LabelcamError

SCHEMA = 1

TARGETED = "mobilenet_v2"
"""The model that the targets are set for; the others are measured for comparison."""


def main(argv: Sequence[str] | None = None) -> int:
    """Measure every model, print the document and return the exit code: 0 even where a target is missed."""
    args = _parser().parse_args(argv)
    try:
        files = model_files(args.model)
        document: dict[str, Any] = {"schema": SCHEMA, "camera": CAMERA, "host": host()}
        document |= {"rounds": args.rounds, "seconds": args.seconds}
        measured = {name: _measure(name, path, args) for name, path in files.items()}
        if TARGETED in files:
            document["litert_benchmark"] = contest(files[TARGETED], 1, args.rounds, args.seconds)
        document["power"] = overhead(2 * args.seconds)
        # labelcam uses two cores, the bare interpreter one: with neighbours at work the ratio says nothing.
        document["load_after"] = round(os.getloadavg()[0], 2)
    except (LabelcamError, ChildFailed) as error:
        complain("make bench", error)
        return 1
    except KeyboardInterrupt:
        return 130
    document["models"] = {name: report for name, (_, report) in measured.items()}
    judged = measured.get(TARGETED)
    document["targets"] = [asdict(target) for target in targets(judged[0])] if judged else []
    for part in ("litert_benchmark", "power"):
        document["targets"] += document.get(part, {}).pop("targets", [])
    print(json.dumps(document, indent=2))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7, metavar="N", help="rounds of each contestant (7)")
    parser.add_argument("--seconds", type=float, default=5.0, metavar="S", help="of each contestant in a round (5)")
    parser.add_argument("--frames", type=int, default=10_000, metavar="N", help="after which memory is read (10000)")
    parser.add_argument(
        "--model", type=Path, action="append", default=[], metavar="[NAME=]FILE", help="in place of the models we build"
    )
    return parser


def _measure(name: str, model: Path, args: argparse.Namespace) -> tuple[Figures, dict[str, Any]]:
    note(f"{name}: {model}")
    with tempfile.TemporaryDirectory(prefix="labelcam-bench-") as folder:
        place = Path(folder)
        with everything_on(place) as settings:
            runners = Runners.prepare(model, mediapipe_python(), place, settings)
            rounds = run_rounds(runners, args.rounds, args.seconds)
        pace = measure_pace(model, place, max(args.seconds, 2.0))
    first = first_label_seconds(model, args.rounds)
    memory = measure_memory(model, args.frames)
    figures = Figures(
        ratio_to_raw=Spread.of([one.labelcam_fps / one.raw_fps for one in rounds]),
        everything_to_raw=_ratio([(one.everything_fps, one.raw_fps) for one in rounds]),
        ratio_to_mediapipe=_ratio([(one.labelcam_fps, one.mediapipe_fps) for one in rounds]),
        first_label_seconds=Spread.of(first),
        rss_mb=memory.rss_mb,
        rss_growth_mb=memory.growth_mb,
        pace=pace,
    )
    return figures, {"file": str(model), "bytes": model.stat().st_size, **asdict(figures), **_speeds(rounds)}


def _ratio(pairs: Sequence[tuple[float | None, float | None]]) -> Spread | None:
    """The spread of first by second, of the rounds that have both."""
    ratios = [first / second for first, second in pairs if first is not None and second is not None]
    return Spread.of(ratios) if ratios else None


def _speeds(rounds: Sequence[Round]) -> dict[str, Any]:
    """The speeds behind the ratios: the median of each contestant, and every round."""
    contestants = ("raw_fps", "labelcam_fps", "everything_fps", "mediapipe_fps")
    columns: dict[str, list[float | None]] = {
        name: [_rounded(getattr(one, name)) for one in rounds] for name in contestants
    }
    medians = {
        name: None if None in column else _rounded(statistics.median([fps for fps in column if fps is not None]))
        for name, column in columns.items()
    }
    return {**medians, "stages_ms": rounds[-1].stages_ms, "every_round": columns}


def _rounded(fps: float | None) -> float | None:
    return None if fps is None else round(fps, 1)


if __name__ == "__main__":
    sys.exit(main())
