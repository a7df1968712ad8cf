# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""What `labelcam-convert` understands: its commands, their options, and what an option may be."""

import argparse
from collections.abc import Callable
from pathlib import Path

from labelcam import __version__
from labelcam.console import OneLineParser

PROGRAM = "labelcam-convert"


def build_parser() -> OneLineParser:
    """Return the parser of `labelcam-convert`; `command` is the name of the one that was chosen."""
    parser = OneLineParser(prog=PROGRAM, description="Turn a float MobileNet into one int8 model file.")
    version = f"{PROGRAM} {__version__}"
    parser.add_argument("--version", action="version", version=version)
    common = OneLineParser(add_help=False)
    common.add_argument("--json", action="store_true", help="the result as JSON on stdout, everything else on stderr")
    common.add_argument("-v", "--verbose", action="store_true", help="log more, to stderr")
    common.add_argument("--version", action="version", version=version)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", dest="command", required=True)
    _add_build(commands.add_parser("build", parents=[common], help="quantise a network into a model file"))
    inspect = commands.add_parser("inspect", parents=[common], help="what is inside a .tflite file")
    inspect.add_argument("file", type=Path, metavar="FILE.tflite")
    _add_compare(commands.add_parser("compare", parents=[common], help="how far two forms of a network agree"))
    _add_cost(commands.add_parser("cost", parents=[common], help="multiplications, parameters and memory by layer"))
    _add_train(
        commands.add_parser("train", parents=[common], help="a network of your own labels, from folders of images")
    )
    commands.add_parser("models", parents=[common], help="the networks that build knows by name")
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
    add("--seed", type=_seed, default=0, metavar="N", help="of the choice of images and of random weights (0)")
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
    add(
        "--scheme",
        choices=["int8", "int16x8", "dynamic", "float16", "float32"],
        default="int8",
        help="what weights and activations are kept in (int8)",
    )
    add("--io", choices=["uint8", "int8", "float32"], help="type of input and output (uint8 for int8, else float32)")
    add(
        "--ranges",
        choices=["minmax", "percentile", "mse", "auto"],
        help="how ranges follow from the images; auto tries all and keeps the best (auto)",
    )
    add(
        "--effort",
        choices=["fast", "normal", "max"],
        help="fast: ranges only; normal: corrections too; max: tuned for minutes against the float network (normal)",
    )
    add("--golden-images", metavar="DIR|none", help="pictures to put inside for devices to check themselves on")
    add(
        "--min-agreement",
        type=_share,
        metavar="X",
        help="fail with exit code 3 below this agreement with float (0.90 with 50 held-out images or more; "
        "with fewer only a warning)",
    )
    add("--edgetpu", action="store_true", help="compile it for the Edge TPU, by edgetpu_compiler (docs/edgetpu.md)")
    add(
        "--min-mapped",
        type=_share,
        metavar="X",
        help="with --edgetpu: fail with exit code 3 if a smaller share of the operations is mapped "
        "(all but the QUANTIZE and SOFTMAX at the ends)",
    )
    add("-o", "--output", type=Path, metavar="OUT.tflite", help="(NAME_ALPHA_SIZE_SCHEME.tflite)")
    add("--report", type=Path, metavar="OUT.html", help="write all that was measured as a page")
    add("--include-images", action="store_true", help="put the worst images themselves into the page, small")


def _add_compare(compare: argparse.ArgumentParser) -> None:
    add = compare.add_argument
    add("float", type=Path, metavar="FLOAT", help="the one to be like: .keras, .h5, SavedModel folder or .tflite")
    add("int8", type=Path, metavar="INT8", help="a .tflite of any scheme")
    add("--images", type=Path, required=True, metavar="DIR", help="what to compare on; folders may be labels")
    add("--samples", type=_from(1), default=500, metavar="N", help="images to compare on, at most (500)")
    add("--seed", type=_seed, default=0, metavar="N", help="of the choice of images (0)")
    add("--fit", choices=["crop", "squeeze", "letterbox"], help="how pictures get the network's shape (the file's own)")
    add(
        "--preprocess",
        metavar="tf|unit|raw|MEAN,STD",
        help="what both are fed: -1 to 1, 0 to 1, 0 to 255, or (pixel - MEAN) / STD (the file's own)",
    )
    add("--min-agreement", type=_share, metavar="X", help="end with exit code 3 below this agreement")
    add("--report", type=Path, metavar="OUT.html", help="write all of it as a page")
    add("--include-images", action="store_true", help="put the worst images themselves into the page, small")


def _add_cost(cost: argparse.ArgumentParser) -> None:
    add = cost.add_argument
    add("--model", required=True, metavar="NAME|FILE", help="as build takes it, or a quantised .tflite")
    add("--alpha", type=float, metavar="A", help="width multiplier of a zoo network")
    add("--size", type=int, metavar="N", help="side of its input in pixels")


def _add_train(train: argparse.ArgumentParser) -> None:
    add = train.add_argument
    add("--images", type=Path, required=True, metavar="DIR", help="holds a folder of images for each label")
    add("--model", required=True, metavar="NAME|FILE", help="to build on: of the zoo (see models), or .keras, .h5")
    add("-o", "--output", type=Path, required=True, metavar="FILE.keras", help="the labels go beside it, into FILE.txt")
    add("--alpha", type=float, metavar="A", help="width multiplier of a zoo network")
    add("--size", type=int, metavar="N", help="side of its input in pixels")
    add("--weights", default="imagenet", metavar="imagenet|none|FILE", help="none: learn everything, from many images")
    add("--preprocess", metavar="tf|unit|raw|MEAN,STD", help="what a FILE was fed, as build has it")
    add(
        "--fit",
        choices=["crop", "squeeze", "letterbox"],
        default="crop",
        help="how pictures get the network's shape (crop); tell build the same",
    )
    add("--epochs", type=_from(1), default=30, metavar="N", help="at most so many (30); it ends where it is best")
    add("--seed", type=_seed, default=0, metavar="N", help="of the division, the altered views and the weights (0)")
    add("--validation", type=_part, default=0.2, metavar="X", help="the part of each label's images that judges (0.2)")
    add("--fine-tune", action="store_true", help="go on with the network's last layers: slower, and more exact")
    add("--report", type=Path, metavar="OUT.html", help="write the course of the training and the mistakes as a page")


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


def _seed(text: str) -> int:
    value = _from(0)(text)
    if value >= 2**32:
        raise argparse.ArgumentTypeError(f"{text} is more than a seed can be; use one below {2**32}")
    return value


def _share(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no number") from None
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 1")
    return value


def _part(text: str) -> float:
    value = _share(text)
    if not 0.05 <= value <= 0.5:
        raise argparse.ArgumentTypeError(f"{text} is not between 0.05 and 0.5")
    return value
