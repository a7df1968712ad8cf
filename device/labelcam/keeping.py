# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Where things are kept on the disk: where the settings say, else where systemd lets us keep things."""

import os
from pathlib import Path

from .paths import expanded


def folder_to_keep(asked: str, name: str) -> Path | None:
    """Return the folder that the settings ask for, else one of this name where systemd lets us keep things.

    None where neither names one: nothing is left behind where nobody looks for it.
    """
    if asked:
        return expanded(asked)
    # systemd.exec(5): several are separated by colons.
    state = os.environ.get("STATE_DIRECTORY", "").split(":")[0]
    return Path(state) / name if state else None
