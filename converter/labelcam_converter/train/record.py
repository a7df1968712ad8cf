# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""What a training came to, for a person, the public JSON and the report."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..fidelity.shares import Share
from ..report.data import Confusion, Epoch
from .dataset import Dataset

SCHEMA = 1
WORST = 10
"""So many mistakes are named, the surest ones first."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """A validation image that the network takes for something else."""

    image: str
    """Its folder and file name."""

    label: str
    said: str
    score: float
    """Of what it said, 0 to 1."""


@dataclass(frozen=True, slots=True)
class Trained:
    """A network that is trained and saved."""

    output: Path
    labels_file: Path
    """One label a line, where `build` looks for it."""

    model: str
    """What it was made of."""

    weights: str
    """Where those came from, in words."""

    size: tuple[int, int]
    """Width and height of its input, in pixels."""

    dataset: Dataset
    confusion: Confusion
    """Of the validation images."""

    mistakes: tuple[Mistake, ...]
    epochs: tuple[Epoch, ...]
    best: int
    """Number of the epoch whose weights were kept, from 1."""

    seconds: dict[str, float]
    """By stage."""

    report: Path | None = None
    """The page that tells all this, where one was asked for."""

    @property
    def accuracy(self) -> Share:
        """The part of the validation images that it is right about."""
        counts = self.confusion.counts
        return Share(sum(counts[number][number] for number in range(len(counts))), sum(map(sum, counts)))

    @property
    def recalls(self) -> tuple[Share, ...]:
        """The same for each label."""
        return tuple(Share(row[number], sum(row)) for number, row in enumerate(self.confusion.counts))

    def as_json(self) -> dict[str, Any]:
        """Return the public form."""
        sides = zip(self.dataset.labels, self.dataset.learned, self.dataset.judged, self.recalls, strict=True)
        return {
            "schema": SCHEMA,
            "output": str(self.output),
            "labels_file": str(self.labels_file),
            "model": self.model,
            "weights": self.weights,
            "size": list(self.size),
            "accuracy": self.accuracy.as_json(),
            "validation_images": self.accuracy.of,
            "labels": [
                {
                    "label": label,
                    "training_images": len(learned),
                    "validation_images": len(judged),
                    "accuracy": right.as_json(),
                }
                for label, learned, judged, right in sides
            ],
            "copies": self.dataset.copies,
            "unreadable": self.dataset.unreadable,
            "confusion": [list(row) for row in self.confusion.counts],
            "mistakes": [asdict(mistake) for mistake in self.mistakes],
            "epochs": [asdict(epoch) for epoch in self.epochs],
            "best_epoch": self.best,
            "seconds": self.seconds,
            "report": None if self.report is None else str(self.report),
        }


def judge(dataset: Dataset, scores: NDArray[np.float32]) -> tuple[Confusion, tuple[Mistake, ...]]:
    """Return what the scores (validation images, label by label, x labels) come to."""
    files = [(path, number) for number, judged in enumerate(dataset.judged) for path in judged]
    said = np.argmax(scores, axis=1).tolist()
    counts = np.zeros((len(dataset.labels), len(dataset.labels)), int)
    np.add.at(counts, ([number for _, number in files], said), 1)
    wrong = [
        Mistake(
            f"{path.parent.name}/{path.name}", dataset.labels[right], dataset.labels[best], round(float(row[best]), 4)
        )
        for (path, right), best, row in zip(files, said, scores, strict=True)
        if best != right
    ]
    return Confusion(dataset.labels, _rows(counts.tolist())), tuple(sorted(wrong, key=lambda each: -each.score)[:WORST])


def _rows(counts: Sequence[Sequence[int]]) -> tuple[tuple[int, ...], ...]:
    return tuple(tuple(row) for row in counts)
