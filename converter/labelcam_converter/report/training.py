# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The report of a `train`."""

from collections.abc import Sequence

import labelcam

from ..plurals import images
from ..train.record import Trained
from . import data, parts


def report_of_training(trained: Trained, command: Sequence[str]) -> data.Report:
    """Return the report; `command` is what was typed behind the program's name."""
    dataset = trained.dataset
    learned = sum(map(len, dataset.learned))
    rows = [
        ("learned from", images(learned)),
        ("judged by", f"{images(trained.accuracy.of)} of other scenes"),
        ("copies left out", str(dataset.copies or "")),
        ("cannot be read", str(dataset.unreadable or "")),
        ("began with", trained.weights),
    ]
    return data.Report(
        kind="train",
        title=f"{trained.output.stem}, {trained.size[0]}x{trained.size[1]}",
        scheme=f"float32, {len(dataset.labels)} labels, trained on top of {trained.model}",
        short="float32",
        verdict=None,
        training=data.Training(
            facts=tuple(data.Fact(name, text) for name, text in rows if text),
            accuracy=parts.share_of(trained.accuracy),
            classes={label: len(files) for label, files in zip(dataset.labels, dataset.learned, strict=True)},
            epochs=trained.epochs,
            best=trained.best,
            mistakes=tuple(
                data.Mistake(mistake.image, mistake.label, data.Answer(mistake.said, mistake.score))
                for mistake in trained.mistakes
            ),
        ),
        confusion=trained.confusion,
        seconds=dict(trained.seconds),
        tools={"labelcam": labelcam.__version__},
        command=parts.shown_command("labelcam-convert", command),
    )
