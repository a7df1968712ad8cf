# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Where the journal lies: where the settings say, else where systemd lets us keep things."""

from pathlib import Path

from .. import keeping

UNIT_FOLDER = Path("/var/lib/labelcam/journal")
"""Where our unit's StateDirectory is, for people who ask from a shell of their own."""


def folder_to_keep(asked: str) -> Path | None:
    """Return the folder to write into; None where neither settings nor systemd name one: nothing is left behind."""
    return keeping.folder_to_keep(asked, "journal")


def folder_to_read(asked: str) -> Path:
    """Return the folder to read: the same one, or else our unit's."""
    return folder_to_keep(asked) or UNIT_FOLDER
