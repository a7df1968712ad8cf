# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Fidelity: how well the quantised network still answers like the float one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from labelcam.console import progress
from labelcam.errors import ModelFileError
from labelcam.preprocess import Preprocess
from labelcam.records import Label

from ..pictures import Picture
from .divergence import Distribution, add_up, are_probabilities, kl, quantised_probabilities, softmax
from .folder_labels import meant
from .layers import Layer, measure_layers
from .scoring import Scorer
from .shares import Share

WORST = 5
SHOWN = 3
"""Labels of an answer that a report shows."""

NOTHING = 1e-4
"""Nats, below which two answers are the same to a person."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What both networks say of one image."""

    image: str
    of_float: tuple[Label, ...]
    """The SHOWN best, best first; as probabilities, as is the next."""

    of_int8: tuple[Label, ...]
    echo: float
    """The int8 network's score of the float network's best label."""

    kl: float
    """KL(float || int8) in nats."""

    right: str | None = None
    """The label that the image's folder names."""

    @property
    def agreed(self) -> bool:
        """Whether both have the same best label."""
        return self.of_float[0].label == self.of_int8[0].label

    def as_json(self) -> dict[str, Any]:
        """Return the public form."""
        return {
            "image": self.image,
            "float": self.of_float[0].label,
            "int8": self.of_int8[0].label,
            "kl": round(self.kl, 4),
            "float_top": [{"label": each.label, "score": round(each.score, 4)} for each in self.of_float],
            "int8_top": [{"label": each.label, "score": round(each.score, 4)} for each in self.of_int8],
            "right": self.right,
        }


@dataclass(frozen=True, slots=True)
class Accuracy:
    """How often each network is right, on the images whose folder is named after a label."""

    of_float: Share
    of_int8: Share


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """What both networks answered: images x labels, dequantised and otherwise as they came."""

    wanted: Distribution
    got: Distribution
    right: tuple[int | None, ...]
    """The label of each image, where its folder tells."""


@dataclass(frozen=True, slots=True)
class Fidelity:
    """The comparison of two networks on the same pictures."""

    images: int
    held_out: bool | None
    """True: none of these images was calibrated on; None where that is not known."""

    agreed: int
    """Images with the same top label."""

    agreed_top5: int | None
    """Images whose float top label is among the five best; None for networks of five labels or fewer."""

    kl: float
    """KL(float || int8) in nats, mean over the images."""

    probabilities: bool
    """The float network ends with a softmax, or answers as if it did."""

    answers: tuple[Answer, ...]
    """One an image, in their order."""

    evidence: Evidence

    accuracy: Accuracy | None = None
    accuracy_note: str | None = None
    """Why there is no accuracy, or not of every image."""

    layers: tuple[Layer, ...] = ()
    """From input to output."""

    @property
    def agreement(self) -> float:
        """The part of the images with the same top label."""
        return self.agreed / self.images

    @property
    def worst(self) -> tuple[Answer, ...]:
        """The images on which the two are furthest apart: where they disagree first, then by KL."""
        apart = [answer for answer in self.answers if answer.kl > NOTHING or not answer.agreed]
        return tuple(sorted(apart, key=lambda answer: (answer.agreed, -answer.kl))[:WORST])

    def as_json(self) -> dict[str, Any]:
        """Return the figures in the public form; `worst` names the builder's own files."""
        return self.figures() | {"worst": [answer.as_json() for answer in self.worst]}

    def figures(self) -> dict[str, Any]:
        """Return what may stand in a model file that is given away."""
        right = self.accuracy
        return {
            "images": self.images,
            "held_out": self.held_out,
            "top1_agreement": Share(self.agreed, self.images).as_json(),
            "top5_agreement": None if self.agreed_top5 is None else Share(self.agreed_top5, self.images).as_json(),
            "kl": round(self.kl, 5),
            "accuracy": right
            and {"images": right.of_float.of, "float": right.of_float.as_json(), "int8": right.of_int8.as_json()},
            "accuracy_note": self.accuracy_note,
            "layers": [layer.as_json() for layer in self.layers],
        }


def compare(
    float_model: bytes,
    quantised: bytes,
    pictures: Sequence[Picture],
    how: Preprocess,
    labels: Sequence[str],
    held_out: bool | None,
    classes: Mapping[Path, str] | None = None,
) -> Fidelity:
    """Run both networks on the same pictures and return how far they agree, and behind which layers they do not.

    `classes` names the folder that each image's class has, where the folders are classes. Raises ModelFileError if one
    of the two answers with anything but numbers.
    """
    exact, coarse = Scorer(float_model, how), Scorer(quantised, how)
    wanted, got = np.empty((len(pictures), len(labels))), np.empty((len(pictures), len(labels)))
    with progress("comparing with float", len(pictures)) as tick:
        for number, picture in enumerate(pictures):
            wanted[number], got[number] = exact.scores(picture.pixels), coarse.scores(picture.pixels)
            tick()
    _refuse_no_numbers(wanted, "float")
    _refuse_no_numbers(got, "quantised")
    if exact.interpreter.output.scale and add_up(wanted):  # a quantised network as the one to be like
        wanted /= wanted.sum(axis=1, keepdims=True)
    folders = [(classes or {}).get(picture.path, "") for picture in pictures]
    found = compare_scores(wanted, got, [str(picture.path) for picture in pictures], labels, held_out, folders)
    return replace(found, layers=measure_layers(float_model, quantised, pictures, how))


def _refuse_no_numbers(scores: Distribution, which: str) -> None:
    if not np.isfinite(scores).all():
        raise ModelFileError(
            f"the {which} network answers with {scores[~np.isfinite(scores)][0]}, which is no score; "
            "its weights are damaged, or it is fed something else than it learned from: see --preprocess"
        )


def compare_scores(
    wanted: Distribution,
    got: Distribution,
    names: Sequence[str],
    labels: Sequence[str],
    held_out: bool | None,
    folders: Sequence[str] = (),
) -> Fidelity:
    """Return how far two networks agree whose scores are `wanted` and `got`: images (by `names`) x labels."""
    known = meant([folder for folder in folders if folder], labels)
    right = [known.outputs.get(folder, -1) for folder in folders] or [-1] * len(names)
    evidence = Evidence(wanted, got, tuple(output if output >= 0 else None for output in right))
    probabilities = are_probabilities(wanted)
    wanted, got = wanted if probabilities else softmax(wanted), quantised_probabilities(got, probabilities)
    best, said = np.argmax(wanted, axis=1), np.argmax(got, axis=1)
    top5 = np.argsort(-got, axis=1, kind="stable")[:, :5]
    divergences = [kl(p, q) for p, q in zip(wanted, got, strict=True)]
    return Fidelity(
        len(names),
        held_out,
        int(np.sum(best == said)),
        int(np.sum(top5 == best[:, None])) if len(labels) > 5 else None,
        float(np.mean(divergences)),
        probabilities,
        tuple(
            Answer(
                names[number],
                _top(wanted[number], labels),
                _top(got[number], labels),
                float(got[number, best[number]]),
                divergences[number],
                labels[right[number]] if right[number] >= 0 else None,
            )
            for number in range(len(names))
        ),
        evidence,
        _accuracy(best.tolist(), said.tolist(), right),
        known.note,
    )


def _top(scores: Distribution, labels: Sequence[str]) -> tuple[Label, ...]:
    return tuple(Label(labels[i], float(scores[i])) for i in np.argsort(-scores, kind="stable")[:SHOWN])


def _accuracy(best: Sequence[int], said: Sequence[int], right: Sequence[int]) -> Accuracy | None:
    known = [(p, q, output) for p, q, output in zip(best, said, right, strict=True) if output >= 0]
    if not known:
        return None
    return Accuracy(
        Share(sum(p == output for p, _, output in known), len(known)),
        Share(sum(q == output for _, q, output in known), len(known)),
    )
