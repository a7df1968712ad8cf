# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""What `compare` tells a person."""

from collections.abc import Sequence

from labelcam.console import facts, table
from labelcam.records import Label

from ..plurals import images
from ..scaling import in_words
from . import Answer, Fidelity
from .comparison import Comparison
from .layers import Layer
from .shares import Share

NOISIEST = 5


def print_comparison(found: Comparison) -> None:
    """Print how far the two agree, the noisiest layers, the worst images, and what helps."""
    facts(_rows(found))
    if noisiest := _noisiest(found.fidelity.layers):
        print()
        table(
            [
                (each.name, each.kind, *map(_decibels, (each.sqnr_db, each.channel_db, each.lost_db)))
                for each in noisiest
            ],
            ("the noisiest layers", "operation", "signal to noise", "median channel", "lost here"),
        )
    if worst := found.fidelity.worst:
        print()
        table([_worst_row(each) for each in worst], ("the worst images", "float", "int8", "KL"))
    for number, sentence in enumerate(found.help):
        print(f"{'' if number else chr(10)}{'what helps:' if number == 0 else '           '} {sentence}")


def _rows(found: Comparison) -> list[tuple[str, str]]:
    fidelity = found.fidelity
    rows = [
        ("float", str(found.asked.float_path)),
        ("int8", f"{found.asked.int8_path} ({found.scheme})"),
        ("fed", f"{found.how.fit}, {in_words(found.how)}"),
        ("images", _images(found)),
        ("same best label", Share(fidelity.agreed, fidelity.images).in_words()),
    ]
    if fidelity.agreed_top5 is not None:
        rows.append(("among the five best", Share(fidelity.agreed_top5, fidelity.images).in_words()))
    rows.append(("KL divergence", f"{fidelity.kl:.4f} nats"))
    return rows + _accuracy(fidelity)


def _images(found: Comparison) -> str:
    left = [
        f"{count} {what}"
        for count, what in ((found.choice.near_duplicates, "near-duplicates"), (found.choice.unreadable, "unreadable"))
        if count
    ]
    said = images(found.fidelity.images)
    return f"{said} of {found.choice.found}" + (f"; left out: {', '.join(left)}" if left else "")


def _accuracy(fidelity: Fidelity) -> list[tuple[str, str]]:
    note = f"; {fidelity.accuracy_note}" if fidelity.accuracy_note else ""
    if fidelity.accuracy is None:
        return [("accuracy", f"not known{note}")]
    on = f" of {images(fidelity.accuracy.of_float.of)}{note}"
    return [
        ("float is right on", fidelity.accuracy.of_float.in_words() + on),
        ("int8 is right on", fidelity.accuracy.of_int8.in_words()),
    ]


def _noisiest(layers: Sequence[Layer]) -> list[Layer]:
    noisy = [layer for layer in layers if layer.sqnr_db is not None and layer.kind != "SOFTMAX"]
    return sorted(noisy, key=lambda layer: layer.channel_db)[:NOISIEST]


def _decibels(value: float | None) -> str:
    return "no noise" if value is None else f"{value:.1f} dB"


def _worst_row(answer: Answer) -> tuple[str, str, str, str]:
    return answer.image, _said(answer.of_float), _said(answer.of_int8), f"{answer.kl:.3f}"


def _said(labels: Sequence[Label]) -> str:
    return f"{labels[0].label} {labels[0].score:.2f}"
