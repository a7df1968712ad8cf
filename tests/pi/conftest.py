# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""A virtual Pi that has been flashed once, by the real command over SSH; each test begins from that very moment.

Not part of `make test`: these tests run where their folder is named, as `make test-pi` does.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from absent import absent
from broker import Broker, broker
from cutting import cutting
from image import image
from labelcam.images import encode_png
from machine import Machine, machine

HERE = Path(__file__).parent
ROOT = HERE.parents[1]

TOOLS = {
    "qemu-system-aarch64": "qemu-system-arm",
    "qemu-img": "qemu-utils",
    "qemu-aarch64-static": "qemu-user-static",
    "mmdebstrap": "mmdebstrap",
    "dpkg-deb": "dpkg",
    "mke2fs": "e2fsprogs",
    "dtc": "device-tree-compiler",
    "cpio": "cpio",
    "modprobe": "kmod",
    "make": "make",
    "bc": "bc",
    "aarch64-linux-gnu-gcc-12": "gcc-12-aarch64-linux-gnu",
    "ssh": "openssh-client",
    "mosquitto": "mosquitto",
}
"""What the virtual Pi is built from and run by, and the Debian package of each."""

PHOTOS = "/srv/photos"
PHOTO_SECONDS = 2

SETTINGS = """\
# A test's settings: it's "quoted"
[camera]
source = "photos:{photos}?fps={fps}&loop"

[mqtt]
host = "127.0.0.1"
port = {port}
node = "pi"
"""


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave these tests alone unless they are asked for by name."""
    named = any(Path(arg.split("::")[0]).resolve().is_relative_to(HERE) for arg in config.args)
    return None if named else True


@dataclass(frozen=True, slots=True)
class Flashed:
    """A virtual Pi with a release, and what to ask of it."""

    machine: Machine
    broker: Broker
    model: Path
    settings: Path
    first_output: str
    """What the first flash said."""

    def make(
        self, command: str, *arguments: str | Path, config: Path | None = None
    ) -> "subprocess.CompletedProcess[str]":
        """Run what the Makefile's target of that name runs."""
        return command_on(config or self.machine.ssh_config, command, *arguments)

    def flash(self, settings: str) -> "subprocess.CompletedProcess[str]":
        """Flash other settings."""
        path = self.machine.folder / "other settings.toml"
        path.write_text(settings)
        return self.make("flash", "--settings", path)

    def show(self, name: str) -> str:
        """Return a property of the service."""
        return self.machine.run("systemctl", "show", "--value", f"--property={name}", "labelcam").strip()

    def live(self) -> str:
        """Return the name of the live release."""
        return Path(self.machine.run("readlink", "/opt/labelcam/current").strip()).name

    def journal(self) -> str:
        """Return what the service, and systemd about it, have said since it was booted."""
        return self.machine.run("journalctl", "-b", "-u", "labelcam", "-o", "cat", "--no-pager")


def command_on(config: Path, command: str, *arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    """Run a command of labelcam_flash in a process of its own."""
    whole = [sys.executable, "-m", "labelcam_flash", command, "--pi", "pi", "--ssh-config", config, *arguments]
    paths = [str(ROOT / "systemd"), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    surroundings = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
    return subprocess.run(whole, capture_output=True, text=True, timeout=1200, cwd=ROOT, env=surroundings, check=False)


@pytest.fixture(scope="session")
def flashed(tmp_path_factory: pytest.TempPathFactory, person_model: Path) -> Iterator[Flashed]:
    """A Pi without internet, flashed for the first time while the network breaks in the middle of the copy."""
    _need_everything()
    # A path with what a shell would trip over.
    folder = tmp_path_factory.mktemp("the pi's $folder")
    with broker(folder) as listening, machine(image(), folder / "machine") as pi:
        pi.power_on()
        _put_photos(pi)
        settings = folder / 'my "settings".toml'
        settings.write_text(SETTINGS.format(photos=PHOTOS, fps=1 / PHOTO_SECONDS, port=listening.port))
        with cutting(pi.port, after_bytes=20_000_000) as port:
            config = pi.ssh_config_by(port)
            done = command_on(config, "flash", "--model", person_model, "--settings", settings)
        assert done.returncode == 0, done.stderr + done.stdout
        pi.snapshot("flashed")
        yield Flashed(pi, listening, person_model, settings, done.stderr + done.stdout)


@pytest.fixture
def pi(flashed: Flashed) -> Flashed:
    """The same Pi as it was right after its first flash."""
    flashed.machine.power_cut()
    flashed.machine.power_on("flashed")
    return flashed


def _need_everything() -> None:
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    lacking = sorted({package for program, package in TOOLS.items() if not shutil.which(program, path=path)})
    if lacking:
        absent(f"the virtual Pi needs more than is here: sudo apt-get install {' '.join(lacking)}")
    if os.geteuid() != 0:
        absent("the virtual Pi's disk is laid out by root: run make test-pi as root, in a container for instance")
    if not shutil.which("apt-get"):
        absent("the virtual Pi is built from Debian's packages: run make test-pi on Debian 12 or in a container of it")


def _put_photos(pi: Machine) -> None:
    from skimage import data  # `make test` reads this file too, and has no need of it

    pi.run("mkdir", "-p", PHOTOS)
    for name, pixels in {"astronaut": data.astronaut(), "coffee": data.coffee()}.items():
        pi.write(f"{PHOTOS}/{name}.png", encode_png(pixels))
