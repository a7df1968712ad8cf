# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Which images a network was trained on, told by its own .keras file: it cannot be judged by those.

`train` writes their checksums into the file, where Keras passes over them.
"""

import zipfile
from collections.abc import Iterable, Sequence
from io import BytesIO
from pathlib import Path

from .zoo.cache import sha256_of

_ENTRY = "labelcam_learned.txt"
_DATE = (1980, 1, 1, 0, 0, 0)  # the first that a zip can tell


def marked(network: bytes, images: Sequence[Path]) -> bytes:
    """Return a .keras file with the checksums of the images that it has learned from."""
    whole = BytesIO(network)
    with zipfile.ZipFile(whole, "a") as archive:
        told = "".join(f"{sha256}\n" for sha256 in sorted({sha256_of(path) for path in images}))
        archive.writestr(zipfile.ZipInfo(_ENTRY, _DATE), told)
    return whole.getvalue()


def learned_among(source: Path | None, images: Iterable[Path]) -> frozenset[Path]:
    """Return those of the images that the network in a file is known to have learned from."""
    if source is None or source.suffix.lower() != ".keras":
        return frozenset()
    try:
        with zipfile.ZipFile(source) as archive:
            told = frozenset(archive.read(_ENTRY).decode().split()) if _ENTRY in archive.namelist() else frozenset()
    except (OSError, zipfile.BadZipFile):  # whoever reads the network in it will say what is wrong with the file
        return frozenset()
    return frozenset(path for path in images if sha256_of(path) in told) if told else frozenset()
