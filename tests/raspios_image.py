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
BOOT_START = 8 * MIB

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
    """A real one has 512; FAT32 needs 33 at least, and 256 is where mtools takes it for FAT16."""

    cmdline: str | None = None
    """What the kernel is told, in place of what Raspberry Pi OS tells its own."""


def write_image(path: Path, layout: Layout) -> Path:
    """Write an image whose root holds what a system is told by, and nothing else."""
    _lay_out(path, layout, root_mib=16)
    tree = path.with_suffix(".root")
    _put(tree, _root(layout))
    options = ("-L", "rootfs", "-E", f"offset={_root_start(layout)}", "-O", "^huge_file", "-d", tree)
    _run("mke2fs", "-q", "-F", "-t", "ext4", *options, path, "16M")
    return path


def write_image_around(root: Path, path: Path, layout: Layout) -> Path:
    """Write an image with a whole system: an ext4 that is there already becomes its root."""
    _lay_out(path, layout, root_mib=root.stat().st_size // MIB)
    _run("dd", f"if={root}", f"of={path}", "bs=1M", f"seek={_root_start(layout) // MIB}", "conv=notrunc,sparse")
    fstab = path.with_suffix(".fstab")
    fstab.write_text(_root(layout)["etc/fstab"])
    requests = "rm /etc/fstab\nmkdir /boot/firmware\n" + f"write {fstab.name} /etc/fstab\n"
    _run("debugfs", "-w", "-f", "-", f"{path.name}?offset={_root_start(layout)}", given=requests, cwd=path.parent)
    return path


def _lay_out(path: Path, layout: Layout, root_mib: int) -> None:
    with path.open("wb") as file:
        file.truncate(_root_start(layout) + root_mib * MIB)
    table = (
        f"label: dos\nlabel-id: 0x4e639091\n"
        f"start={BOOT_START // MIB}MiB, size={layout.boot_mib}MiB, type=c\n"
        f"start={_root_start(layout) // MIB}MiB, type=83\n"
    )
    _run("sfdisk", "--quiet", path, given=table)
    tree = path.with_suffix(".boot")
    _put(tree, _boot(layout))
    kilobytes = str(layout.boot_mib * 1024)
    _run("mkfs.vfat", "-F", "32", "-n", "bootfs", f"--offset={BOOT_START // 512}", path, kilobytes)
    for file in sorted(tree.iterdir()):
        _run("mcopy", *_boot_of(path), file, "::/")


def _root_start(layout: Layout) -> int:
    return BOOT_START + layout.boot_mib * MIB


def _boot_of(image: Path) -> tuple[str, str]:
    return ("-i", f"{image}@@{BOOT_START}")


def _boot(layout: Layout) -> dict[str, str]:
    files = {
        "cmdline.txt": layout.cmdline or CMDLINE["trixie" if layout.cloud_init else "bookworm"],
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


def _run(program: str, *arguments: str | Path, given: str | None = None, cwd: Path | None = None) -> bytes:
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    surroundings = {**os.environ, "PATH": path, "MTOOLSRC": "/dev/null", "MTOOLS_SKIP_CHECK": "1"}
    text = None if given is None else given.encode()
    done = subprocess.run(
        [program, *arguments], input=text, capture_output=True, env=surroundings, cwd=cwd, check=False
    )
    assert done.returncode == 0, f"{program}: {done.stderr.decode(errors='replace')}"
    return done.stdout


def boot_file(image: Path, name: str) -> bytes:
    """Return a file of its boot partition, read back by mtools."""
    return _run("mcopy", *_boot_of(image), "-n", f"::/{name}", "-")


def boot_files(image: Path) -> list[str]:
    """Return the names of everything on its boot partition."""
    listed = _run("mdir", "-/", "-b", *_boot_of(image), "::/").decode()
    return sorted(line.removeprefix("::/") for line in listed.splitlines())


def unpack_boot(image: Path, folder: Path) -> None:
    """Lay out everything of its boot partition in a folder."""
    folder.mkdir(exist_ok=True)
    _run("mcopy", "-s", "-n", "-o", *_boot_of(image), "::/", folder)
