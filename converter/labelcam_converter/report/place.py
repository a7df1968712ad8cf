# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Where a report goes: a place that is checked before the work begins, and a file that is whole or not there."""

import os
from pathlib import Path

from labelcam.errors import LabelcamError, UsageError

MARK = '<meta name="generator" content="labelcam-convert">'
"""Stands near the beginning of every page of ours, so that no other page is overwritten."""


def check_report(path: Path, *others: Path | None) -> None:
    """Refuse a place where no report can be put, or where it would overwrite one of the `others`. Raises UsageError."""
    if path.exists() and not path.is_file():
        raise UsageError(f"--report {path}: is {'a folder' if path.is_dir() else 'no regular file'}; name a .html file")
    if not path.parent.is_dir():
        raise UsageError(f"--report {path}: there is no folder {path.parent}; make it first: mkdir -p {path.parent}")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise UsageError(f"--report {path}: the folder {path.parent} is not writable; choose another")
    if path.suffix.lower() not in (".html", ".htm"):
        raise UsageError(f"--report {path}: a report ends with .html; name it {path.name}.html")
    if any(other is not None and path.resolve() == other.resolve() for other in others):
        raise UsageError(f"--report {path}: is a file that this command reads or writes itself; choose another name")
    if path.exists() and path.stat().st_size and not _is_ours(path):
        raise UsageError(f"--report {path}: exists and was not made by labelcam-convert; choose another name")


def _is_ours(path: Path) -> bool:
    if not os.access(path, os.R_OK):
        return False
    with path.open("rb") as file:
        return MARK.encode() in file.read(1000)


def write_text(path: Path, text: str) -> None:
    """Put the text into the file at once: whoever looks sees the old one or the whole new one, never a part.

    Raises LabelcamError where the disk refuses. What is no UTF-8 in a file's name is written as an escape.
    """
    path = path.resolve()  # behind a symbolic link, the file it points to is replaced
    new = path.with_name(f".{path.stem}-{os.getpid()}.html")
    try:
        with new.open("x", encoding="utf-8", errors="backslashreplace", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
    except OSError as error:
        raise LabelcamError(
            f"{path}: cannot be written ({error.strerror}); free some space, or choose another place by --report"
        ) from None
    finally:
        new.unlink(missing_ok=True)
