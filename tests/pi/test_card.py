# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""A card that the real command made, in a virtual Pi that nobody touches: the first boot of a Bookworm."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from absent import absent
from card import CardPi, free_port
from image import SUITE, image
from raspios_image import Layout, boot_file, boot_files, write_image_around

ROOT = Path(__file__).parents[2]
TOOLS = {
    "sfdisk": "fdisk",
    "mkfs.vfat": "dosfstools",
    "mcopy": "mtools",
    "debugfs": "e2fsprogs",
    "cpio": "cpio",
    "setpriv": "util-linux",
    "qemu-system-aarch64": "qemu-system-arm",
}
"""Besides those that the virtual Pi itself is built from."""

SETTINGS = '[camera]\nsource = "v4l2:/dev/video0"\n'
LOG = "labelcam-install.log"

PATIENCE_S = 1800.0
"""For one boot, on a machine with much else to do: most of it is pip and Python's byte code."""


@pytest.fixture
def pi(tmp_path: Path) -> CardPi:
    """A Debian on a card laid out as Raspberry Pi OS is, just downloaded."""
    if SUITE != "bookworm":
        pytest.skip("a Trixie sets itself up by cloud-init, which this image lacks")
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    missing = [package for program, package in TOOLS.items() if not shutil.which(program, path=path)]
    if missing:
        absent(f"a card needs more than is here: sudo apt-get install {' '.join(missing)}")
    key = tmp_path / "id"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    cmdline = "console=ttyAMA0 loglevel=4 root=PARTUUID=4e639091-02 rootwait\n"
    write_image_around(image().disk, tmp_path / "raspios.img", Layout(boot_mib=512, cmdline=cmdline))
    return CardPi(image(), tmp_path / "card.img", tmp_path, free_port(), key, "anna")


def labelcam_flash(*arguments: str | Path) -> str:
    """Run the program that the Makefile's targets run, and return what it printed."""
    paths = [str(ROOT / "systemd"), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    surroundings = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
    command = [sys.executable, "-m", "labelcam_flash", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=1200, cwd=ROOT, env=surroundings)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_card_makes_a_pi_of_itself(pi: CardPi, person_model: Path) -> None:
    """It sets up name, user and key, starts afresh, installs labelcam through a power cut, and shows labels.

    What it ends with is what a flash of the same sources would have made: that one has nothing to do.
    """
    settings = pi.folder / "labelcam.toml"
    settings.write_text(SETTINGS)
    password = pi.folder / "password"
    password.write_text("correct horse battery")
    same = ("--model", person_model, "--settings", settings)
    card = ("--image", pi.folder / "raspios.img", "--out", pi.card, "--host", "feeder", "--user", pi.user)
    wifi = ("--wifi-ssid", "Café", "--wifi-password-file", password, "--wifi-country", "DE")
    labelcam_flash("sdcard", *card, "--ssh-key", pi.key.with_suffix(".pub"), *wifi, *same)

    with pi.powered() as first:  # the script runs before all else, and the Pi starts afresh by itself
        _wait(lambda: first.poll() is not None, lambda: pi.console.read_text(errors="replace")[-2000:])
    assert "systemd.run" not in boot_file(pi.card, "cmdline.txt").decode()
    assert "firstrun.sh" not in boot_files(pi.card)

    with pi.powered():
        _wait(lambda: "installing the wheels" in _log(pi), lambda: _why(pi))
    with pi.powered():
        _wait(lambda: "labelcam is installed" in _log(pi), lambda: _why(pi))
        assert pi.run("hostname; id -un; systemctl is-active labelcam").split() == ["feeder", "anna", "active"]
        assert "psk=" in pi.run("sudo cat /etc/NetworkManager/system-connections/preconfigured.nmconnection")
        assert pi.run("ls -d /boot/firmware/labelcam /etc/systemd/system/labelcam-first-boot.service") == ""
        flashed = labelcam_flash("flash", "--pi", "pi", "--ssh-config", pi.ssh_config, *same)
        assert "runs already, nothing was changed" in flashed


def _wait(until: Callable[[], bool], told: Callable[[], str]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not until():
        assert time.monotonic() < deadline, told()
        time.sleep(2.0)


def _log(pi: CardPi) -> str:
    return pi.run(f"cat /boot/firmware/{LOG}")


def _why(pi: CardPi) -> str:
    journal = pi.run("journalctl -b -u labelcam-first-boot -o cat")
    return _log(pi) + journal or pi.console.read_text(errors="replace")[-2000:]
