# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The smallest initramfs that finds the root file system: busybox and five modules with what they need."""

import gzip
import lzma
import shutil
import subprocess
from pathlib import Path

from debian import run

NEEDED = ("virtio_pci", "virtio_mmio", "virtio_blk", "virtio_net", "ext4")

INIT = """#!/bin/busybox sh
B=/bin/busybox
$B mount -t proc none /proc; $B mount -t sysfs none /sys; $B mount -t devtmpfs none /dev
for m in $($B cat /order); do $B insmod /modules/$m || echo "insmod $m failed"; done
i=0; while [ ! -b /dev/vda ] && [ $i -lt 100 ]; do $B sleep 0.1; i=$((i+1)); done
$B mount -t ext4 -o rw /dev/vda /root || exec $B sh
$B mount --move /dev /root/dev; $B umount /sys; $B umount /proc
exec $B switch_root /root /sbin/init
"""


def write(root: Path, kernel: str, busybox: Path, output: Path, scratch: Path) -> None:
    """Write the initramfs for a kernel whose modules lie in the root."""
    shutil.rmtree(scratch, ignore_errors=True)
    for name in ("bin", "proc", "sys", "dev", "root", "modules"):
        (scratch / name).mkdir(parents=True)
    shutil.copy(busybox, scratch / "bin/busybox")
    (scratch / "bin/busybox").chmod(0o755)
    order: dict[str, None] = {}
    for module in NEEDED:
        for line in run(["modprobe", "-d", root, "-S", kernel, "--show-depends", module]).splitlines():
            if line.startswith("insmod"):
                order[_unpacked(Path(line.split()[1]), scratch / "modules")] = None
    (scratch / "order").write_text("\n".join(order))
    (scratch / "init").write_text(INIT)
    (scratch / "init").chmod(0o755)
    names = "\n".join(str(path.relative_to(scratch)) for path in [scratch, *sorted(scratch.rglob("*"))])
    made = subprocess.run(
        ["cpio", "-o", "-H", "newc", "--quiet"], input=names.encode(), cwd=scratch, capture_output=True, check=True
    )
    output.write_bytes(gzip.compress(made.stdout, 1))


def _unpacked(module: Path, folder: Path) -> str:
    if module.suffix == ".xz":
        (folder / module.stem).write_bytes(lzma.decompress(module.read_bytes()))
        return module.stem
    shutil.copy(module, folder)
    return module.name
