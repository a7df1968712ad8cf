# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Builds the virtual Pi: a Debian arm64 disk image with systemd, sshd, a camera and a power meter.

Kept in the cache and built again only when what goes into it changes. Run as a program, it builds it.
"""

import fcntl
import hashlib
import os
import shutil
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import initramfs
import kernel_modules
from debian import ForeignApt, mirror, run, unpack

HERE = Path(__file__).parent
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "labelcam" / "virtual-pi"

PACKAGES = (
    *("systemd-sysv", "dbus", "udev", "kmod", "openssh-server", "python3", "sudo", "iproute2"),
    *("procps", "v4l-utils", "i2c-tools"),
)
"""Without python3-venv, which a flash does not need and which brings ca-certificates: those take qemu ten minutes."""

SUITE = os.environ.get("SUITE") or "bookworm"
"""Debian's name for what the virtual Pi runs; the kernel is bookworm's in either case."""

MODEL = "Raspberry Pi 4 Model B Rev 1.4"


@dataclass(frozen=True, slots=True)
class Image:
    """A disk, the kernel that starts from it, and the key that opens it."""

    folder: Path

    @property
    def disk(self) -> Path:
        """The root file system, ext4, never written to: every machine works on a layer of its own."""
        return self.folder / "pi.ext4"

    @property
    def kernel(self) -> Path:
        """The kernel."""
        return self.folder / "vmlinuz"

    @property
    def initramfs(self) -> Path:
        """What the kernel starts with."""
        return self.folder / "initrd.gz"

    @property
    def device_tree(self) -> Path:
        """Qemu's own machine, called a Pi."""
        return self.folder / "pi.dtb"

    @property
    def key(self) -> Path:
        """The private key of the user pi."""
        return self.folder / "id_ed25519"


def image(suite: str = SUITE) -> Image:
    """Return the image, built if it is not there yet; it stays there as long as this process lives."""
    made_of = hashlib.sha256(b"".join((HERE / f"{name}.py").read_bytes() for name in _SOURCES))
    done = Image(CACHE / f"{suite}-{made_of.hexdigest()[:12]}")
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two builders would build the same
        if not done.disk.is_file():
            for old in CACHE.glob(f"{suite}-*"):
                _drop_unless_used(old)
            done.folder.mkdir(parents=True, exist_ok=True)
            _build(suite, done)
        fcntl.flock(os.open(done.folder, os.O_RDONLY), fcntl.LOCK_SH)  # never closed: it ends with the process
    return done


_SOURCES = ("debian", "foreign", "image", "initramfs", "kernel_modules")


def _drop_unless_used(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder)
    except BlockingIOError:
        pass  # another tree's machine runs from it
    finally:
        os.close(number)


def _build(suite: str, image: Image) -> None:
    begun = time.monotonic()
    work = image.folder / "work"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    root = work / "root"
    apt = ForeignApt(work / "apt")
    kernel = apt.newest_kernel()
    _say(f"Debian {suite} for arm64, kernel {kernel}: some minutes, and only once")
    with ThreadPoolExecutor() as pool:  # most of it is one emulated processor; the modules take the other one
        modules = pool.submit(kernel_modules.build, apt, kernel, work / "modules")
        system = pool.submit(_debootstrap, suite, root)
        packages = apt.download(f"linux-image-{kernel}", "busybox-static")
        system.result()
    unpack(packages[0], root)
    unpack(packages[1], work / "busybox")
    extra = root / f"lib/modules/{kernel}/updates"
    extra.mkdir()
    for module in modules.result():
        shutil.copy(module, extra)
    run(["depmod", "-b", root, kernel])
    shutil.copy(root / f"boot/vmlinuz-{kernel}", image.kernel)
    initramfs.write(root, kernel, work / "busybox/bin/busybox", image.initramfs, work / "initramfs")
    _device_tree(image, work)
    image.key.unlink(missing_ok=True)
    run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", image.key])
    _provision(root, image.key.with_suffix(".pub").read_text())
    new = work / "pi.ext4"
    run(["truncate", "-s", "3G", new])
    run(["mke2fs", "-q", "-F", "-t", "ext4", "-d", root, new])
    new.replace(image.disk)
    shutil.rmtree(work)
    _say(f"built in {time.monotonic() - begun:.0f} s")


def _say(what: str) -> None:
    print(f"  virtual Pi: {what}", file=sys.stderr, flush=True)


def _foreign(*command: str | Path) -> str:
    # Without a CPU named, qemu emulates pointer authentication, at a third of the speed.
    os.environ["QEMU_CPU"] = "cortex-a72"
    return run([sys.executable, HERE / "foreign.py", *command])


def _debootstrap(suite: str, root: Path) -> None:
    left_out = [f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in ("man", "doc", "locale")]
    include = ",".join(PACKAGES)
    options = ('APT::Install-Recommends "false"', 'Acquire::Check-Valid-Until "false"')
    _foreign(
        *("mmdebstrap", "--quiet", "--mode=root", "--arch=arm64", "--variant=minbase", "--skip=check/qemu"),
        *(f"--aptopt={option}" for option in options),
        *("--dpkgopt=force-unsafe-io", *left_out),
        *(f"--include={include}", suite, root, mirror()),
    )


def _device_tree(image: Image, work: Path) -> None:
    """Qemu's virt machine with the name that a Pi gives itself."""
    plain, source = work / "virt.dtb", work / "virt.dts"
    machine = ["-M", f"virt,dumpdtb={plain}", "-cpu", "cortex-a72", "-smp", "2", "-m", "2048"]
    run(["qemu-system-aarch64", "-nodefaults", "-nographic", *machine])
    run(["dtc", "-q", "-I", "dtb", "-O", "dts", "-o", source, plain])
    text = source.read_text()
    text = text.replace('model = "linux,dummy-virt"', f'model = "{MODEL}"', 1)
    text = text.replace('compatible = "linux,dummy-virt"', 'compatible = "raspberrypi,4-model-b", "brcm,bcm2711"', 1)
    source.write_text(text)
    run(["dtc", "-q", "-I", "dts", "-O", "dtb", "-o", image.device_tree, source])


def _provision(root: Path, key: str) -> None:
    """What the Raspberry Pi Imager does: a user with a key and sudo, a name, a network."""
    _foreign("chroot", root, "useradd", "-m", "-s", "/bin/bash", "-G", "sudo,video,i2c", "pi")
    for name, text, mode in _files(key):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        path.write_text(text)
        path.chmod(mode)
    home = root / "home/pi/.ssh"
    for path in (home, home / "authorized_keys"):
        os.chown(path, 1000, 1000)
    home.chmod(0o700)
    (root / "var/log/journal").mkdir(parents=True, exist_ok=True)
    wants = root / "etc/systemd/system/multi-user.target.wants"
    wants.mkdir(parents=True, exist_ok=True)
    (wants / "systemd-networkd.service").symlink_to("/lib/systemd/system/systemd-networkd.service")
    for unit in ("apt-daily.timer", "apt-daily-upgrade.timer", "systemd-networkd-wait-online.service"):
        (root / "etc/systemd/system" / unit).symlink_to("/dev/null")


def _files(key: str) -> list[tuple[str, str, int]]:
    vivid = "n_devs=1 node_types=0x1 input_types=0x00 num_inputs=1 no_error_inj=0"
    return [
        ("home/pi/.ssh/authorized_keys", key, 0o600),
        ("etc/sudoers.d/010_pi-nopasswd", "pi ALL=(ALL) NOPASSWD: ALL\n", 0o440),
        ("etc/hostname", "raspberrypi\n", 0o644),
        ("etc/hosts", "127.0.0.1 localhost raspberrypi\n", 0o644),
        ("etc/resolv.conf", "", 0o644),
        ("etc/fstab", "/dev/vda / ext4 defaults,noatime 0 1\n", 0o644),
        ("etc/systemd/network/10-eth.network", "[Match]\nName=en* eth*\n[Network]\nDHCP=ipv4\n", 0o644),
        ("etc/ssh/sshd_config.d/10-pi.conf", "UseDNS no\n", 0o644),
        ("etc/modules-load.d/pi.conf", "vivid\ni2c-dev\ni2c-stub\nina2xx\n", 0o644),
        ("etc/modprobe.d/pi.conf", f"options vivid {vivid}\noptions i2c-stub chip_addr=0x40\n", 0o644),
    ]


if __name__ == "__main__":
    print(image().disk)
