# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The command line of the device: parse, dispatch, translate errors; nothing else."""

import argparse
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

from . import __version__
from .console import OneLineParser, answer, set_up_logging
from .errors import LabelcamError, UsageError

CAMERAS = "picamera2[:N], v4l2:/dev/video0, rtsp://…, video:FILE, photos:DIR, synthetic:640x480[@FPS]"

TRACE = Path("labelcam-trace.json")

Commands: TypeAlias = "argparse._SubParsersAction[OneLineParser]"


def build_parser() -> OneLineParser:
    """Return the parser of `labelcam`."""
    parser = OneLineParser(prog="labelcam", description="Say what a camera sees, and what that costs.")
    parser.add_argument("--version", action="version", version=f"labelcam {__version__}")
    common = OneLineParser(add_help=False)
    common.add_argument("--json", action="store_true", help="results as JSON on stdout, everything else on stderr")
    common.add_argument("-v", "--verbose", action="store_true", help="log more, to stderr")
    common.add_argument("--version", action="version", version=f"labelcam {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_run(commands, common)
    _add_classify(commands, common)
    _add_check(commands, common)
    _add_journal(commands, common)
    doctor = commands.add_parser("doctor", parents=[common], help="what is wrong with this machine, and what mends it")
    doctor.set_defaults(action=_doctor)
    _add_profile(commands, common)
    cameras = commands.add_parser("cameras", parents=[common], help="what is attached, and how the others are named")
    cameras.set_defaults(action=_cameras)
    defaults = commands.add_parser("defaults", parents=[common], help="print the commented default settings")
    defaults.set_defaults(action=_defaults)
    return parser


def _add_run(commands: Commands, common: OneLineParser) -> None:
    run = commands.add_parser("run", parents=[common], help="the daemon: classify a camera's frames until stopped")
    run.add_argument("--settings", type=Path, metavar="FILE", help="the one settings file to read")
    run.add_argument("--model", metavar="FILE", help="the model file")
    run.add_argument("--camera", metavar="SPEC", help=f"the camera: {CAMERAS}")
    run.add_argument("--frames", type=_positive_int, metavar="N", help="stop after N frames")
    run.add_argument("--seconds", type=_positive_float, metavar="S", help="stop after S seconds")
    run.add_argument("--summary", type=Path, metavar="FILE", help="write the summary there, as JSON")
    run.add_argument("--trace", type=_positive_float, metavar="S", help="record every step for S seconds, for Perfetto")
    run.add_argument("--trace-file", type=Path, metavar="FILE", help=f"where the trace goes ({TRACE}, in this folder)")
    run.set_defaults(action=_run)


def _add_classify(commands: Commands, common: OneLineParser) -> None:
    classify = commands.add_parser("classify", parents=[common], help="one answer per image")
    classify.add_argument("model", type=Path, metavar="MODEL", help="the model file")
    classify.add_argument("images", type=Path, nargs="+", metavar="IMAGE", help="pictures to name")
    classify.add_argument(
        "--fit", choices=["crop", "squeeze", "letterbox"], help="in place of what the model file says"
    )
    classify.add_argument("--top", type=_positive_int, default=3, metavar="K", help="labels per image (3)")
    classify.set_defaults(action=_classify)


def _add_check(commands: Commands, common: OneLineParser) -> None:
    check = commands.add_parser("check", parents=[common], help="what will work, and the remedy for what won't")
    check.add_argument("--settings", type=Path, metavar="FILE", help="the one settings file to read")
    check.add_argument("--model", metavar="FILE", help="the model file")
    check.add_argument("--camera", metavar="SPEC", help=f"the camera: {CAMERAS}")
    check.set_defaults(action=_check)


def _add_journal(commands: Commands, common: OneLineParser) -> None:
    journal = commands.add_parser("journal", parents=[common], help="the record of every minute, as a table or a page")
    journal.add_argument("--since", metavar="WHEN", help="30m, 6h, 7d, 2026-11-25T08:30, all (the last hour recorded)")
    journal.add_argument("--html", type=Path, metavar="FILE", help="write a page that plots it")
    where = journal.add_mutually_exclusive_group()
    where.add_argument("--settings", type=Path, metavar="FILE", help="the settings file that says where it is kept")
    where.add_argument("--folder", type=Path, metavar="DIR", help="where it is kept")
    journal.set_defaults(action=_journal)


def _add_profile(commands: Commands, common: OneLineParser) -> None:
    what = "what an inference takes: milliseconds, memory, millijoules"
    profile = commands.add_parser("profile", parents=[common], help=what)
    profile.add_argument("models", nargs="*", type=Path, metavar="MODEL", help="model files")
    profile.add_argument("--threads", type=_counts, default=(1,), metavar="1,2,4", help="of the interpreter (1)")
    profile.add_argument(
        "--delegate", type=_words, default=("xnnpack",), metavar="D,D", help="xnnpack, none, edgetpu (xnnpack)"
    )
    profile.add_argument("--seconds", type=_positive_float, default=10.0, metavar="S", help="of each window (10)")
    profile.add_argument("--windows", type=_positive_int, default=5, metavar="N", help="of each combination (5)")
    profile.add_argument("--settings", type=Path, metavar="FILE", help="the settings file, which names the power meter")
    profile.add_argument("--html", type=Path, metavar="FILE", help="write one page with the plots")
    profile.add_argument("--csv", type=Path, metavar="FILE", help="write a line for every window")
    profile.add_argument("--budget", metavar="30ms|50mJ", help="write the best that fits into the settings file")
    compare, recording = "what differs beyond noise", "energy by a USB meter's recording of that run"
    profile.add_argument("--compare", nargs=2, type=Path, metavar=("A.json", "B.json"), help=compare)
    profile.add_argument("--recording", nargs=2, type=Path, metavar=("METER.csv", "RUN.json"), help=recording)
    profile.set_defaults(action=_profile)


def _counts(text: str) -> tuple[int, ...]:
    return tuple(dict.fromkeys(_positive_int(word) for word in text.split(",")))


def _words(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word.strip() for word in text.split(",")))


def _positive_int(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1")
    return int(text)


def _positive_float(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")
    return value


# The commands import what they need themselves: `--help` and `--version` answer without loading the interpreter.


def _run(args: argparse.Namespace) -> int:
    from .run import run
    from .trace import Trace

    if args.trace_file and not args.trace:
        raise UsageError(f"--trace-file {args.trace_file}: nothing is traced; say how long, such as --trace 10")
    trace = Trace(args.trace_file or TRACE, args.trace) if args.trace else None
    return run(
        args.settings, args.model, args.camera, args.frames, args.seconds, args.summary, trace, as_json=args.json
    )


def _classify(args: argparse.Namespace) -> int:
    from .classify import classify

    return classify(args.model, args.images, args.fit, args.top, as_json=args.json)


def _check(args: argparse.Namespace) -> int:
    from .check import check

    return check(args.settings, args.model, args.camera, as_json=args.json)


def _journal(args: argparse.Namespace) -> int:
    from .journal.command import journal

    return journal(args.settings, args.folder, args.since, args.html, as_json=args.json)


def _doctor(args: argparse.Namespace) -> int:
    from .doctor import doctor

    return doctor(as_json=args.json)


def _profile(args: argparse.Namespace) -> int:
    from .errors import UsageError
    from .profile.command import Outputs, profile, tell_difference, tell_recorded

    if sum(map(bool, (args.models, args.compare, args.recording))) != 1:
        raise UsageError("profile wants model files, or --compare A.json B.json, or --recording METER.csv RUN.json")
    if args.compare:
        return tell_difference(*args.compare, to_json=args.json)
    out = Outputs.of(args.json, args.html, args.csv, args.budget, args.settings)
    if args.recording:
        return tell_recorded(args.recording[1], args.recording[0], out)
    return profile(args.models, args.threads, args.delegate, (args.windows, args.seconds), out)


def _cameras(args: argparse.Namespace) -> int:
    from .cameras import cameras

    return cameras(as_json=args.json)


def _defaults(args: argparse.Namespace) -> int:
    import json
    from dataclasses import asdict

    from .settings import Settings, default_text

    if args.json:
        print(json.dumps({"schema": 1, "defaults": asdict(Settings())}, indent=2))
    else:
        print(default_text(), end="")
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    args = build_parser().parse_args(argv)
    set_up_logging(args.verbose)
    return answer("labelcam", lambda: _dispatch(args))


def _dispatch(args: argparse.Namespace) -> int:
    if platform.machine() not in ("x86_64", "aarch64"):
        raise LabelcamError(f"{platform.machine()} is not supported: on a Raspberry Pi, use the 64-bit image")
    return int(args.action(args))
