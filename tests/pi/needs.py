# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""What the virtual Pi is built from and run by: run as a program, this says in one line what of it is not here."""

import os
import shutil
import sys

TOOLS = {
    "qemu-system-aarch64": "qemu-system-arm",
    "qemu-img": "qemu-utils",
    "qemu-aarch64-static": "qemu-user-static",
    "mmdebstrap": "mmdebstrap",
    "xz": "xz-utils",
    "dpkg-deb": "dpkg",
    "mke2fs": "e2fsprogs",
    "dtc": "device-tree-compiler",
    "cpio": "cpio",
    "modprobe": "kmod",
    "make": "make",
    "bc": "bc",
    "aarch64-linux-gnu-gcc-12": "gcc-12-aarch64-linux-gnu",
    "ssh": "openssh-client",
    "setpriv": "util-linux",
    "mosquitto": "mosquitto",
}
"""Programs, and the Debian package of each."""


def lacking() -> str:
    """Return in one line what is not here and how it comes here; nothing where all is there."""
    if not shutil.which("apt-get"):
        return "the virtual Pi is built from Debian's packages: use Debian 12, or a container of it"
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    packages = {package for program, package in TOOLS.items() if not shutil.which(program, path=path)}
    if packages:
        return f"the virtual Pi needs what is not here: sudo apt-get install {' '.join(sorted(packages))}"
    if os.geteuid() != 0:
        return "the virtual Pi's disk is laid out by root: use sudo, or a container of Debian 12"
    return ""


if __name__ == "__main__":
    sys.exit(lacking() or 0)
