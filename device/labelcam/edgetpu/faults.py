# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""What is wrong where the Edge TPU does not answer, and what to do about it, told from how the child ended."""

import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ..errors import LabelcamError
from .machine import Machine
from .usb import PERMISSION, corals

Stage = Literal["start", "delegate", "network", "warm-up", "invoke"]

BUILD = (
    "install libedgetpu1-std 16.0tf2.17.1-1 or later for this system from github.com/feranick/libedgetpu/releases "
    "(Google's own 16.0 is for interpreters of 2021)"
)
REPLUG = "plug the stick in anew, into a USB 3 port with enough power"
CRASHES = (signal.SIGSEGV, signal.SIGBUS, signal.SIGILL)


class EdgeTpuFault(LabelcamError, RuntimeError):
    """The Edge TPU does not answer, or not rightly."""


@dataclass(frozen=True, slots=True)
class End:
    """How a child ended, or had to be ended."""

    stage: Stage
    """What it was doing."""

    signal: int = 0
    """What ended it, if a signal did."""

    waited_s: float = 0.0
    """How long it was waited for, where it had to be ended."""

    error: str | None = None
    """What the interpreter or the library said, where they did not crash; it may be nothing."""

    stderr: str = ""
    """The last line that it wrote there."""


def fault(end: End, machine: Machine) -> EdgeTpuFault:
    """Return what there is to say, in one line with the remedy."""
    library = machine.library
    if end.waited_s:
        what, remedy = _overdue(end)
    elif end.error is not None:
        what, remedy = _said(end.stage, end.error, machine)
    elif end.signal in CRASHES and end.stage != "invoke":
        name = signal.Signals(end.signal).name
        what, remedy = f"{library} crashes ({name}): it was built for another interpreter than this one", BUILD
    else:
        how = signal.Signals(end.signal).name if end.signal else "without a signal"
        words = f"{how}: {end.stderr}" if end.stderr else how
        what, remedy = f"{library} ended its process during {end.stage} ({words})", REPLUG
    return EdgeTpuFault(f"{what}; {remedy}")


def _overdue(end: End) -> tuple[str, str]:
    if end.stage == "start":
        return f"the Edge TPU's process did not start within {end.waited_s:g} s", "relieve this machine"
    return f"the Edge TPU gave no answer within {end.waited_s:g} s during {end.stage}", REPLUG


def _said(stage: Stage, words: str, machine: Machine) -> tuple[str, str]:
    if stage != "delegate":
        what, _, remedy = words.rpartition("; ")
        return (what, remedy) if what else (f"the Edge TPU's {stage} failed ({words})", REPLUG)
    library = machine.library
    name = Path(library).name
    if "No such file" in words and name in words:
        return f"{library} is not installed", BUILD
    if "No such file" in words:
        return f"{library} lacks a library ({words})", "install it: sudo apt-get install libusb-1.0-0"
    if any(sign in words for sign in ("ELF", "undefined symbol", "not found", "file too short")):
        return f"{library} is not made for this system ({words})", BUILD
    return _unopened(words, machine)


def _unopened(words: str, machine: Machine) -> tuple[str, str]:
    """The library could open no Edge TPU, mostly without a word: look for ourselves."""
    found = corals(machine)
    if words:
        return f"no Edge TPU can be opened ({words})", REPLUG
    if not found:
        return "no Coral USB Accelerator is plugged in", "plug one in, into a USB 3 port with enough power"
    if not any(coral.usable for coral in found):
        return f"the Coral on port {found[0].port} cannot be opened ({found[0].node})", PERMISSION
    return f"the Coral on port {found[0].port} cannot be opened", f"end the other program that uses it, or {REPLUG}"
