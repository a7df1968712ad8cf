# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Waiting for a word in what a process says into a file, while it runs."""

import time
from pathlib import Path


def wait_for(words: str, file: Path, seconds: float = 60) -> None:
    """Wait until the file has these words, and fail with what it has if they do not come."""
    deadline = time.monotonic() + seconds
    while words not in file.read_text():
        assert time.monotonic() < deadline, file.read_text()
        time.sleep(0.02)
