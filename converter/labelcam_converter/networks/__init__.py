# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""From what `--model` names to a float .tflite, the one form that every later stage starts from."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from labelcam.console import note, step
from labelcam.errors import LabelcamError, ModelFileError
from labelcam.model_file import ModelFile, Origin
from labelcam.preprocess import Preprocess
from labelcam.runtime import Interpreter

from .. import scaling, zoo
from ..flatbuffer import Graph
from ..tensorflow_process import require_tensorflow, tensorflow_task
from ..zoo import weights
from ..zoo.cache import sha256_of
from . import endings
from .first_layer import FirstNorm
from .network_form import classifier_input, feed_forward

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
    else:
        path = weights.fetch(entry, alpha, size)
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
    expected: Preprocess | None
    """What it must be fed, told by the scaling it does itself or by its metadata; None where that is not known."""

    norm: FirstNorm | None = None
    """What it saw in training, where its file tells."""

    @property
    def scales_itself(self) -> bool:
        """Whether it is known to take 0 to 255."""
        return self.expected is not None and (self.expected.mean, self.expected.std) == (0.0, 1.0)


def to_float_tflite(source: Source, verbose: bool) -> FloatNetwork:
    """Return the network as a float .tflite that ends in probabilities. Raises ModelFileError if it cannot be one."""
    if source.kind == "tflite":
        return _of_tflite(source)
    require_tensorflow(source.name)
    with (
        step("converting to a float .tflite with TensorFlow"),
        tensorflow_task("export", str(source.path or source.name), request_of(source), verbose=verbose) as answer,
    ):
        data, facts = answer.file("float.tflite"), answer.values
    feed_forward(Graph(data), str(source.path or source.name))
    if facts["ending"]:
        note(f"  {endings.IN_WORDS[facts['ending']]}")
    norm = FirstNorm(tuple(facts["norm"]["gamma"]), tuple(facts["norm"]["beta"])) if facts["norm"] else None
    scaled = facts["scaled"]
    return FloatNetwork(data, scaling.expected(*scaled) if scaled else scaling.of_graph(Graph(data)), norm)


def _of_tflite(source: Source) -> FloatNetwork:
    assert source.path is not None  # noqa: S101 - open_file set it
    model = ModelFile.load(source.path)
    data = source.path.read_bytes()[: model.flatbuffer_bytes]
    try:
        graph = Graph(data)
    except ModelFileError as error:
        raise ModelFileError(f"{source.path}: {error}") from None
    classifier_input(graph, str(source.path))
    feed_forward(graph, str(source.path))
    data = _of_one_picture(data, graph, source.path)
    expected = model.manifest.preprocess if model.manifest else scaling.of_graph(Graph(data))
    data, ending = endings.finished(data)
    if ending:
        note(f"  {endings.IN_WORDS[ending]}")
    return FloatNetwork(data, expected)


def _of_one_picture(data: bytes, graph: Graph, path: Path) -> bytes:
    """Return the network with the shapes it has for one picture; first of all, see whether it can be computed."""
    interpreter = Interpreter(data, keep_tensors=True)
    interpreter.write(np.zeros(interpreter.input.shape, interpreter.input.dtype))
    try:
        interpreter.invoke()
    except RuntimeError as error:
        raise ModelFileError(
            f"{path}: the interpreter cannot compute it ({str(error)[:150]}); convert it again from its source"
        ) from None
    if "SHAPE" not in graph.histogram():
        return data
    return graph.with_fixed_shapes({tensor.index: value.shape for tensor, value in interpreter.tensors()})


def request_of(source: Source) -> dict[str, Any]:
    """Return what the worker needs to open the network."""
    if source.kind != "zoo" or source.entry is None:
        return {"kind": "saved_model" if source.kind == "saved_model" else "file", "path": str(source.path)}
    return {
        "kind": "zoo",
        "function": source.entry.keras,
        "alpha": source.alpha,
        "minimalistic": source.entry.minimalistic,
        "size": source.size,
        "weights": None if source.path is None else str(source.path),
        "seed": source.seed,
    }
