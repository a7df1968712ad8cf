# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""A virtual Pi that starts from an SD card, as the firmware of a real one does: with what cmdline.txt says."""

import gzip
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from image import Image
from initramfs import INIT
from raspios_image import boot_file


@dataclass(frozen=True, slots=True)
class CardPi:
    """One with a card in it."""

    image: Image
    card: Path
    folder: Path
    port: int
    """Of SSH, on this host's loopback."""

    key: Path
    """The owner's own."""

    user: str

    @contextmanager
    def powered(self) -> Iterator["subprocess.Popen[bytes]"]:
        """Switch it on; leaving the block pulls the plug. It is off as soon as it would start afresh."""
        # It ends with us, however we end.
        command = ["setpriv", "--pdeathsig", "KILL", *self._qemu()]
        with (self.folder / "qemu.log").open("ab") as log, subprocess.Popen(command, stderr=log) as process:
            try:
                yield process
            finally:
                process.kill()

    def _qemu(self) -> list[str]:
        told = boot_file(self.card, "cmdline.txt").decode().strip()
        command = ["qemu-system-aarch64", "-M", "virt", "-cpu", "cortex-a72", "-smp", "2", "-m", "2048"]
        command += ["-nographic", "-nodefaults", "-no-reboot", "-serial", f"file:{self.console}"]
        command += ["-dtb", str(self.image.device_tree), "-kernel", str(self.image.kernel)]
        command += ["-initrd", str(self._initramfs()), "-append", told, "-accel", "tcg,thread=multi,tb-size=512"]
        command += ["-drive", f"if=none,id=d,file={self.card},format=raw,cache=writeback"]
        forward = f"hostfwd=tcp:127.0.0.1:{self.port}-:22"
        command += ["-device", "virtio-blk-pci,drive=d", "-device", "virtio-net-pci,netdev=n,romfile="]
        return [*command, "-netdev", f"user,id=n,restrict=on,{forward}", "-device", "virtio-rng-pci"]

    @property
    def console(self) -> Path:
        """What its console says, since it was last switched on."""
        return self.folder / "console.log"

    def _initramfs(self) -> Path:
        """The one of the image, with an init laid over it that takes the card's second partition for root."""
        path = self.folder / "initrd.gz"
        if not path.exists():
            init = self.folder / "init"
            init.write_text(INIT.replace("/dev/vda", "/dev/vda2"))
            init.chmod(0o755)
            packed = subprocess.run(
                ["cpio", "-o", "-H", "newc", "--quiet"], input=b"init", cwd=self.folder, capture_output=True, check=True
            )
            path.write_bytes(self.image.initramfs.read_bytes() + gzip.compress(packed.stdout, 1))
        return path

    @property
    def ssh_config(self) -> Path:
        """What `ssh -F` needs to reach it as `pi`, a name of this file alone."""
        path = self.folder / "ssh_config"
        path.write_text(
            f"Host pi\n  HostName 127.0.0.1\n  User {self.user}\n  Port {self.port}\n  IdentityFile {self.key}\n"
            "  StrictHostKeyChecking no\n  UserKnownHostsFile /dev/null\n  LogLevel ERROR\n  BatchMode yes\n"
            "  ConnectTimeout 10\n"
        )
        return path

    def run(self, command: str) -> str:
        """Run a command there as its owner and return what it printed; nothing if it cannot be reached."""
        ssh = ["ssh", "-F", str(self.ssh_config), "pi", command]
        return subprocess.run(ssh, capture_output=True, text=True, timeout=120, check=False).stdout


def free_port() -> int:
    """Return one that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
