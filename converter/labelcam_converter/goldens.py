# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Chooses the pictures that go into the model file, for a device to prove itself on."""

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
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

LEAST_MARGIN = 0.05
"""Below this a picture proves nothing: a network of random weights, say, likes every label the same."""

CANDIDATES = 60
FRAMES = 10
"""Of so many candidates, one becomes the camera's frame."""

COLOURED = 20.0
"""Grey levels between the means of the channels: enough to notice red and blue swapped."""

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
    frames: list[Pixels] = []
    answers: list[_Answer] = []
    for image in _readable(files):
        # Photographs can be large: none is kept, only what becomes of it.
        answers.append(_answer(image, classifier, how))
        if len(frames) < FRAMES:
            frames.append(fit_image(image, CAMERA, Preprocess(fit=Fit.CROP)))
    if not frames:
        raise ImageError("--golden-images: not one image there can be read; give others, or none for no pictures")
    entries: dict[str, bytes] = {}
    scores: dict[str, list[float]] = {}
    for number, answer in enumerate(_choose(answers), start=1):
        entries[f"golden/{number}.png"] = encode_png(answer.pixels)
        scores[f"{number}.png"] = [round(float(score), 6) for score in answer.scores]
    entries[SCORES] = (json.dumps(scores, sort_keys=True) + "\n").encode()
    frame = _plainest(frames)
    entries[FRAME] = encode_png(frame)
    entries[PREPARED] = encode_png(fit_image(frame, classifier.size, how))
    return entries


def _plainest(frames: Sequence[Pixels]) -> Pixels:
    """The frame that makes the smallest PNG, of those that have colours: a detailed one outweighs a small network."""
    coloured = [frame for frame in frames if np.ptp(frame.mean(axis=(0, 1))) > COLOURED]
    return min(coloured or frames, key=lambda frame: len(encode_png(frame)))


def _readable(files: Sequence[Path]) -> Iterator[Pixels]:
    for path in files:
        with suppress(ImageError):  # calibration has reported its own; one bad picture is no reason to stop
            yield read_image(path)


def _answer(image: Pixels, classifier: Classifier, how: Preprocess) -> _Answer:
    pixels = fit_image(image, classifier.size, how)
    prepared = classifier.input_array()
    classifier.encode(pixels, prepared)
    return _Answer(pixels, classifier.scores(prepared))


def _choose(answers: Sequence[_Answer]) -> list[_Answer]:
    """The clearest of each label first, then the next clearest; never an unclear one while a clear one is left."""
    ranked = sorted((answer for answer in answers if answer.margin >= LEAST_MARGIN), key=lambda answer: -answer.margin)
    seen: set[int] = set()
    firsts: list[_Answer] = []
    others: list[_Answer] = []
    for answer in ranked:
        (others if answer.label in seen else firsts).append(answer)
        seen.add(answer.label)
    ordered = sorted(firsts + others, key=lambda answer: answer.margin < CLEAR_MARGIN)  # stable: keeps the order else
    return ordered[:COUNT]
