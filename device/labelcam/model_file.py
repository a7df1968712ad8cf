# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The model file: one contract between the host that writes it and the device that runs it.

`NAME.tflite` is a TFLite flatbuffer with a zip appended behind it: `labels.txt`, `manifest.json` and `golden/`.
A plain .tflite runs as well, with labels beside it or numbered.
"""

import hashlib
import json
import logging
import lzma
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import cattrs

from .errors import ModelFileError
from .preprocess import Preprocess, Size
from .scores import DecisionConstants

log = logging.getLogger(__name__)

SCHEMA = 1
"""Counts up when an older labelcam could misread a newer manifest."""

LABELS, MANIFEST, SCORES = "labels.txt", "manifest.json", "golden/scores.json"
FRAME, PREPARED = "golden/frame.png", "golden/prepared.png"

TWIN = "cpu.tflite"
"""In a file compiled for the Edge TPU: the int8 network that it was compiled from, for machines without one."""

EDGETPU_OPERATION = b"edgetpu-custom-op"
"""The name of the operation that runs on the Edge TPU: libedgetpu's edgetpu::kCustomOp."""

MAKER = "by labelcam"
"""Stands in the TFLite Metadata of every file of ours, so that even one that lost its end is known."""

IDENTIFIER = b"TFL3"  # bytes 4 to 8 of every TFLite flatbuffer
_METADATA_IDENTIFIER = b"M001"  # of the TFLite Metadata flatbuffer inside it

# What zipfile raises, depending on which byte is wrong.
_DAMAGE = (zipfile.BadZipFile, EOFError, ValueError, RuntimeError, OSError, zlib.error, lzma.LZMAError)

MOST_PACKED = 64_000_000
"""Bytes that labels, manifest and goldens may come to; a few hundred would end a Pi with half a gigabyte."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where weights or labels come from."""

    source: str
    sha256: str
    licence: str


@dataclass(frozen=True, slots=True)
class GoldenLimits:
    """How far a device may be off the host before a golden fails."""

    score: float = 0.10
    """Greatest difference of any dequantised score."""

    preprocess: float = 1.0
    """Greatest mean absolute difference of the preprocessed bytes, in grey levels."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """Everything the device must know about a network that the flatbuffer does not say."""

    name: str
    architecture: str
    alpha: float | None
    """The width multiplier, where the architecture has one."""

    input: Size
    preprocess: Preprocess
    scheme: str
    """In full words, such as 'full-integer int8, per-channel weights, uint8 input and output'."""

    weights: Origin
    labels: Origin
    calibration: Mapping[str, Any] = field(default_factory=dict)
    """The calibration card: what the ranges were measured on."""

    fidelity: Mapping[str, Any] = field(default_factory=dict)
    """How well the quantised network answers like the float one."""

    decision: DecisionConstants = field(default_factory=DecisionConstants)
    """Constants fitted on held-out images: temperature and thresholds."""

    golden: GoldenLimits = field(default_factory=GoldenLimits)
    tools: Mapping[str, str] = field(default_factory=dict)
    """Version of every tool that had a part in the file."""

    flatbuffer_sha256: str = ""
    """Of the bytes in front of the zip: tells a damaged file from a whole one."""

    fingerprint: str = ""
    """Of everything that went into the build: equal means that building again would give the same bytes."""

    edgetpu: Mapping[str, Any] = field(default_factory=dict)
    """What the Edge TPU's compiler mapped; empty for a network that is not compiled."""

    twin_sha256: str = ""
    """Of the CPU's network in a file compiled for the Edge TPU."""

    task: str = "classification"
    schema: int = SCHEMA


_converter = cattrs.Converter()
_converter.register_structure_hook(Size, lambda value, _: Size(int(value["width"]), int(value["height"])))
_converter.register_unstructure_hook(Size, lambda size: size._asdict())


def manifest_to_json(manifest: Manifest) -> str:
    """Return the manifest as sorted, indented JSON, the same text for the same manifest."""
    return json.dumps(_converter.unstructure(manifest), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def manifest_from_json(text: str | bytes) -> Manifest:
    """Return what `manifest_to_json` was given. Raises ModelFileError if the text is no manifest we understand."""
    try:
        document = json.loads(text)
        schema = int(document["schema"])
    except (ValueError, TypeError, KeyError, OverflowError) as error:
        raise ModelFileError(f"its manifest cannot be read ({error}); build the file again") from None
    if schema > SCHEMA:
        raise ModelFileError(f"its manifest has schema {schema}, this labelcam knows {SCHEMA}; update labelcam")
    try:
        return _converter.structure(document, Manifest)
    except (cattrs.BaseValidationError, KeyError) as error:
        reasons = cattrs.transform_error(error) if isinstance(error, cattrs.BaseValidationError) else [str(error)]
        raise ModelFileError(f"its manifest is not whole ({'; '.join(reasons)}); build the file again") from None


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A model file that has been read and found whole."""

    path: Path
    flatbuffer_bytes: int
    """Size of the flatbuffer, without the zip behind it."""

    sha256: str
    """Of the whole file."""

    labels: tuple[str, ...] | None
    """In the order of the outputs; None where neither the file nor its folder names any."""

    manifest: Manifest | None
    """None for a plain .tflite."""

    data: bytes = field(repr=False)
    """The whole file as it was read: whoever overwrites it while we run must not change the network under us."""

    @property
    def name(self) -> str:
        """How reports name the model."""
        return self.path.stem

    @property
    def preprocess(self) -> Preprocess:
        """The manifest's preprocessing, or the defaults."""
        return self.manifest.preprocess if self.manifest else Preprocess()

    @classmethod
    def load(cls, path: Path) -> "ModelFile":
        """Read and check a model file.

        Raises ModelFileError if it is missing, cut short, altered or no TFLite model at all.
        """
        try:
            if path.exists() and not path.is_file():
                raise ModelFileError(f"{path}: is no regular file; give a .tflite file")
            data = path.read_bytes()
        except OSError as error:
            remedy = "check the path, or make one by labelcam-convert build"
            raise ModelFileError(f"{path}: cannot be read ({error.strerror}); {remedy}") from None
        if data[4:8] != IDENTIFIER:
            raise ModelFileError(f"{path}: is no TFLite model; give a .tflite file made by labelcam-convert build")
        try:
            return cls._read(path, data)
        except ModelFileError as error:
            raise ModelFileError(f"{path}: {error}") from None

    @classmethod
    def _read(cls, path: Path, data: bytes) -> "ModelFile":
        sha256 = hashlib.sha256(data).hexdigest()
        if not zipfile.is_zipfile(BytesIO(data)):
            return cls._read_plain(path, data, sha256)
        try:
            with zipfile.ZipFile(BytesIO(data)) as archive:
                if sum(entry.file_size for entry in archive.infolist()) > MOST_PACKED:
                    raise zipfile.BadZipFile("it would unpack to more than any of our files holds")
                if broken := archive.testzip():
                    raise zipfile.BadZipFile(f"{broken} is not what was packed")
                names = archive.namelist()
                if data.count(b"PK\x01\x02", archive.start_dir) != len(names):  # zipfile does not count them
                    raise zipfile.BadZipFile("its directory is not whole")
                end = min((entry.header_offset for entry in archive.infolist()), default=len(data))
                manifest = manifest_from_json(archive.read(MANIFEST)) if MANIFEST in names else None
                labels = _packed_labels(archive, names)
                twin = hashlib.sha256(archive.read(TWIN)).hexdigest() if TWIN in names else ""
        except ModelFileError:
            raise
        except _DAMAGE as error:
            raise ModelFileError(f"is damaged ({error}); copy or build it again") from None
        if manifest:
            _check_sums(manifest, hashlib.sha256(data[:end]).hexdigest(), twin)
        labels = labels or _labels_beside(path, declared=_METADATA_IDENTIFIER in data)
        return cls(path, end, sha256, labels, manifest, data)

    @classmethod
    def _read_plain(cls, path: Path, data: bytes, sha256: str) -> "ModelFile":
        if MAKER.encode() in data:  # and labels beside it would not bring back the manifest and the goldens
            raise ModelFileError("is cut short (what labelcam-convert packed at its end is missing); copy it again")
        return cls(path, len(data), sha256, _labels_beside(path, declared=_METADATA_IDENTIFIER in data), None, data)

    def twin(self) -> bytes | None:
        """Return the network for the CPU that lies in a file compiled for the Edge TPU; None in any other file."""
        return self.read_entry(TWIN) if self.manifest and self.manifest.twin_sha256 else None

    def is_compiled(self) -> bool:
        """Whether the network is compiled for the Edge TPU."""
        return EDGETPU_OPERATION in self.data[: self.flatbuffer_bytes]

    def has_entry(self, name: str) -> bool:
        """Whether the zip holds an entry of this name."""
        if not zipfile.is_zipfile(BytesIO(self.data)):
            return False
        with zipfile.ZipFile(BytesIO(self.data)) as archive:
            return name in archive.NameToInfo

    def read_entry(self, name: str) -> bytes:
        """Return the bytes of one entry of the zip. Raises ModelFileError if it is not there or damaged."""
        try:
            with zipfile.ZipFile(BytesIO(self.data)) as archive:
                return archive.read(name)
        except (KeyError, OSError, zipfile.BadZipFile) as error:
            raise ModelFileError(f"{self.path}: cannot read {name} inside it ({error}); build it again") from None


def _check_sums(manifest: Manifest, flatbuffer: str, twin: str) -> None:
    if manifest.flatbuffer_sha256 != flatbuffer:
        raise ModelFileError("is damaged (the network does not match its checksum); copy or build it again")
    if manifest.twin_sha256 not in ("", twin):
        raise ModelFileError("is damaged (its CPU twin does not match its checksum); copy or build it again")


def parse_labels(text: str) -> tuple[str, ...]:
    """Return one label a line; a byte-order mark, carriage returns and blank lines at the end are no part of them."""
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").split("\n")
    while lines and not lines[-1].strip():
        lines.pop()
    return tuple(line.strip() for line in lines)


def _packed_labels(archive: zipfile.ZipFile, names: list[str]) -> tuple[str, ...] | None:
    # Other tools name the associated file as they like; ours is always labels.txt.
    texts = [name for name in names if name.endswith(".txt") and "/" not in name]
    name = LABELS if LABELS in texts else texts[0] if len(texts) == 1 else None
    return parse_labels(archive.read(name).decode()) if name else None


def _labels_beside(path: Path, declared: bool) -> tuple[str, ...] | None:
    for beside in (path.with_suffix(".txt"), path.with_name(LABELS)):
        if beside.is_file():
            log.info("labels from=%s", beside)
            try:
                return parse_labels(beside.read_text(encoding="utf-8"))
            except (OSError, UnicodeDecodeError) as error:
                raise ModelFileError(f"its labels {beside} cannot be read ({error}); save them as UTF-8") from None
    if declared:
        # The flatbuffer announces packed labels, but no zip follows: the end of the file is missing.
        raise ModelFileError(
            f"is cut short (the labels at its end are missing); copy it again, or put {LABELS} beside it"
        )
    return None
