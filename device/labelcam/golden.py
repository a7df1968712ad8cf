# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Goldens: pictures inside the model file with the answers its builder got, to be reproduced before it is trusted."""

import json
from dataclasses import dataclass

import numpy as np

from .classifier import Classifier
from .errors import ModelFileError
from .images import Pixels, decode_png
from .model_file import FRAME, PREPARED, SCORES, ModelFile
from .preprocess import fit_image


@dataclass(frozen=True, slots=True)
class Golden:
    """One picture of exactly the input size and the scores that the host's own run of the file gave."""

    name: str
    pixels: Pixels
    scores: tuple[float, ...]
    """Dequantised, one per label."""


@dataclass(frozen=True, slots=True)
class GoldenResult:
    """What this machine made of one golden."""

    name: str
    passed: bool
    detail: str


def read_goldens(model: ModelFile) -> list[Golden]:
    """Return the goldens of a model file; none where it was built without. Raises ModelFileError or ImageError."""
    if model.manifest is None or not model.has_entry(SCORES):
        return []
    try:
        told = {str(name): tuple(map(float, scores)) for name, scores in json.loads(model.read_entry(SCORES)).items()}
    except (ValueError, TypeError, AttributeError) as error:
        raise ModelFileError(f"{model.path}: its {SCORES} cannot be read ({error}); build it again") from None
    if any(len(scores) != len(model.labels or ()) for scores in told.values()):
        raise ModelFileError(f"{model.path}: its {SCORES} does not fit its labels; build it again")
    return [
        Golden(name, decode_png(model.read_entry(f"golden/{name}"), name), scores)
        for name, scores in sorted(told.items())
    ]


def check_goldens(model: ModelFile, classifier: Classifier) -> list[GoldenResult]:
    """Run every golden: the same top label, no score further off than the manifest allows, the same preprocessing."""
    if model.manifest is None:
        return []
    limits = model.manifest.golden
    results = [_check(golden, classifier, limits.score) for golden in read_goldens(model)]
    if model.has_entry(FRAME):
        frame = decode_png(model.read_entry(FRAME), FRAME)
        wanted = decode_png(model.read_entry(PREPARED), PREPARED)
        got = fit_image(frame, classifier.size, model.manifest.preprocess)
        off = float(np.mean(np.abs(got.astype(np.int16) - wanted)))
        detail = f"preprocessing is {off:.2f} grey levels off, {limits.preprocess:g} allowed"
        results.append(GoldenResult(FRAME, off <= limits.preprocess, detail))
    return results


def _check(golden: Golden, classifier: Classifier, limit: float) -> GoldenResult:
    # Already at the input size: coded as it is, whatever fit the settings ask for.
    prepared = classifier.input_array()
    classifier.encode(golden.pixels, prepared)
    scores = classifier.scores(prepared)
    wanted = np.asarray(golden.scores, np.float32)
    got_label, label = (classifier.labels[int(np.argmax(values))] for values in (scores, wanted))
    off = float(np.max(np.abs(scores - wanted)))
    detail = f"{got_label} (host: {label}), scores {off:.3f} off, {limit:g} allowed"
    return GoldenResult(golden.name, got_label == label and off <= limit, detail)
