# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Our latencies against those of LiteRT's own `litert-benchmark`: same model, same threads, taking turns; as JSON."""

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

from child import output_of
from host import host
from targets import Spread, Target

from labelcam.console import progress
from labelcam.profile.data import SHARES

THEIRS = Path(sys.executable).with_name("litert-benchmark")


def main(argv: Sequence[str] | None = None) -> int:
    """Let both measure in turns and print the document."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("--threads", type=int, default=1, metavar="N", help="of the interpreter (1)")
    parser.add_argument("--rounds", type=int, default=7, metavar="N", help="of each (7)")
    parser.add_argument("--seconds", type=float, default=5.0, metavar="S", help="of each in a round (5)")
    args = parser.parse_args(argv)
    print(json.dumps({"host": host(), **contest(args.model, args.threads, args.rounds, args.seconds)}, indent=2))
    return 0


def contest(model: Path, threads: int, rounds: int, seconds: float) -> dict[str, Any]:
    """Let both take turns, every other round the other way round, and return their figures and the targets."""
    measured: dict[str, list[dict[str, float]]] = {"ours": [], "theirs": []}
    load = round(os.getloadavg()[0], 2)
    with progress(f"{rounds} rounds of 2 times {seconds:g} s against litert-benchmark", rounds) as advance:
        count = max(20, int(seconds * 1e3 / ours(model, threads, 0.5)["mean"]))
        runners = {"ours": lambda: ours(model, threads, seconds), "theirs": lambda: theirs(model, threads, count)}
        for number in range(rounds):
            for who in ("ours", "theirs")[:: -1 if number % 2 else 1]:
                measured[who].append(runners[who]())
            advance()
    return {"load_before": load, **_document(measured)}


def ours(model: Path, threads: int, seconds: float) -> dict[str, float]:
    """Run one window of `labelcam profile` and return its milliseconds."""
    command = [sys.executable, "-m", "labelcam.profile.child", model, threads, "xnnpack", 0.5, seconds]
    told = json.loads(output_of(command))
    return {"p50": told["quantiles_ms"][SHARES.index(0.5)], "p95": told["quantiles_ms"][SHARES.index(0.95)],
            "mean": told["mean_ms"]}  # fmt: skip


def theirs(model: Path, threads: int, runs: int) -> dict[str, float]:
    """Run LiteRT's benchmark and return its milliseconds."""
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        options = ["--model", model, "--num_threads", threads, "--num_runs", runs, "--result_json", file.name]
        output_of([THEIRS, *options])
        latency = json.load(file)["latency"]
    return {"p50": latency["median_ms"], "p95": latency["p95_ms"], "mean": latency["avg_ms"]}


def _document(rounds: dict[str, list[dict[str, float]]]) -> dict[str, Any]:
    medians = {
        who: {figure: statistics.median(one[figure] for one in every) for figure in ("p50", "p95", "mean")}
        for who, every in rounds.items()
    }
    spreads = {who: asdict(Spread.of([one["p50"] for one in every])) for who, every in rounds.items()}
    apart = {figure: medians["ours"][figure] / medians["theirs"][figure] - 1 for figure in ("p50", "p95")}
    targets = [
        Target("median_apart", "<= 0.03", round(apart["p50"], 4), abs(apart["p50"]) <= 0.03),
        Target("p95_apart", "<= 0.10", round(apart["p95"], 4), abs(apart["p95"]) <= 0.10),
    ]
    return {"medians_ms": medians, "p50_over_rounds": spreads, "targets": [asdict(target) for target in targets],
            "every_round": rounds}  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
