# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""From a downloaded image to one that comes up as a labelcam: every step refuses before the next one is begun."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from labelcam.console import note, step
from labelcam.settings import default_text

from ..errors import CardFailed
from ..payload import DEFAULT_MODEL, checked_model
from ..release import make_release
from ..wheelhouse import wheelhouse
from . import cloud_init, first_run
from .baggage import Baggage
from .boot_partition import BootPartition
from .owner import Owner
from .partitions import boot_and_root
from .seed import FOLDER, Seed
from .system import System, system_of
from .tools import need_tools
from .unpacking import need_image, unpack

PICAMERA2 = "sudo apt install -y python3-picamera2 --no-install-recommends"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the card is to hold."""

    image: Path
    owner: Owner
    model: Path | None
    """None: the smallest of the zoo."""

    settings: str | None
    """None: the commented defaults."""

    debs: list[Path]
    cache: Path


def make_image(wanted: Wanted, out: Path) -> Path:
    """Write the image of a card, readable by nobody else, for it may hold secrets. Raises CardFailed."""
    need_tools()
    need_image(wanted.image)
    if out.exists() and (not out.is_file() or out.samefile(wanted.image)):
        raise CardFailed(f"OUT={out}: name a new file for the image; a card is named by DEVICE=")
    with _unfinished(out) as image:
        with image.open("r+b") as file:
            unpack(wanted.image, file)
        boot, root = boot_and_root(image)
        system = system_of(image, root)
        note(f"  {system.name}, 64 bits, set up by {'cloud-init' if system.cloud_init else 'a script'}")
        _say_what_a_camera_needs(system, wanted.debs)
        partition = BootPartition(image, boot)
        if FOLDER in partition.names():
            raise CardFailed(f"IMAGE={wanted.image}: is prepared already; give one as it is downloaded")
        baggage = _baggage(wanted, system)
        note(f"  release {baggage.release.id} for {system.target.name}, {baggage.size / 1e6:.0f} MB")
        baggage.put_on(partition)
        _sow((cloud_init if system.cloud_init else first_run).seed(wanted.owner), partition)
    return out


def _baggage(wanted: Wanted, system: System) -> Baggage:
    model = wanted.model or checked_model(DEFAULT_MODEL, wanted.cache)
    wheels = wheelhouse(system.target, wanted.cache)
    settings = default_text() if wanted.settings is None else wanted.settings
    return Baggage(make_release(system.target, wheels, model, settings), wanted.debs)


def _say_what_a_camera_needs(system: System, debs: list[Path]) -> None:
    if system.picamera2 or any(deb.name.startswith("python3-picamera2_") for deb in debs):
        return
    note(
        "  there is no python3-picamera2 in it. A USB or network camera does not need it; a CSI camera does, and the Pi"
    )
    note(f"  the network, once: {PICAMERA2}, or take its packages along: DEBS=DIR")


def _sow(seed: Seed, boot: BootPartition) -> None:
    words = boot.read("cmdline.txt").split()
    for name, content in seed.files.items():
        boot.write(name, content)
    new = [word for word in seed.kernel if word not in words]
    # Last of all: until it is there, the image is the one that was downloaded.
    boot.write("cmdline.txt", (" ".join([*words, *new]) + "\n").encode())


@contextmanager
def _unfinished(out: Path) -> Iterator[Path]:
    """Give a file beside the wanted one, that takes its name when it is complete and goes if it is not."""
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(prefix="unfinished-", suffix=".img", dir=out.parent, delete=False) as file:
        image = Path(file.name)  # mode 0600, as tempfile makes them
    try:
        yield image
        with step("waiting until it is on the disk"):
            _settle(image)
        image.replace(out)
    finally:
        image.unlink(missing_ok=True)


def _settle(image: Path) -> None:
    with image.open("rb") as file:
        os.fsync(file.fileno())
