# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""From what `--model` names to a float .tflite, the one form that every later stage starts from."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from labelcam.console import step
from labelcam.errors import LabelcamError, ModelFileError
from labelcam.model_file import ModelFile, Origin

from . import weights, zoo
from .cache import sha256_of
from .tensorflow_process import require_tensorflow, tensorflow_task

Kind = Literal["zoo", "keras", "saved_model", "tflite"]

_IDENTIFIERS = {".keras": (b"PK\x03\x04", "a zip"), ".h5": (b"\x89HDF", "an HDF5"), ".hdf5": (b"\x89HDF", "an HDF5")}


@dataclass(frozen=True, slots=True)
class Source:
    """A float network before anything expensive has been done with it."""

    name: str
    """How reports name it: as in the zoo, or as the file is called."""

    title: str
    """The same with width and size, where it has them: the beginning of a file's name."""

    kind: Kind
    path: Path | None
    """The file or folder; None for a network of the zoo with random weights."""

    origin: Origin
    entry: zoo.Entry | None = None
    alpha: float | None = None
    size: int | None = None
    seed: int = 0

    @property
    def needs_tensorflow(self) -> bool:
        """Whether TensorFlow has a part in the conversion."""
        return self.kind != "tflite"


def open_zoo(entry: zoo.Entry, alpha: float, size: int, chosen: str, seed: int) -> Source:
    """Return a network of the zoo, its weights fetched; `chosen` is imagenet, none or a file, as `--weights` has it."""
    title = entry.title(alpha, size)
    if chosen == "none":
        origin = Origin(f"random, seed {seed}", hashlib.sha256(f"random {seed}".encode()).hexdigest(), "none needed")
        return Source(entry.name, title, "zoo", None, origin, entry, alpha, size, seed)
    if chosen != "imagenet":
        path = Path(chosen)
        if not path.is_file():
            raise LabelcamError(f"--weights {chosen}: no such file; use imagenet, none or a file of weights")
        origin = Origin(f"file {path.name}", sha256_of(path), "as its owner says")
    elif entry.keras is None:
        path, origin = weights.fetch_person(), Origin(entry.weights, weights.PERSON_SHA256, entry.licence)
    else:
        path = weights.fetch_keras(entry, alpha, size)
        origin = Origin(entry.weights, sha256_of(path), entry.licence)
    kind: Kind = "keras" if entry.keras is None else "zoo"
    return Source(entry.name, title, kind, path, origin, entry, alpha, size, seed)


def open_file(path: Path) -> Source:
    """Return a network of the user's own. Raises ModelFileError if the file is not what its name says."""
    if path.is_dir():
        if not (path / "saved_model.pb").is_file():
            raise ModelFileError(f"{path}: is a folder without saved_model.pb; give a .keras, .h5 or .tflite file")
        return Source(path.name, path.name, "saved_model", path, _own(path.name, _folder_sha256(path)))
    if not path.is_file():
        raise ModelFileError(f"{path}: no such file; give a .keras, .h5, float .tflite or SavedModel folder")
    suffix = path.suffix.lower()
    if suffix == ".tflite":
        ModelFile.load(path)  # says in one line what is wrong with a file that is no model
        return Source(path.stem, path.stem, "tflite", path, _own(path.name, sha256_of(path)))
    if suffix not in _IDENTIFIERS:
        raise ModelFileError(f"{path}: {suffix or 'no ending'} is no kind we read; give a .keras, .h5 or .tflite file")
    magic, kind = _IDENTIFIERS[suffix]
    with path.open("rb") as file:
        if file.read(len(magic)) != magic:
            raise ModelFileError(f"{path}: is no Keras model ({kind} file was expected); save it again by model.save()")
    return Source(path.stem, path.stem, "keras", path, _own(path.name, sha256_of(path)))


def _own(name: str, sha256: str) -> Origin:
    return Origin(f"file {name}", sha256, "as its owner says")


def _folder_sha256(folder: Path) -> str:
    whole = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        whole.update(f"{path.relative_to(folder)} {sha256_of(path)}\n".encode())
    return whole.hexdigest()


@dataclass(frozen=True, slots=True)
class FloatNetwork:
    """A float .tflite with a batch of 1."""

    data: bytes
    scales_itself: bool
    """It is known to take 0 to 255; False also where that is not known."""


def to_float_tflite(source: Source, verbose: bool) -> FloatNetwork:
    """Return the network as a float .tflite. Raises ModelFileError if it cannot be one."""
    if source.kind == "tflite":
        assert source.path is not None  # noqa: S101 - open_file set it
        model = ModelFile.load(source.path)
        return FloatNetwork(source.path.read_bytes()[: model.flatbuffer_bytes], scales_itself=False)
    require_tensorflow(source.name)
    with (
        step("converting to a float .tflite with TensorFlow"),
        tensorflow_task("export", str(source.path or source.name), _request(source), verbose=verbose) as answer,
    ):
        return FloatNetwork(answer.file("float.tflite"), answer.values["scales_itself"])


def _request(source: Source) -> dict[str, Any]:
    if source.kind != "zoo" or source.entry is None:
        return {"kind": "saved_model" if source.kind == "saved_model" else "file", "path": str(source.path)}
    return {
        "kind": "zoo",
        "function": source.entry.keras,
        "alpha": source.alpha,
        "size": source.size,
        "weights": None if source.path is None else str(source.path),
        "seed": source.seed,
    }
