# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Writes a model file: whole or not at all, and the same bytes for the same content."""

import contextlib
import io
import os
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from labelcam.errors import LabelcamError, ModelFileError, UsageError
from labelcam.model_file import IDENTIFIER, MAKER, ModelFile

_DATE = (1980, 1, 1, 0, 0, 0)  # the first that a zip can tell


def check_output(path: Path, source: Path | None) -> None:
    """Refuse a place where no model file can be put, or where one would destroy something. Raises UsageError."""
    if path.exists() and not path.is_file():
        raise UsageError(f"-o {path}: is {'a folder' if path.is_dir() else 'no regular file'}; name a .tflite file")
    if not path.parent.is_dir():
        raise UsageError(f"-o {path}: there is no folder {path.parent}; make it first: mkdir -p {path.parent}")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise UsageError(f"-o {path}: the folder {path.parent} is not writable; choose another")
    if path.suffix.lower() != ".tflite":
        raise UsageError(f"-o {path}: a model file ends with .tflite; name it {path.name}.tflite")
    if source and path.exists() and source.exists() and path.samefile(source):
        raise UsageError(f"-o {path}: is the network that is to be converted; choose another name")
    if path.exists() and path.stat().st_size and not _is_ours(path):
        raise UsageError(f"-o {path}: exists and was not made by labelcam-convert; choose another name")


def _is_ours(path: Path) -> bool:
    try:
        return ModelFile.load(path).manifest is not None
    except ModelFileError:
        # One of ours that was cut short or altered is built again.
        data = path.read_bytes() if os.access(path, os.R_OK) else b""
        return data[4:8] == IDENTIFIER and MAKER.encode() in data


def pack(flatbuffer: bytes, entries: Mapping[str, bytes]) -> bytes:
    """Return the flatbuffer with a zip of the entries behind it: stored, sorted, dated 1980."""
    whole = io.BytesIO(flatbuffer)
    with zipfile.ZipFile(whole, "a") as archive:
        for name in sorted(entries):
            entry = zipfile.ZipInfo(name, _DATE)
            # MediaPipe refuses the whole file if a single entry is compressed.
            entry.compress_type = zipfile.ZIP_STORED
            entry.create_system, entry.external_attr = 3, 0o644 << 16
            archive.writestr(entry, entries[name])
    return whole.getvalue()


@contextlib.contextmanager
def new_file(path: Path) -> Iterator[Path]:
    """Give the path of a new file beside `path`, and put it in its place when the block ends well.

    On any failure, Ctrl-C included, the new file is gone and `path` is what it was.
    """
    path = path.resolve()  # behind a symbolic link, the file it points to is replaced
    new = path.with_name(f".{path.stem}-{os.getpid()}{path.suffix}")
    try:
        new.touch(exist_ok=False)
        yield new
        _sync(new)
        new.replace(path)
    except OSError as error:
        raise LabelcamError(
            f"{path}: cannot be written ({error.strerror}); free some space, or choose another place by -o"
        ) from None
    finally:
        new.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    # Without it a power cut soon after could leave an empty file under the final name.
    with path.open("rb") as file:
        os.fsync(file.fileno())
