# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Chooses the pictures that go into the model file, for a device to prove itself on."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from labelcam.classifier import Classifier, Scores
from labelcam.errors import ImageError
from labelcam.images import Pixels, encode_png, image_files, read_image
from labelcam.model_file import FRAME, PREPARED, SCORES
from labelcam.preprocess import Fit, Preprocess, Size, fit_image

COUNT = 3
CLEAR_MARGIN = 0.2
"""Between the best score and the next: less could flip between two CPUs."""

CANDIDATES = 60
CAMERA = Size(640, 480)
"""A common camera's frame, to prove the preprocessing on."""


@dataclass(frozen=True, slots=True, eq=False)
class _Answer:
    pixels: Pixels
    scores: Scores

    @property
    def label(self) -> int:
        return int(np.argmax(self.scores))

    @property
    def margin(self) -> float:
        second, first = np.sort(self.scores)[-2:]
        return float(first - second)


def candidates(folder: Path | None, calibrated: Sequence[Path]) -> list[Path]:
    """Return the files to choose from: those of `--golden-images`, else those that were calibrated on."""
    return (image_files(folder) if folder else list(calibrated))[:CANDIDATES]


def make_goldens(files: Sequence[Path], classifier: Classifier, how: Preprocess) -> dict[str, bytes]:
    """Return the zip entries below golden/, with the scores that `classifier` gives on this machine."""
    images = _readable(files)
    entries: dict[str, bytes] = {}
    scores: dict[str, list[float]] = {}
    for number, answer in enumerate(_choose([_answer(image, classifier, how) for image in images]), start=1):
        entries[f"golden/{number}.png"] = encode_png(answer.pixels)
        scores[f"{number}.png"] = [round(float(score), 6) for score in answer.scores]
    entries[SCORES] = (json.dumps(scores, sort_keys=True) + "\n").encode()
    frame = fit_image(images[0], CAMERA, Preprocess(fit=Fit.CROP))
    entries[FRAME] = encode_png(frame)
    entries[PREPARED] = encode_png(fit_image(frame, classifier.size, how))
    return entries


def _readable(files: Sequence[Path]) -> list[Pixels]:
    images = []
    for path in files:
        try:
            images.append(read_image(path))
        except ImageError:  # noqa: PERF203 - calibration has already reported its own; one bad picture is no reason to stop
            continue
    if not images:
        raise ImageError("--golden-images: not one image there can be read; give others, or none for no pictures")
    return images


def _answer(image: Pixels, classifier: Classifier, how: Preprocess) -> _Answer:
    pixels = fit_image(image, classifier.size, how)
    prepared = classifier.input_array()
    classifier.encode(pixels, prepared)
    return _Answer(pixels, classifier.scores(prepared))


def _choose(answers: Sequence[_Answer]) -> list[_Answer]:
    """The clearest of each label first, then the next clearest; never an unclear one while a clear one is left."""
    ranked = sorted(answers, key=lambda answer: -answer.margin)
    seen: set[int] = set()
    firsts, others = [], []
    for answer in ranked:
        (others if answer.label in seen else firsts).append(answer)
        seen.add(answer.label)
    ordered = sorted(firsts + others, key=lambda answer: answer.margin < CLEAR_MARGIN)  # stable: keeps the order else
    return ordered[:COUNT]
