# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""What a card brings along for its first boot: the release as a flash would send it, the installer, Debian packages."""

import io
import json
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from labelcam.console import progress

from ..commands import program
from ..errors import CardFailed
from ..release import Release
from .boot_partition import BootPartition
from .seed import FIRST_BOOT, FOLDER, ORDER, UNIT

AIR_BYTES = 8_000_000
"""For the log, for the system's own setting up, and for the kernel's first update."""

_PIECE = 1 << 20
_ENTRY = "import sys\n\nfrom on_pi.first_boot import main\n\nsys.exit(main())\n"


@dataclass(frozen=True, slots=True)
class Baggage:
    """A release and Debian packages to go with it."""

    release: Release
    debs: Sequence[Path]

    @property
    def size(self) -> int:
        """Bytes that it takes of the boot partition until it is installed."""
        return sum(self.release.sizes.values()) + sum(deb.stat().st_size for deb in self.debs)

    def put_on(self, boot: BootPartition) -> None:
        """Write it, with the time left. Raises CardFailed if it does not fit."""
        free, needed = boot.free_bytes(), self.size + AIR_BYTES
        if free < needed:
            raise CardFailed(
                f"{free / 1e6:.0f} MB are free on the image's boot partition and {needed / 1e6:.0f} are needed; "
                "use Raspberry Pi OS Lite as it is downloaded, or give fewer DEBS"
            )
        boot.make_folder(FOLDER)
        boot.write(f"{FOLDER}/install.pyz", installer())
        boot.write(f"{FOLDER}/{UNIT}", FIRST_BOOT.encode())
        with progress("putting the release on its boot partition, in MB", self.size // _PIECE) as tick:
            boot.stream(f"{FOLDER}/payload", _ticking(self._payload(), tick))
            if self.debs:
                boot.make_folder(f"{FOLDER}/debs")
            for deb in self.debs:
                boot.stream(f"{FOLDER}/debs/{deb.name}", _ticking(_pieces(deb), tick))
        boot.write(f"{FOLDER}/{ORDER}", self._order())

    def _order(self) -> bytes:
        return json.dumps({"release": self.release.described, "made": time.time()}).encode()

    def _payload(self) -> Iterator[bytes]:
        """The very bytes that a flash sends: for each content a line of JSON, and then itself."""
        for sha256, content in self.release.contents.items():
            yield json.dumps({"sha256": sha256, "offset": 0, "bytes": self.release.sizes[sha256]}).encode() + b"\n"
            if isinstance(content, bytes):
                yield content
            elif isinstance(content, Path):
                yield from _pieces(content)
            else:
                raise CardFailed("a card needs every content itself; name a model by MODEL=")


def packages(folder: Path | None) -> list[Path]:
    """Return the Debian packages of a folder. Raises CardFailed for what a 64-bit Pi cannot install."""
    if folder is None:
        return []
    debs = sorted(folder.glob("*.deb"))
    if not debs:
        raise CardFailed(f"DEBS={folder}: holds no .deb; see docs/sdcard.md for how to get them")
    for deb in debs:
        if not deb.stem.endswith(("_arm64", "_all")):
            raise CardFailed(f"DEBS={folder}: {deb.name} is not for arm64; take it out")
    return debs


def installer() -> bytes:
    """Return the program of the first boot: what flash runs on a Pi, with another beginning."""
    whole = io.BytesIO(program())
    with zipfile.ZipFile(whole, "a") as archive:
        archive.writestr(zipfile.ZipInfo("__main__.py", (1980, 1, 1, 0, 0, 0)), _ENTRY)
    return whole.getvalue()


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            yield piece


def _ticking(pieces: Iterator[bytes], tick: Callable[[], None]) -> Iterator[bytes]:
    for piece in pieces:
        yield piece
        if len(piece) == _PIECE:
            tick()
