# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Paths as people write them in settings and on the command line."""

import os
from pathlib import Path


def expanded(path: str) -> Path:
    """Return the path with a ~ at its beginning resolved; one of an unknown user stays as it is."""
    return Path(os.path.expanduser(path))  # noqa: PTH111, the method raises for unknown users
