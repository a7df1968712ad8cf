# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The command line of the host: parse, dispatch, translate errors; nothing else."""

import argparse
import json
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

from labelcam import __version__
from labelcam.console import OneLineParser, answer, set_up_logging

PROGRAM = "labelcam-convert"


def build_parser() -> OneLineParser:
    """Return the parser of `labelcam-convert`."""
    parser = OneLineParser(prog=PROGRAM, description="Turn a float MobileNet into one int8 model file.")
    version = f"{PROGRAM} {__version__}"
    parser.add_argument("--version", action="version", version=version)
    common = OneLineParser(add_help=False)
    common.add_argument("--json", action="store_true", help="the result as JSON on stdout, everything else on stderr")
    common.add_argument("-v", "--verbose", action="store_true", help="log more, to stderr")
    common.add_argument("--version", action="version", version=version)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_build(commands.add_parser("build", parents=[common], help="quantise a network into a model file"))
    inspect = commands.add_parser("inspect", parents=[common], help="what is inside a .tflite file")
    inspect.add_argument("file", type=Path, metavar="FILE.tflite")
    inspect.set_defaults(action=_inspect)
    models = commands.add_parser("models", parents=[common], help="the networks that build knows by name")
    models.set_defaults(action=_models)
    return parser


def _add_build(build: argparse.ArgumentParser) -> None:
    add = build.add_argument
    add(
        "--model",
        required=True,
        metavar="NAME|FILE",
        help="of the zoo (see models), or .keras, .h5, float .tflite, SavedModel folder",
    )
    add("--alpha", type=float, metavar="A", help="width multiplier of a zoo network")
    add("--size", type=int, metavar="N", help="side of its input in pixels")
    add("--weights", default="imagenet", metavar="imagenet|none|FILE", help="trained, random, or out of a file")
    add("--labels", type=Path, metavar="FILE", help="one label a line, in the order of the outputs")
    add("--images", type=Path, metavar="DIR", help="images to calibrate and compare on; like those the camera will see")
    add("--samples", type=_from(1), default=100, metavar="N", help="how many to calibrate on (100)")
    add("--seed", type=_from(0), default=0, metavar="N", help="of the choice of images and of random weights (0)")
    add(
        "--fit",
        choices=["crop", "squeeze", "letterbox"],
        default="crop",
        help="how pictures get the network's shape (crop)",
    )
    add(
        "--preprocess",
        metavar="tf|unit|raw|MEAN,STD",
        help="what the network is fed: -1 to 1, 0 to 1, 0 to 255, or (pixel - MEAN) / STD",
    )
    add("--golden-images", metavar="DIR|none", help="pictures to put inside for devices to check themselves on")
    add(
        "--min-agreement",
        type=_share,
        metavar="X",
        help="fail with exit code 3 below this agreement with float (0.90 with 50 held-out images or more; "
        "with fewer only a warning)",
    )
    add("-o", "--output", type=Path, metavar="OUT.tflite", help="(NAME_ALPHA_SIZE_int8.tflite)")
    build.set_defaults(action=_build)


def _from(least: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{text!r} is no whole number") from None
        if value < least:
            raise argparse.ArgumentTypeError(f"{text} is less than {least}")
        return value

    return parse


def _share(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no number") from None
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 1")
    return value


# The commands import what they need themselves: `--help`, `models` and `inspect` answer without loading an interpreter.


def _build(args: argparse.Namespace) -> int:
    from labelcam.preprocess import Fit

    from .build import build
    from .plan import Options
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
        golden_images=args.golden_images,
        min_agreement=args.min_agreement,
        output=args.output,
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


def _models(args: argparse.Namespace) -> int:
    from .summary import models_as_json, print_models

    if args.json:
        print(json.dumps(models_as_json(), indent=2))
    else:
        print_models()
    return 0


def _terminated(_number: int, _frame: object) -> NoReturn:
    # Unwinds like Ctrl-C does, so that nothing half-written is left behind.
    sys.exit(128 + signal.SIGTERM)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    args = build_parser().parse_args(argv)
    set_up_logging(args.verbose)
    signal.signal(signal.SIGTERM, _terminated)
    return answer(PROGRAM, lambda: int(args.action(args)))
