# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""A running virtual Pi: booted by qemu, reached by SSH, cut off from every network but this host."""

import json
import os
import shlex
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from debian import run
from image import Image

BOOT_S = 240.0
"""The slowest boot seen took 30 s on two idle cores; a busy machine may take many times as long."""


@dataclass(frozen=True, slots=True)
class Machine:
    """One virtual Pi, on a layer of its own above the image."""

    image: Image
    folder: Path
    port: int
    """Of SSH, on this host's loopback."""

    control: Path
    """A socket for the one connection that `run` and `write` share: an emulated sshd takes a second to shake hands."""

    @property
    def ssh_config(self) -> Path:
        """What `ssh -F` needs to reach it as `pi`."""
        return self.folder / "ssh_config"

    @property
    def serial(self) -> Path:
        """What its console said."""
        return self.folder / "console.log"

    def run(self, *command: str, check: bool = True, timeout_s: float = 120.0) -> str:
        """Run a command as root on it and return what it printed."""
        there = shlex.join(["sudo", *command])
        done = subprocess.run(self._ssh(there), capture_output=True, text=True, timeout=timeout_s, check=False)
        if check and done.returncode:
            raise RuntimeError(f"{there}: {done.stderr or done.stdout}")
        return done.stdout

    def write(self, path: str, content: bytes) -> None:
        """Put a file on it, as root."""
        command = self._ssh(f"sudo tee {shlex.quote(path)} >/dev/null")
        subprocess.run(command, input=content, check=True, timeout=120)

    def _ssh(self, command: str) -> list[str | Path]:
        shared = ["-oControlMaster=auto", f"-oControlPath={self.control}", "-oControlPersist=60"]
        return ["ssh", "-F", self.ssh_config, *shared, "pi", command]

    def power_cut(self) -> None:
        """Take the power away, as when somebody pulls the plug."""
        number = self.folder / "pid"
        if not number.exists():
            return  # it is off
        with suppress(ProcessLookupError):
            os.kill(int(number.read_text()), signal.SIGKILL)
        with suppress(ChildProcessError):  # Python has waited for it already
            os.waitpid(int(number.read_text()), 0)  # until its last thread is gone, and with it the lock on its disk
        number.unlink()

    def power_on(self, snapshot: str | None = None) -> None:
        """Boot it, or go on from a snapshot, and wait until it can be reached."""
        # It ends with us, however we end: nothing is left behind that nobody knows of.
        command = ["setpriv", "--pdeathsig", "KILL", *self._qemu(), *(["-loadvm", snapshot] if snapshot else [])]
        with (self.folder / "qemu.log").open("ab") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        (self.folder / "pid").write_text(str(process.pid))
        self._wait_for_ssh(process)
        # A snapshot's clock stands where it was taken.
        self.run("date", "-s", f"@{int(time.time())}")

    def _qemu(self) -> list[str]:
        command = ["qemu-system-aarch64", "-M", "virt", "-cpu", "cortex-a72", "-smp", "2", "-m", "2048"]
        command += ["-nographic", "-nodefaults", "-no-reboot", "-serial", f"file:{self.serial}"]
        command += ["-qmp", f"unix:{self._monitor},server,nowait", "-dtb", str(self.image.device_tree)]
        command += ["-kernel", str(self.image.kernel), "-initrd", str(self.image.initramfs)]
        command += ["-append", "console=ttyAMA0 loglevel=4", "-accel", "tcg,thread=multi,tb-size=512"]
        command += ["-drive", f"if=none,id=d,file={self.layer},format=qcow2,cache=writeback"]
        command += ["-device", "virtio-blk-pci,drive=d", "-device", "virtio-net-pci,netdev=n,romfile="]
        # restrict: it reaches nothing at all, and nothing reaches it but SSH from this host.
        forward = f"hostfwd=tcp:127.0.0.1:{self.port}-:22"
        return [*command, "-netdev", f"user,id=n,restrict=on,{forward}", "-device", "virtio-rng-pci"]

    def snapshot(self, name: str) -> None:
        """Keep its memory and disk as they are."""
        self._monitor_command(f"savevm {name}")

    def ssh_config_by(self, port: int) -> Path:
        """Another way to reach it: through a port of this host that somebody else forwards."""
        path = self.folder / f"ssh_config_by_{port}"
        path.write_text(self.ssh_config.read_text().replace(f"Port {self.port}\n", f"Port {port}\n"))
        return path

    @contextmanager
    def forwarded(self, its_port: int, ours: int) -> Iterator[None]:
        """Let it reach a port of this host's loopback at one of its own, through SSH."""
        forward = ["-N", "-oExitOnForwardFailure=yes", "-R", f"{its_port}:127.0.0.1:{ours}"]
        command = ["ssh", "-F", str(self.ssh_config), *forward, "pi"]
        with subprocess.Popen(command) as process:
            try:
                yield
            finally:
                process.terminate()

    @property
    def _monitor(self) -> Path:
        return self.folder / "monitor"

    @property
    def layer(self) -> Path:
        """What it has written, above the image's disk, and its snapshots."""
        return self.folder / "layer.qcow2"

    def _wait_for_ssh(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + BOOT_S
        while time.monotonic() < deadline:
            tried = subprocess.run(self._ssh("true"), capture_output=True, check=False)
            if tried.returncode == 0:
                return
            if process.poll() is not None:
                raise RuntimeError(f"qemu ended: {(self.folder / 'qemu.log').read_text()[-1000:]}")
            time.sleep(0.5)
        raise RuntimeError(f"no SSH within {BOOT_S:g} s: {self.serial.read_text(errors='replace')[-2000:]}")

    def _monitor_command(self, command: str) -> None:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(self._monitor))
            with connection.makefile("rw") as stream:
                stream.readline()
                _ask(stream, "qmp_capabilities", {})
                said = _ask(stream, "human-monitor-command", {"command-line": command})
        if said["return"]:
            raise RuntimeError(said["return"])


def _ask(stream: Any, what: str, arguments: dict[str, str]) -> dict[str, Any]:
    stream.write(json.dumps({"execute": what, "arguments": arguments}) + "\n")
    stream.flush()
    while True:
        said: dict[str, Any] = json.loads(stream.readline())
        if "event" not in said:
            return said


@contextmanager
def machine(image: Image, folder: Path, layer: Path | None = None) -> Iterator[Machine]:
    """Give one that has never been switched on, or has disk and snapshots of another, and end it in the end."""
    folder.mkdir(parents=True, exist_ok=True)
    # Not in the folder: ssh takes no socket whose path is longer than 104 bytes, and reads quotes, % and $ in it.
    with tempfile.TemporaryDirectory(prefix="virtual-pi-", dir="/tmp") as control:
        new = Machine(image, folder, _free_port(), Path(control) / "ssh")
        if layer:
            run(["cp", "--reflink=auto", "--sparse=always", layer, new.layer])
        else:
            run(["qemu-img", "create", "-q", "-f", "qcow2", "-b", image.disk, "-F", "raw", new.layer])
        new.ssh_config.write_text(
            f"Host pi pi-again 127.0.0.1\n  HostName 127.0.0.1\n  User pi\n  Port {new.port}\n"
            f"  IdentityFile {image.key}\n"
            "  StrictHostKeyChecking no\n  UserKnownHostsFile /dev/null\n  LogLevel ERROR\n  BatchMode yes\n"
            "  ConnectTimeout 30\n"
            "Host gone\n  HostName 127.0.0.1\n  Port 9\n"  # discard: nothing listens there
        )
        try:
            yield new
        finally:
            new.power_cut()
            new.layer.unlink(missing_ok=True)  # gigabytes, with its snapshots


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
