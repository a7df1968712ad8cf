# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Where the journal lies: where the settings say, else where systemd lets us keep things."""

from pathlib import Path

from ..keeping import folder_to_keep

NAME = "journal"

UNIT_FOLDER = Path("/var/lib/labelcam") / NAME
"""Where our unit's StateDirectory is, for people who ask from a shell of their own."""


def folder_to_write(asked: str) -> Path | None:
    """Return the folder to write into; None where neither settings nor systemd name one: no journal is kept."""
    return folder_to_keep(asked, NAME)


def folder_to_read(asked: str) -> Path:
    """Return the folder to read: the same one, or else our unit's."""
    return folder_to_write(asked) or UNIT_FOLDER
