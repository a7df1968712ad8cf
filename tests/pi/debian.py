# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Debian packages of another architecture than this machine's, by an apt of its own: the machine's is not touched."""

import subprocess
from collections.abc import Sequence
from pathlib import Path


class ForeignApt:
    """apt for arm64, from the very mirror and suite that this machine uses."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._options = [
            f"-o{key}={value}"
            for key, value in {
                "APT::Architecture": "arm64",
                "APT::Architectures::": "arm64",
                "Dir::State": folder / "state",
                "Dir::Cache": folder / "cache",
                "Dir::State::status": "/dev/null",
                "APT::Sandbox::User": "root",
                "Acquire::Check-Valid-Until": "false",
            }.items()
        ]
        for name in ("state/lists/partial", "cache/archives/partial"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        self._run("apt-get", "update", "-qq")

    def newest_kernel(self) -> str:
        """Return the release of the kernel that linux-image-arm64 stands for, as uname -r will say it."""
        shown = self._run("apt-cache", "depends", "linux-image-arm64")
        return shown.rpartition("Depends: linux-image-")[2].split()[0]

    def download(self, *packages: str) -> list[Path]:
        """Fetch packages and return their files, in this order."""
        return _download(self._options, self._folder, packages)

    def _run(self, program: str, *arguments: str) -> str:
        return run([program, *self._options, *arguments])


def download_native(folder: Path, *packages: str) -> list[Path]:
    """Fetch packages of this machine's own architecture and return their files, in this order."""
    return _download(["-oAPT::Sandbox::User=root"], folder, packages)


def _download(options: Sequence[str], folder: Path, packages: Sequence[str]) -> list[Path]:
    run(["apt-get", "download", "-qq", *options, *packages], folder)
    return [next(folder.glob(f"{package}_*.deb")) for package in packages]


def mirror() -> str:
    """Return the address that this machine's apt is configured with; it is never written down."""
    of_debian = ("Created-By: Packages", "Origin: Debian", "Label: Debian")  # the label of another is Debian-Security
    return run(["apt-get", "indextargets", "--format", "$(REPO_URI)", *of_debian]).split()[0]


def unpack(package: Path, target: Path, *members: str) -> None:
    """Lay out a package's files, following the symbolic links that are there (/lib is one)."""
    target.mkdir(parents=True, exist_ok=True)
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", package], stdout=subprocess.PIPE) as archive:
        command = ["tar", "x", "--keep-directory-symlink", "-C", target, *members]
        subprocess.run(command, stdin=archive.stdout, check=True)


def run(command: Sequence[str | Path], cwd: Path | None = None) -> str:
    """Return what a command printed; its complaints come with the exception."""
    done = subprocess.run(command, capture_output=True, text=True, cwd=cwd, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(map(str, command))}: {(done.stderr or done.stdout)[-2000:]}")
    return done.stdout
