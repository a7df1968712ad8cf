# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""A release: every file that goes to a Pi, by content; the same content is the same release."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import labelcam

from .facts import Held
from .target import Target
from .wheelhouse import ROOT

SYSTEM = ("labelcam.service", "labelcam.sysusers", "labelcam.rules")

Content = bytes | Path | Held


@dataclass(frozen=True)
class Release:
    """What a Pi is to run."""

    target: Target
    files: Mapping[str, Content]
    """By the name that they get in the release's folder."""

    @cached_property
    def held(self) -> Mapping[str, Held]:
        """Every file's checksum and size."""
        return {name: measure(content) for name, content in sorted(self.files.items())}

    @cached_property
    def contents(self) -> Mapping[str, Content]:
        """Every content once, by its checksum."""
        return {self.held[name].sha256: content for name, content in self.files.items()}

    @property
    def sizes(self) -> Mapping[str, int]:
        """Every content's bytes, by its checksum."""
        return {held.sha256: held.bytes for held in self.held.values()}

    @cached_property
    def described(self) -> Mapping[str, object]:
        """What the Pi is told: files and checksums, and the name that follows from them."""
        files = {name: {"sha256": held.sha256, "bytes": held.bytes} for name, held in self.held.items()}
        told = {"schema": 1, "version": labelcam.__version__, "target": self.target.name, "files": files}
        return {**told, "id": hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:12]}

    @property
    def id(self) -> str:
        """Twelve hexadecimal digits."""
        return str(self.described["id"])


def make_release(target: Target, wheels: Sequence[Path], model: Path | Held, settings: str) -> Release:
    """Return the release of a model file and a settings text."""
    files: dict[str, Content] = {f"wheels/{wheel.name}": wheel for wheel in wheels}
    files["requirements.txt"] = requirements(wheels).encode()
    files["model.tflite"] = model
    files["labelcam.toml"] = settings.encode()
    files |= {f"system/{name}": ROOT / "systemd" / name for name in SYSTEM}
    return Release(target, files)


def requirements(wheels: Sequence[Path]) -> str:
    """Return exactly these wheels, by hash; pip itself only installs."""
    names = (wheel.name.split("-")[:2] for wheel in wheels)
    return "".join(
        f"{name.replace('_', '-')}=={version} --hash=sha256:{measure(wheel).sha256}\n"
        for wheel, (name, version) in zip(wheels, names, strict=True)
        if name != "pip"
    )


def measure(content: Content) -> Held:
    """Return the checksum and the size of a content."""
    if isinstance(content, Held):
        return content
    if isinstance(content, bytes):
        return Held(hashlib.sha256(content).hexdigest(), len(content))
    with content.open("rb") as file:
        return Held(hashlib.file_digest(file, "sha256").hexdigest(), content.stat().st_size)
