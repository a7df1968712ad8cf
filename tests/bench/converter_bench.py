# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""`make bench-converter`: our quantiser against Google's two on photographs that none of them was calibrated on."""

import argparse
import json
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from converter_crops import Contest, contests, to_calibrate, to_judge
from converter_tools import REFERENCE, Made, make, tools
from numpy.typing import NDArray

from labelcam.console import complain, note, progress, table
from labelcam.errors import LabelcamError
from labelcam_converter import networks
from labelcam_converter.fidelity.divergence import Distribution, are_probabilities, kl, quantised_probabilities, softmax
from labelcam_converter.fidelity.scoring import Scorer
from labelcam_converter.fidelity.shares import wilson
from labelcam_converter.pictures import Picture

SCHEMA = 1
RESAMPLES = 10_000
INVOKES = 200


@dataclass(frozen=True, slots=True)
class Judged:
    """What one tool's network came to."""

    tool: str
    agreement: float
    interval: tuple[float, float]
    """Wilson's, 95%."""

    top5_agreement: float | None
    kl: float
    against_reference: tuple[float, float, float] | None
    """Mean of the difference in KL to TFLiteConverter's, picture by picture, and the ends of its bootstrapped 95%."""

    bytes: int
    seconds: float
    cpu_seconds: float
    invoke_ms: float
    """Median, one thread group of two, all networks taking turns."""

    ranges: str
    corrections: tuple[str, ...]


def main(argv: Sequence[str] | None = None) -> int:
    """Compare the tools on every network, print the comparison and return the exit code."""
    args = _parser().parse_args(argv)
    try:
        every = {contest.name: _compare(contest, args) for contest in contests(args.model)}
    except LabelcamError as error:
        complain("make bench-converter", error)
        return 1
    except KeyboardInterrupt:
        return 130
    if args.json:
        networks_ = {name: [asdict(one) for one in found] for name, found in every.items()}
        print(json.dumps({"schema": SCHEMA, "judged_on": args.crops, "networks": networks_}, indent=2))
    else:
        for name, found in every.items():
            print(f"{name}, {args.crops} crops of photographs that nobody calibrated on, against the float network")
            _print(found)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make bench-converter", description=__doc__)
    parser.add_argument("--model", action="append", default=[], metavar="NAME", help="mobilenet_v2, vww_96, or the zoo")
    parser.add_argument("--crops", type=int, default=736, metavar="N", help="to judge on (736)")
    parser.add_argument("--without-max", action="store_true", help="leave out --effort max, which takes minutes")
    parser.add_argument("--json", action="store_true", help="one JSON document")
    return parser


def _compare(contest: Contest, args: argparse.Namespace) -> list[Judged]:
    note(contest.name)
    float_model = networks.to_float_tflite(contest.source, verbose=False).data
    pictures, judges = to_calibrate(contest), to_judge(contest, args.crops)
    made = []
    for tool in tools(contest, args.without_max):
        note(f" {tool}")
        made.append(make(tool, contest, float_model, pictures))
    answers = _answers([float_model, *(each.model for each in made)], judges, contest)
    wanted = softmax(answers[0]) if not are_probabilities(answers[0]) else answers[0]
    told = [quantised_probabilities(each, are_probabilities(answers[0])) for each in answers[1:]]
    far = {
        one.tool: np.array([kl(p, q) for p, q in zip(wanted, got, strict=True)])
        for one, got in zip(made, told, strict=True)
    }
    times = _invoke_ms(made, judges, contest)
    return [
        _judge(one, wanted, got, far[one.tool], far.get(REFERENCE), times[one.tool])
        for one, got in zip(made, told, strict=True)
    ]


def _answers(models: Sequence[bytes], judges: Sequence[Picture], contest: Contest) -> list[Distribution]:
    scorers = [Scorer(model, contest.how) for model in models]
    found: list[list[NDArray[np.float64]]] = [[] for _ in models]
    with progress("judging", len(judges)) as tick:
        for picture in judges:
            for scorer, rows in zip(scorers, found, strict=True):
                rows.append(scorer.scores(picture.pixels))
            tick()
    return [np.array(rows) for rows in found]


def _judge(
    one: Made,
    wanted: Distribution,
    got: Distribution,
    far: NDArray[np.float64],
    reference: NDArray[np.float64] | None,
    invoke_ms: float,
) -> Judged:
    best = wanted.argmax(axis=1)
    agreed = int(np.sum(best == got.argmax(axis=1)))
    top5 = np.argsort(-got, axis=1, kind="stable")[:, :5]
    return Judged(
        one.tool,
        agreed / len(best),
        wilson(agreed, len(best)),
        float(np.mean((top5 == best[:, None]).any(axis=1))) if wanted.shape[1] > 5 else None,
        float(far.mean()),
        None if reference is None or one.tool == REFERENCE else bootstrap(far - reference),
        len(one.model),
        one.seconds,
        one.cpu_seconds,
        invoke_ms,
        one.ranges,
        one.corrections,
    )


def bootstrap(differences: NDArray[np.float64]) -> tuple[float, float, float]:
    """Return the mean and its 95% interval, by resampling the pictures with replacement."""
    rng = np.random.default_rng(0)
    chosen = rng.integers(0, len(differences), (RESAMPLES, len(differences)))
    low, high = np.percentile(differences[chosen].mean(axis=1), [2.5, 97.5])
    return float(differences.mean()), float(low), float(high)


def _invoke_ms(made: Sequence[Made], judges: Sequence[Picture], contest: Contest) -> dict[str, float]:
    scorers = {one.tool: Scorer(one.model, contest.how) for one in made}
    taken: dict[str, list[float]] = {tool: [] for tool in scorers}
    for number in range(INVOKES):
        for tool, scorer in scorers.items():
            scorer.scores(judges[number % len(judges)].pixels)
            begun = time.perf_counter()
            scorer.interpreter.invoke()
            taken[tool].append(1000 * (time.perf_counter() - begun))
    return {tool: statistics.median(each) for tool, each in taken.items()}


def _print(found: Sequence[Judged]) -> None:
    header = ("tool", "agreement", "95%", "top 5", "KL", "KL less TFLite's", "95%", "MB", "s", "CPU s", "invoke ms")
    table([_row(one) for one in found], header)


def _row(one: Judged) -> tuple[str, ...]:
    less = one.against_reference
    return (
        one.tool,
        f"{one.agreement:.3f}",
        f"{one.interval[0]:.3f} to {one.interval[1]:.3f}",
        "" if one.top5_agreement is None else f"{one.top5_agreement:.3f}",
        f"{one.kl:.4f}",
        "" if less is None else f"{less[0]:+.4f}",
        "" if less is None else f"{less[1]:+.4f} to {less[2]:+.4f}",
        f"{one.bytes / 1e6:.2f}",
        f"{one.seconds:.1f}",
        f"{one.cpu_seconds:.1f}",
        f"{one.invoke_ms:.2f}",
    )


if __name__ == "__main__":
    sys.exit(main())
