# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""What the Makefile's targets for a Pi call: parse, dispatch, translate errors; nothing else."""

import argparse
import re
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from labelcam.console import OneLineParser, answer, note, set_up_logging
from labelcam.errors import UsageError

from .password import let_in
from .pi import Pi, reached
from .sdcard.arguments import CACHE, add_to
from .side_by_side import each

PROGRAM = "labelcam-flash"


def build_parser() -> OneLineParser:
    """Return the parser."""
    parser = OneLineParser(prog=PROGRAM, description="Put labelcam on Raspberry Pis over SSH.")
    common = OneLineParser(add_help=False)
    common.add_argument("--pi", required=True, metavar="'USER@HOST …'", help="one Pi or several")
    common.add_argument("--port", type=int, metavar="N", help="of SSH")
    common.add_argument("--ssh-config", type=Path, metavar="FILE", help="in place of ~/.ssh/config")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    flash = commands.add_parser("flash", parents=[common], help="install a release and take it live")
    flash.add_argument("--model", metavar="NAME|FILE", help="a model file, or a network of the zoo")
    flash.add_argument("--settings", type=Path, metavar="FILE", help="the settings that the Pi is to run with")
    flash.add_argument("--dry-run", action="store_true", help="say what would be done")
    flash.set_defaults(action=_flash)
    for name, text, action in (
        ("rollback", "go back to the release before", _rollback),
        ("status", "what runs there", _status),
        ("logs", "follow what it says", _logs),
    ):
        commands.add_parser(name, parents=[common], help=text).set_defaults(action=action)
    uninstall = commands.add_parser("uninstall", parents=[common], help="remove everything but settings and secrets")
    uninstall.add_argument("--with-settings", nargs="?", type=_agreed, const="1", default="", help="them too")
    uninstall.set_defaults(action=_uninstall)
    add_to(commands.add_parser("sdcard", help="the image of a card that installs labelcam by itself"))
    return parser


def _agreed(text: str) -> bool:
    """Take 1 for a yes and nothing for a no: what would delete must not be guessed at."""
    if text not in ("", "1"):
        raise argparse.ArgumentTypeError(f"WITH_SETTINGS={text}: say 1 to remove them, or leave it out")
    return text == "1"


def _flash(args: argparse.Namespace) -> int:
    from .flash import Wanted, flash
    from .payload import checked_model, checked_settings

    settings = checked_settings(args.settings) if args.settings else None
    model = checked_model(args.model, CACHE) if args.model else None
    wanted = Wanted(model, settings, CACHE, args.dry_run, bar=len(_hosts(args.pi)) == 1)
    return _each(args, lambda pi: flash(pi, wanted))


def _rollback(args: argparse.Namespace) -> int:
    from .flash import roll_back

    return _each(args, roll_back)


def _status(args: argparse.Namespace) -> int:
    from .flash import status

    return _each(args, status)


def _uninstall(args: argparse.Namespace) -> int:
    from .flash import uninstall

    return _each(args, lambda pi: uninstall(pi, with_settings=args.with_settings))


def _logs(args: argparse.Namespace) -> int:
    hosts = _hosts(args.pi)
    if len(hosts) != 1:
        raise UsageError(f"logs follows one Pi, and PI= names {len(hosts)}; name one")
    with reached(hosts[0], args.port, args.ssh_config, note) as pi:
        let_in(pi).follow()
    return 0


def _hosts(text: str) -> list[str]:
    """Return every Pi once."""
    hosts = list(dict.fromkeys(text.split()))
    if not hosts:
        raise UsageError("PI= names no Pi; say for instance PI=pi@raspberrypi.local")
    for host in hosts:
        name = host.rpartition("@")[2]
        if not host.startswith("ssh://") and re.fullmatch(r"[^:]+:\d+", name):
            raise UsageError(f"PI={host}: the port is given apart, by SSH_PORT={name.partition(':')[2]}")
        if "[" in name:
            raise UsageError(f"PI={host}: write an IPv6 address without brackets, and its port as SSH_PORT=N")
    return hosts


def _each(args: argparse.Namespace, work: Callable[[Pi], str]) -> int:
    hosts = _hosts(args.pi)
    with ExitStack() as stack:
        pis = [stack.enter_context(reached(host, args.port, args.ssh_config, _teller(host, hosts))) for host in hosts]
        return each(PROGRAM, pis, work)


def _teller(host: str, hosts: list[str]) -> Callable[[str], None]:
    """Return what says how far a Pi is; its name goes before it where there are several."""
    prefix = f"{host}: " if len(hosts) > 1 else "  "
    return lambda text: note(prefix + text)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    args = build_parser().parse_args(argv)
    set_up_logging(verbose=False)
    return answer(PROGRAM, lambda: int(args.action(args)))
