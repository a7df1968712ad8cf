# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""An Edge TPU for the tests: a library that stands in for libedgetpu, and sticks as the kernel would list them."""

import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from labelcam.edgetpu.machine import Backoff, Machine, Patience

SOURCE = Path(__file__).parent / "stand_ins" / "edgetpu_delegate.c"

# What `udevadm info --attribute-walk` shows of a Coral before and after its firmware is loaded, and of its port.
BARE = {"idVendor": "1a6e", "idProduct": "089a", "speed": "480"}
READY = {"idVendor": "18d1", "idProduct": "9302", "speed": "5000"}


def compile_library(gcc: str, folder: Path) -> Path:
    """Compile what stands in for libedgetpu.so.1."""
    library = folder / "libedgetpu.so.1"
    subprocess.run([gcc, "-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o", library, SOURCE], check=True)
    return library


def soon(true: Callable[[], bool]) -> bool:
    """Wait for something that is about to happen."""
    deadline = time.monotonic() + 30
    while not true() and time.monotonic() < deadline:
        time.sleep(0.01)
    return true()


def ended(process: int) -> bool:
    """Whether a process ends, though nobody may have asked for its exit code yet."""

    def gone() -> bool:
        try:
            return "\nState:\tZ" in Path(f"/proc/{process}/status").read_text()
        except OSError:
            return True

    return soon(gone)


@dataclass(frozen=True)
class Stick:
    """An Edge TPU whose behaviour can be told, and a folder that lists it where it is plugged in."""

    library: Path
    told: Path
    usb: Path
    nodes: Path

    def behave(self, how: str) -> None:
        """Do so whenever it is opened from now on; see edgetpu_delegate.c."""
        self.told.write_text(how)

    @property
    def openings(self) -> int:
        """How often somebody had the library open it."""
        count = self.told.with_suffix(".openings")
        return count.stat().st_size if count.exists() else 0

    def plug(self, port: str = "2-1", number: int = 3, *, node: bool = True, **attributes: str) -> None:
        """Plug it in, as the kernel lists it; without a `node` nobody may open it."""
        listed = {"busnum": port.removeprefix("usb").partition("-")[0], "devnum": str(number), **READY, **attributes}
        folder = self.usb / port
        folder.mkdir(parents=True)
        for name, value in listed.items():
            (folder / name).write_text(f"{value}\n")
        if node:
            file = self.nodes / f"{int(listed['busnum']):03}" / f"{number:03}"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.touch()

    def machine(
        self, library: str = "", *, stage_s: float = 30.0, invoke_s: float = 30.0, again_s: float = 0.02
    ) -> Machine:
        """Where it is found; waited for as long as a busy test machine needs, and tried again at once."""
        backoff = Backoff(first=again_s, longest=max(again_s, 0.1), look=0.02)
        return Machine(library or str(self.library), Patience(60.0, stage_s, invoke_s), backoff, self.usb, self.nodes)
