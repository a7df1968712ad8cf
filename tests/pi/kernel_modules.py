# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Kernel modules that Debian's arm64 kernel lacks, built from Debian's own sources: an emulated meter and a camera."""

import subprocess
from pathlib import Path

from debian import ForeignApt, download_native, run, unpack

MODULES = {
    "i2c-stub.c": "linux-source-6.1/drivers/i2c/i2c-stub.c",
    "ina2xx.c": "linux-source-6.1/drivers/hwmon/ina2xx.c",
}
"""An I2C bus without hardware, and the driver of the INA219 that is put on it."""


def build(apt: ForeignApt, kernel: str, folder: Path) -> list[Path]:
    """Return the .ko files for a kernel."""
    folder.mkdir(parents=True, exist_ok=True)
    common = kernel.removesuffix("-arm64") + "-common"
    packages = apt.download(f"linux-headers-{kernel}", f"linux-headers-{common}")
    packages += download_native(folder, "linux-kbuild-6.1", "v4l2loopback-dkms", "linux-source-6.1")
    root = folder / "headers"
    for package in packages:
        unpack(package, root)
    _sources(root / "usr/src", folder)
    headers = root / f"usr/src/linux-headers-{kernel}"
    makefile = headers / "Makefile"
    makefile.write_text(makefile.read_text().replace("/usr/src/", f"{root}/usr/src/"))
    (folder / "Makefile").write_text("obj-m += i2c-stub.o ina2xx.o v4l2loopback.o\n")
    run(["make", "-C", headers, f"M={folder}", "ARCH=arm64", "CROSS_COMPILE=aarch64-linux-gnu-", "modules"])
    return sorted(folder.glob("*.ko"))


def _sources(unpacked: Path, folder: Path) -> None:
    archive = unpacked / "linux-source-6.1.tar.xz"
    members = list(MODULES.values())
    # Two threads of xz and no reading past the last of them: the archive has 80,000 files.
    command = ["tar", "x", "-I", "xz -T0", "-f", archive, "-C", unpacked, "--occurrence=1", *members]
    subprocess.run(command, check=True, capture_output=True)
    for name, member in MODULES.items():
        (unpacked / member).replace(folder / name)
    for path in next(unpacked.glob("v4l2loopback-*")).glob("v4l2loopback*.[ch]"):
        path.replace(folder / path.name)
