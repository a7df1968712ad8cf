# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Generates images laid out as Raspberry Pi OS is: none can be had where this is built.

A partition table, a FAT32 partition labelled bootfs at 8 MiB and an ext4 one labelled rootfs, with the files in them
that matter to whoever prepares a card.
"""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

MIB = 1 << 20

_ROOT = "console=serial0,115200 console=tty1 root=PARTUUID=4e639091-02 rootfstype=ext4 fsck.repair=yes rootwait"
CMDLINE = {
    "bookworm": f"{_ROOT} quiet init=/usr/lib/raspberrypi-sys-mods/firstboot\n",
    "trixie": f"{_ROOT} resize\n",
}

OS_RELEASE = """\
PRETTY_NAME="Debian GNU/Linux {number} ({name})"
NAME="Debian GNU/Linux"
VERSION_ID="{number}"
VERSION_CODENAME={name}
ID=debian
"""

NUMBERS = {"bullseye": 11, "bookworm": 12, "trixie": 13}


@dataclass(frozen=True, slots=True)
class Layout:
    """Which system, and what it has."""

    name: str = "bookworm"
    cloud_init: bool = False
    picamera2: bool = False
    machine: str = "aarch64"
    boot_mib: int = 64
    """A real one has 512; FAT32 needs 33 at least."""


def write_image(path: Path, layout: Layout, root_mib: int = 16) -> Path:
    """Write an image."""
    boot_start, root_start = 8, 8 + layout.boot_mib
    with path.open("wb") as file:
        file.truncate((root_start + root_mib) * MIB)
    table = (
        f"label: dos\nlabel-id: 0x4e639091\n"
        f"start={boot_start}MiB, size={layout.boot_mib}MiB, type=c\nstart={root_start}MiB, type=83\n"
    )
    _run("sfdisk", "--quiet", str(path), given=table)
    tree = path.with_suffix(".tree")
    _put(tree / "boot", _boot(layout))
    _put(tree / "root", _root(layout))
    _boot_partition(path, boot_start, layout, tree / "boot")
    offset = f"offset={root_start * MIB}"
    options = ("-L", "rootfs", "-E", offset, "-O", "^huge_file", "-d", tree / "root")
    _run("mke2fs", "-q", "-F", "-t", "ext4", *options, path, f"{root_mib}M")
    return path


def _boot(layout: Layout) -> dict[str, str]:
    files = {
        "cmdline.txt": CMDLINE["trixie" if layout.cloud_init else "bookworm"],
        "config.txt": "camera_auto_detect=1\narm_64bit=1\n",
        "issue.txt": "Raspberry Pi reference 2026-09-15\nGenerated using pi-gen\n",
    }
    if layout.cloud_init:
        files["meta-data"] = "dsmode: local\ninstance_id: rpios-image\n"
        files["user-data"] = "#cloud-config\n\n#hostname: raspberrypi\n"
        files["network-config"] = "network:\n  version: 2\n  ethernets:\n    eth0:\n      dhcp4: true\n"
    return files


def _root(layout: Layout) -> dict[str, str]:
    files = {
        "usr/lib/os-release": OS_RELEASE.format(number=NUMBERS[layout.name], name=layout.name),
        f"usr/lib/{layout.machine}-linux-gnu/libc.so.6": "",
        "etc/fstab": "PARTUUID=4e639091-01 /boot/firmware vfat defaults 0 2\n",
    }
    if layout.cloud_init:
        files["usr/bin/cloud-init"] = ""
    if layout.picamera2:
        files["usr/lib/python3/dist-packages/picamera2/__init__.py"] = ""
    return files


def _put(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def _boot_partition(path: Path, start_mib: int, layout: Layout, tree: Path) -> None:
    kilobytes = layout.boot_mib * 1024
    sectors = start_mib * MIB // 512
    _run("mkfs.vfat", "-F", "32", "-n", "bootfs", f"--offset={sectors}", path, str(kilobytes))
    for file in sorted(tree.iterdir()):
        _run("mcopy", "-i", f"{path}@@{start_mib * MIB}", file, "::/")


def _run(program: str, *arguments: str | Path, given: str | None = None) -> str:
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    surroundings = {**os.environ, "PATH": path, "MTOOLSRC": "/dev/null", "MTOOLS_SKIP_CHECK": "1"}
    done = subprocess.run(
        [program, *arguments], input=given, capture_output=True, text=True, env=surroundings, check=False
    )
    assert done.returncode == 0, f"{program}: {done.stderr}"
    return done.stdout


def boot_file(image: Path, name: str, start_mib: int = 8) -> bytes:
    """Return a file of its boot partition, read back by mtools."""
    return subprocess.run(
        ["mcopy", "-i", f"{image}@@{start_mib * MIB}", "-n", f"::/{name}", "-"],
        capture_output=True,
        check=True,
        env={**os.environ, "MTOOLSRC": "/dev/null", "MTOOLS_SKIP_CHECK": "1"},
    ).stdout


def boot_files(image: Path, start_mib: int = 8) -> list[str]:
    """Return the names of everything on its boot partition."""
    listed = _run("mdir", "-/", "-b", "-i", f"{image}@@{start_mib * MIB}", "::/")
    return sorted(line.removeprefix("::/") for line in listed.splitlines())


def unpack_boot(image: Path, folder: Path, start_mib: int = 8) -> None:
    """Lay out everything of its boot partition in a folder."""
    folder.mkdir(exist_ok=True)
    _run("mcopy", "-s", "-n", "-o", "-i", f"{image}@@{start_mib * MIB}", "::/", folder)
