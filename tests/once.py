# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""What several workers of one test run share: a folder that the first of them fills, while the others wait."""

import fcntl
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

Fill = Callable[[Path], object]


class Shared:
    """Folders that live as long as pytest's temporary ones. The files in them are for reading."""

    def __init__(self, temporary: pytest.TempPathFactory) -> None:
        own = temporary.getbasetemp()
        self._root = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own

    def folder(self, name: str, fill: Fill) -> Path:
        """Return the folder of that name, which `fill` has been given empty and has not failed on."""
        folder, filled = self._root / name, self._root / f"{name}.filled"
        with (self._root / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not filled.exists():
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir()
                fill(folder)
                filled.touch()
        return folder
