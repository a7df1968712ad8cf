# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""A card that the real command made, in a virtual Pi that nobody touches: the first boot of a Bookworm."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from absent import absent
from card import CardPi, free_port
from eventually import eventually
from image import image
from needs import lacking
from raspios_image import Layout, boot_file, boot_files, write_image_around

ROOT = Path(__file__).parents[2]
SETTINGS = '[camera]\nsource = "v4l2:/dev/video0"\n'
LOG = "labelcam-install.log"


@pytest.fixture
def pi(tmp_path: Path) -> CardPi:
    """A Debian on a card laid out as Raspberry Pi OS is, just downloaded."""
    if why := lacking():
        absent(why)
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
        eventually(lambda: first.poll() is not None, lambda: pi.console.read_text(errors="replace")[-2000:])
    assert "systemd.run" not in boot_file(pi.card, "cmdline.txt").decode()
    assert "firstrun.sh" not in boot_files(pi.card)

    with pi.powered():
        eventually(lambda: "installing the wheels" in pi.run(f"cat /boot/firmware/{LOG}"), lambda: _log(pi))
    with pi.powered():
        eventually(lambda: "labelcam is installed" in pi.run(f"cat /boot/firmware/{LOG}"), lambda: _log(pi))
        assert pi.run("hostname; id -un; systemctl is-active labelcam").split() == ["feeder", "anna", "active"]
        assert "psk=" in pi.run("sudo cat /etc/NetworkManager/system-connections/preconfigured.nmconnection")
        assert pi.run("ls -d /boot/firmware/labelcam /etc/systemd/system/labelcam-first-boot.service") == ""
        flashed = labelcam_flash("flash", "--pi", "pi", "--ssh-config", pi.ssh_config, *same)
        assert "runs already, nothing was changed" in flashed


def _log(pi: CardPi) -> str:
    return (
        pi.run(f"cat /boot/firmware/{LOG}; journalctl -b -u labelcam-first-boot -o cat")
        or pi.console.read_text(errors="replace")[-2000:]
    )
