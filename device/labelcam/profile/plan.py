# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""What is to be measured, and in which order."""

import hashlib
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from ..errors import UsageError
from ..model_file import ModelFile
from ..network import DelegateName
from .data import Configuration

LEAST_WINDOW_S = 10.0
"""Shorter windows give latencies, but no energy: sampling could not tell it (see `energy`)."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Every configuration gets so many windows of so many seconds."""

    configurations: tuple[Configuration, ...]
    windows: int = 5
    seconds: float = LEAST_WINDOW_S

    @property
    def warm_up_s(self) -> float:
        """How long each window's process invokes beforehand: caches, branch predictors and the clock's governor."""
        return min(1.0, self.seconds / 10)

    def order(self) -> Iterator[int]:
        """Yield configurations, interleaved: every round has each once, every other round the other way round.

        What drifts meanwhile, the board's temperature most of all, is shared by all of them.
        """
        for turn in range(self.windows):
            numbers = range(len(self.configurations))
            yield from reversed(numbers) if turn % 2 else numbers

    @property
    def about_s(self) -> float:
        """How long it will take, more or less: each window's process needs a moment to start."""
        return 2 * self.seconds + len(self.configurations) * self.windows * (self.seconds + self.warm_up_s + 1.0)


def combinations(models: Sequence[Path], threads: Sequence[int], delegates: Sequence[str]) -> tuple[Configuration, ...]:
    """Return every combination, each model file checked. Raises ModelFileError or UsageError."""
    for delegate in delegates:
        if delegate not in get_args(DelegateName):
            raise UsageError(f"--delegate {delegate}: is unknown; use {' or '.join(get_args(DelegateName))}")
    names = [path.name for path in models]
    if twice := {name for name in names if names.count(name) > 1}:
        raise UsageError(f"two models are called {min(twice)}; nobody could tell their figures apart: rename one")
    return tuple(
        Configuration(str(path), _sha256(path), count, delegate)
        for path, count, delegate in itertools.product(models, threads, delegates)
    )


def _sha256(path: Path) -> str:
    ModelFile.load(path)  # a damaged file is told now, not after the first minutes
    return hashlib.sha256(path.read_bytes()).hexdigest()
