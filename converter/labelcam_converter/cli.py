# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The command line of the host: dispatch, show results, translate errors; nothing else."""

import argparse
import json
import signal
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn

from labelcam.console import answer, set_up_logging

from .arguments import PROGRAM, build_parser

# The commands import what they need themselves: `--help`, `models` and `inspect` answer without loading an interpreter.


def _build(args: argparse.Namespace) -> int:
    from labelcam.preprocess import Fit

    from .build import build
    from .plan import Options
    from .quantization.schemes import Scheme
    from .summary import print_result

    options = Options(
        model=args.model,
        alpha=args.alpha,
        size=args.size,
        weights=args.weights,
        labels=args.labels,
        images=args.images,
        samples=args.samples,
        seed=args.seed,
        fit=Fit(args.fit),
        preprocess=args.preprocess,
        scheme=Scheme(args.scheme),
        io=args.io,
        ranges=args.ranges,
        effort=args.effort,
        golden_images=args.golden_images,
        min_agreement=args.min_agreement,
        edgetpu=args.edgetpu,
        min_mapped=args.min_mapped,
        output=args.output,
        report=args.report,
        include_images=args.include_images,
        command=tuple(sys.argv[1:]),
        verbose=args.verbose,
    )
    result = build(options)
    if args.json:
        print(json.dumps(result.as_json(), indent=2))
    else:
        print_result(result)
    return 0


def _inspect(args: argparse.Namespace) -> int:
    from .inspection import inspect

    found = inspect(args.file)
    if args.json:
        print(json.dumps(found.as_json(), indent=2))
    else:
        for title, text in found.as_rows():
            print(f"{title:18} {text}")
    return 0


def _compare(args: argparse.Namespace) -> int:
    from labelcam.preprocess import Fit

    from .fidelity.comparison import Asked, compare_files
    from .fidelity.comparison_summary import print_comparison
    from .report.place import check_report

    asked = Asked(
        float_path=args.float,
        int8_path=args.int8,
        images=args.images,
        samples=args.samples,
        seed=args.seed,
        preprocess=args.preprocess,
        fit=args.fit and Fit(args.fit),
        min_agreement=args.min_agreement,
        verbose=args.verbose,
    )
    if args.report:
        check_report(args.report, args.float, args.int8)
    found = compare_files(asked)
    if args.report:
        from .report.comparison import report_of_comparison
        from .report.page import write_report

        write_report(report_of_comparison(found, sys.argv[1:], args.include_images), args.report)
    if args.json:
        print(json.dumps(found.as_json(), indent=2))
    else:
        print_comparison(found)
    found.enforce()
    return 0


def _cost(args: argparse.Namespace) -> int:
    from .cost.source import cost_of
    from .cost.table import print_cost

    found = cost_of(args.model, args.alpha, args.size, verbose=args.verbose)
    if args.json:
        print(json.dumps(found.as_json(), indent=2))
    else:
        print_cost(found)
    return 0


def _train(args: argparse.Namespace) -> int:
    from labelcam.preprocess import Fit

    from .train.summary import print_trained
    from .train.training import Options, train

    asked = {name: getattr(args, name) for name in ("model", "images", "output", "alpha", "size", "weights")}
    asked |= {name: getattr(args, name) for name in ("preprocess", "epochs", "seed", "validation", "fine_tune")}
    trained = train(Options(**asked, fit=Fit(args.fit), report=args.report, verbose=args.verbose))
    if args.report:
        from .report.page import write_report
        from .report.training import report_of_training

        write_report(report_of_training(trained, sys.argv[1:]), args.report)
    if args.json:
        print(json.dumps(trained.as_json(), indent=2))
    else:
        print_trained(trained)
    return 0


def _models(args: argparse.Namespace) -> int:
    from .summary import models_as_json, print_models

    if args.json:
        print(json.dumps(models_as_json(), indent=2))
    else:
        print_models()
    return 0


_ACTIONS: dict[str, Callable[[argparse.Namespace], int]] = {
    "build": _build,
    "inspect": _inspect,
    "compare": _compare,
    "cost": _cost,
    "train": _train,
    "models": _models,
}


def _terminated(_number: int, _frame: object) -> NoReturn:
    # Unwinds like Ctrl-C does, so that nothing half-written is left behind.
    sys.exit(128 + signal.SIGTERM)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    args = build_parser().parse_args(argv)
    set_up_logging(args.verbose)
    signal.signal(signal.SIGTERM, _terminated)
    return answer(PROGRAM, lambda: _ACTIONS[args.command](args))
