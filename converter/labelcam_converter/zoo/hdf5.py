# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Whether an HDF5 file is whole, told from its first bytes: a download that broke off is shorter than it says."""

from pathlib import Path

SIGNATURE = b"\x89HDF\r\n\x1a\n"

_END_AT = {0: (13, 40), 1: (13, 44), 2: (9, 28), 3: (9, 28)}
"""By version of the superblock: where it tells the width of an address, and where the end of the file stands, for
addresses of 8 bytes (HDF5 File Format Specification 3.0, II.A)."""


def is_whole_hdf5(path: Path) -> bool:
    """Whether the file is an HDF5 file and has at least the length that its superblock tells."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(64)
    except OSError:
        return False
    if not head.startswith(SIGNATURE) or len(head) < 64:
        return False
    width_at, end_at = _END_AT.get(head[8], (0, 0))
    if not end_at or head[width_at] != 8:
        return True  # a kind that we cannot judge: HDF5 itself will say what is wrong
    return int.from_bytes(head[end_at : end_at + 8], "little") <= size
