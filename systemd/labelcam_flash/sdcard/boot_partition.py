# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Reads and writes the boot partition inside an image by mtools: neither root nor a mount is needed."""

import re
import subprocess
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ..errors import CardFailed
from .partitions import Partition
from .tools import found, last_line, run, surroundings


@dataclass(frozen=True, slots=True)
class BootPartition:
    """The FAT32 file system that the firmware starts from, /boot/firmware on the running Pi."""

    image: Path
    partition: Partition

    def free_bytes(self) -> int:
        """Return how much fits."""
        listed = run("mdir", *self._here, "::/").decode(errors="replace")
        free = re.search(r"([\d ]+) bytes free", listed)
        if free is None:
            raise CardFailed("the image's boot partition cannot be read; download the image again")
        return int(free[1].replace(" ", ""))

    def read(self, name: str) -> str:
        """Return a text file. Raises CardFailed if it is not there."""
        return run("mcopy", *self._here, "-n", f"::/{name}", "-").decode(errors="replace")

    def make_folder(self, name: str) -> None:
        """Make a folder."""
        run("mmd", *self._here, f"::/{name}")

    def names(self) -> list[str]:
        """Return what lies in its uppermost folder."""
        listed = run("mdir", "-b", *self._here, "::/").decode(errors="replace")
        return [line.removeprefix("::/").rstrip("/") for line in listed.splitlines()]

    def write(self, name: str, content: bytes) -> None:
        """Write a file, over another one of that name; it never lies anywhere else, for it may hold a secret."""
        self.stream(name, [content])

    def stream(self, name: str, pieces: Iterable[bytes]) -> None:
        """Write a file piece by piece."""
        command = [found("mcopy"), *self._here, "-D", "o", "-", f"::/{name}"]
        with (
            tempfile.TemporaryFile() as complaints,
            subprocess.Popen(command, stdin=subprocess.PIPE, stderr=complaints, env=surroundings()) as process,
        ):
            assert process.stdin  # noqa: S101 - a pipe
            try:
                for piece in pieces:
                    process.stdin.write(piece)
                process.stdin.close()
            except BrokenPipeError:
                pass  # it has ended early, and says why
            if process.wait():
                complaints.seek(0)
                raise CardFailed(f"{name} does not get onto the boot partition: {last_line(complaints.read())}")

    @property
    def _here(self) -> tuple[str, str]:
        return ("-i", f"{self.image}@@{self.partition.offset}")
