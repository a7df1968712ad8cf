# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""`labelcam classify`: one answer per image."""

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .announcement import warn_of_slowness
from .classifier import Classifier
from .errors import ImageError
from .images import read_image
from .model_file import ModelFile
from .preprocess import Fit
from .records import Stage


def classify(model: Path, images: Sequence[Path], fit: str | None, count: int, *, as_json: bool) -> int:
    """Print the best `count` labels of every image; 1 if some image could not be read, else 0."""
    classifier = Classifier(ModelFile.load(model), fit=Fit(fit) if fit else None)
    warn_of_slowness(classifier, classifier.interpreter.delegation())
    failed = False
    for image in images:
        answer = _answer(classifier, image, count)
        failed |= "error" in answer
        if as_json:
            print(json.dumps({"schema": 1, **answer}))
        elif "error" in answer:
            print(f"labelcam: {answer['error']}", file=sys.stderr)
        else:
            print(f"{image}: " + ", ".join(f"{_named(best['label'])} {best['score']:.2f}" for best in answer["top"]))
    return 1 if failed else 0


def _named(label: str) -> str:
    """ImageNet has "cock, rooster": what could be taken for two labels is quoted, as in JSON."""
    plain = label.isprintable() and not {",", '"'} & set(label)
    return label if plain else json.dumps(label, ensure_ascii=False)


def _answer(classifier: Classifier, image: Path, count: int) -> dict[str, Any]:
    marks = [time.monotonic_ns()]
    try:
        pixels = read_image(image)
    except ImageError as error:
        return {"image": str(image), "error": str(error)}
    marks.append(time.monotonic_ns())
    prepared = classifier.input_array()
    classifier.prepare(pixels, prepared)
    marks.append(time.monotonic_ns())
    scores = classifier.scores(prepared)
    marks.append(time.monotonic_ns())
    top = classifier.answer(scores, count)
    marks.append(time.monotonic_ns())
    stages = {
        stage.value: round((end - begin) / 1e6, 3) for stage, begin, end in zip(Stage, marks, marks[1:], strict=False)
    }
    return {
        "image": str(image),
        "top": [{"label": label.label, "score": label.score} for label in top],
        "stages_ms": stages,
    }
