# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Waiting for what takes its time."""

import time
from collections.abc import Callable

PATIENCE_S = 240.0
"""For what takes a real Pi seconds: an emulated one on a busy machine may be slow."""


def eventually(what: Callable[[], bool], told: Callable[[], str]) -> None:
    """Wait until something is true; `told` is what a failure shows."""
    deadline = time.monotonic() + PATIENCE_S
    while not what():
        assert time.monotonic() < deadline, told()
        time.sleep(1.0)
