# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""What people see on stderr: calm and beautiful in a terminal, plain in a pipe. stdout belongs to results.

rich is imported only when something is drawn, so that the daemon's start does not pay for it.
"""

import argparse
import logging
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from io import StringIO, TextIOWrapper
from typing import NoReturn, TextIO

from .errors import LabelcamError

log = logging.getLogger(__name__)


class OneLineParser(argparse.ArgumentParser):
    """Says in one line what is wrong with a command line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog.split()[0]}: {message}; see {self.prog} --help\n")


def note(text: str) -> None:
    """Say something to a person."""
    print(text, file=sys.stderr, flush=True)


def complain(program: str, error: Exception) -> None:
    """Report an error as the one line that design and scripts expect; with LABELCAM_DEBUG set, with its traceback."""
    if os.environ.get("LABELCAM_DEBUG"):
        raise error
    print(f"{_priority(logging.ERROR)}{program}: {' '.join(str(error).split())}", file=sys.stderr)


def answer(program: str, action: Callable[[], int]) -> int:
    """Run a command to its end and return its exit code, with every error of ours said in one line."""
    try:
        code = action()
        sys.stdout.flush()  # here, where a reader that has left can still be answered
        return code
    except LabelcamError as error:
        complain(program, error)
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader of our stdout went away; Python would complain once more when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        # Whatever expected it has answered it by now: what is left is a disk, a full stdout most of all.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        complain(
            program, LabelcamError(f"{error.filename or 'output'}: {error.strerror}; make room, or choose another")
        )
        return LabelcamError.exit_code


def set_up_logging(verbose: bool) -> None:
    """Send every logger of ours to stderr; journald adds the time. A person in a terminal sees only warnings."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a label in Greek must not end a run under LC_ALL=C
            stream.reconfigure(errors="backslashreplace")
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Line("%(levelname)s %(name)s %(message)s"))
    logging.basicConfig(handlers=[handler], level=logging.WARNING)
    level = logging.DEBUG if verbose else logging.WARNING if sys.stderr.isatty() else logging.INFO
    for package in ("labelcam", "labelcam_converter"):
        logging.getLogger(package).setLevel(level)


class _Line(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return _priority(record.levelno) + super().format(record)


def _priority(level: int) -> str:
    """Return what tells journald how much a line matters, as `journalctl -p warning` asks; nothing anywhere else.

    sd-daemon(3) has the numbers, systemd.exec(5) JOURNAL_STREAM: device and inode of a stderr that is the journal's.
    """
    try:
        stderr = os.fstat(sys.stderr.fileno())
    except (OSError, ValueError):
        return ""
    if os.environ.get("JOURNAL_STREAM") != f"{stderr.st_dev}:{stderr.st_ino}":
        return ""
    return {logging.ERROR: "<3>", logging.WARNING: "<4>", logging.DEBUG: "<7>"}.get(level, "<6>")


@contextmanager
def step(title: str) -> Iterator[None]:
    """Show that something of unknown length goes on, and in the end how long it took."""
    begun = time.monotonic()
    if sys.stderr.isatty():
        from rich.console import Console

        with Console(stderr=True).status(f"{title} …"):
            yield
    else:
        yield
    note(f"  {title}: {time.monotonic() - begun:.1f} s")


@contextmanager
def progress(title: str, total: int) -> Iterator[Callable[[], None]]:
    """Show a bar with the time left; call what the block is given once for each of `total` pieces of work."""
    begun = time.monotonic()
    done = 0

    def count() -> None:
        nonlocal done
        done += 1

    if sys.stderr.isatty():
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (TextColumn("  {task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task(title, total=total)

            def advance() -> None:
                count()
                bar.advance(task)

            yield advance
    else:
        yield count
    if done:
        note(f"  {title}: {done} in {time.monotonic() - begun:.1f} s")


def table(rows: Sequence[Sequence[str]], header: Sequence[str], file: TextIO | None = None) -> None:
    """Print figures in columns, the first left-aligned, the others right-aligned; rules and bold only in a terminal."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    out = file or sys.stdout
    # In a pipe nothing may be folded to an imaginary width of 80.
    drawing = StringIO()  # if it wrote by itself, rich would answer a closed pipe with exit code 1
    console = Console(file=drawing, force_terminal=out.isatty(), width=None if out.isatty() else 200)
    drawn = Table(box=SIMPLE_HEAD if out.isatty() else None, pad_edge=False)
    for number, title in enumerate(header):
        drawn.add_column(title, justify="left" if number == 0 else "right", overflow="fold")
    for row in rows:
        drawn.add_row(*row)
    console.print(drawn)
    out.write(drawing.getvalue())


def facts(rows: Sequence[tuple[str, str]], file: TextIO | None = None) -> None:
    """Print names and what there is to say of each, one a line."""
    width = max(len(name) for name, _ in rows)
    for name, text in rows:
        print(f"{name:{width}}  {text}", file=file or sys.stdout)


@contextmanager
def native_chatter_logged() -> Iterator[None]:
    """Keep what C++ libraries write to stderr in the block out of the terminal, and log it for `-v`.

    Only for what happens before any thread of ours writes to stderr.
    """
    sys.stderr.flush()
    saved = os.dup(2)
    with open(os.memfd_create("stderr"), "w+b") as caught:  # noqa: PTH123, memory: a full disk must not stop a start
        os.dup2(caught.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(saved, 2)
            os.close(saved)
            caught.seek(0)
            for line in caught.read().decode(errors="replace").splitlines():
                log.debug("native %s", line)
