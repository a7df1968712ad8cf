# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""How good a trained network is, for a person."""

import shlex

from labelcam.console import table

from ..plurals import images
from .record import Trained

MOST_COLUMNS = 12
"""With more labels the whole confusion matrix would not fit on a screen; the report and the JSON have it."""

FEW = 100
"""Validation images below which the interval is worth a word."""


def print_trained(trained: Trained) -> None:
    """Say where the network is, how often it is right and what it mistakes for what, and what to type next."""
    labels, right = trained.dataset.labels, trained.accuracy
    if len(labels) <= MOST_COLUMNS:
        print("right label down, answer across (validation images)")
        rows = [
            (label, *(str(count or "·") for count in row), f"{recall.value:.0%}")
            for label, row, recall in zip(labels, trained.confusion.counts, trained.recalls, strict=True)
        ]
        table(rows, ("", *labels, "right"))
    else:
        worst = sorted(zip(labels, trained.recalls, strict=True), key=lambda pair: pair[1].value)[:MOST_COLUMNS]
        table([(label, f"{recall.value:.0%}") for label, recall in worst], ("the hardest labels", "right"))
    for mistake in trained.mistakes[:5]:
        print(f"  {mistake.image} is taken for {mistake.said} ({mistake.score:.2f})")
    print(f"right on {right.hits} of {images(right.of)} that it has not learned from: {right.in_words()}")
    if right.of < FEW:
        print("so few images say little: the interval tells how little; more photographs narrow it")
    print(f"{trained.output}: {len(labels)} labels, in {trained.labels_file}")
    print(f"next: labelcam-convert build --model {shlex.quote(str(trained.output))} --images {_images(trained)}")


def _images(trained: Trained) -> str:
    return shlex.quote(str(trained.dataset.folder))
