# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""What took how long, told after the tests: figures of an emulated machine, which say nothing of a real Pi's speed."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager


class Measured:
    """Keeps the account, with how busy the machine was."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    @contextmanager
    def __call__(self, what: str) -> Iterator[None]:
        begun = time.monotonic()
        yield
        load = os.getloadavg()[0]
        self.lines.append(f"{what}: {time.monotonic() - begun:.1f} s (load {load:.1f} on {os.cpu_count()} cores)")
