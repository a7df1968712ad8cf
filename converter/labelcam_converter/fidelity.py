# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Fidelity: how well the int8 network still answers like the float one."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labelcam.console import progress
from labelcam.errors import GateFailed
from labelcam.preprocess import InputCode, Preprocess
from labelcam.runtime import QUANTISED, Interpreter

from .calibration import THREADS
from .pictures import Picture
from .plurals import images

Distribution = NDArray[np.float64]

FLOOR = 1 / 1024
"""Probabilities below this count as this: uint8 scores cannot say less."""

TO_JUDGE = 50
"""With fewer held-out images the agreement is too uncertain to fail a build by."""

DEFAULT_AGREEMENT = 0.90
WORST = 5


@dataclass(frozen=True, slots=True)
class Miss:
    """A picture on which the two disagree."""

    image: str
    float_label: str
    int8_label: str


@dataclass(frozen=True, slots=True)
class Fidelity:
    """The comparison of two networks on the same pictures."""

    images: int
    held_out: bool
    """True: none of these images was calibrated on."""

    agreed: int
    """Images with the same top label."""

    agreed_top5: int | None
    """Images whose float top label is among the five best; None for networks of five labels or fewer."""

    kl: float
    """KL(float || int8) in nats, mean over the images."""

    probabilities: bool
    """The float network ends with a softmax, or answers as if it did."""

    worst: tuple[Miss, ...]
    """Where they disagree, the furthest apart first."""

    @property
    def agreement(self) -> float:
        """The part of the images with the same top label."""
        return self.agreed / self.images

    def as_json(self) -> dict[str, Any]:
        """Return the figures in the public form; `worst` names the builder's own files."""
        return self.figures() | {
            "worst": [{"image": miss.image, "float": miss.float_label, "int8": miss.int8_label} for miss in self.worst]
        }

    def figures(self) -> dict[str, Any]:
        """Return what may stand in a model file that is given away."""
        low, high = wilson(self.agreed, self.images)
        top5 = None if self.agreed_top5 is None else round(self.agreed_top5 / self.images, 4)
        return {
            "images": self.images,
            "held_out": self.held_out,
            "top1_agreement": {"value": round(self.agreement, 4), "low": round(low, 4), "high": round(high, 4)},
            "top5_agreement": top5,
            "kl": round(self.kl, 5),
            "accuracy": None,
            "layers": [],
        }


def compare(
    float_model: bytes,
    quantised: bytes,
    pictures: Sequence[Picture],
    how: Preprocess,
    labels: Sequence[str],
    held_out: bool,
) -> Fidelity:
    """Run both networks on the same pictures and return how far they agree."""
    exact, coarse = Interpreter(float_model, THREADS), Interpreter(quantised, THREADS)
    wanted, got = np.empty((len(pictures), len(labels))), np.empty((len(pictures), len(labels)))
    with progress("comparing int8 with float", len(pictures)) as tick:
        for number, picture in enumerate(pictures):
            wanted[number], got[number] = _scores(exact, picture, how), _scores(coarse, picture, how)
            tick()
    return compare_scores(wanted, got, [picture.path.name for picture in pictures], labels, held_out)


def compare_scores(
    wanted: Distribution, got: Distribution, names: Sequence[str], labels: Sequence[str], held_out: bool
) -> Fidelity:
    """Return how far two networks agree whose scores are `wanted` and `got`: images (by `names`) x labels."""
    probabilities = are_probabilities(wanted)
    if not probabilities:  # decided once, by the float network, and the same for both
        wanted, got = _softmax(wanted), _softmax(got)
    best, said = np.argmax(wanted, axis=1), np.argmax(got, axis=1)
    top5 = np.argsort(-got, axis=1, kind="stable")[:, :5]
    divergences = [kl(p, q) for p, q in zip(wanted, got, strict=True)]
    missed = sorted(np.flatnonzero(best != said).tolist(), key=lambda number: -divergences[number])
    return Fidelity(
        len(names),
        held_out,
        int(np.sum(best == said)),
        int(np.sum(top5 == best[:, None])) if len(labels) > 5 else None,
        float(np.mean(divergences)),
        probabilities,
        tuple(Miss(names[number], labels[int(best[number])], labels[int(said[number])]) for number in missed[:WORST]),
    )


def are_probabilities(scores: Distribution) -> bool:
    """Whether the scores of a float network, images x labels, are those of a softmax on every image."""
    return bool(scores.min() >= 0 and np.all(np.abs(scores.sum(axis=1) - 1) < 1e-3))


def _softmax(scores: Distribution) -> Distribution:
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True), np.float64)


def _scores(interpreter: Interpreter, picture: Picture, how: Preprocess) -> Distribution:
    """What the network answers, dequantised."""
    fed, told = interpreter.input, interpreter.output
    prepared = np.zeros(fed.shape, fed.dtype)
    InputCode(fed.dtype, fed.scale, fed.zero_point, how).encode(picture.pixels, prepared[0])
    interpreter.write(prepared)
    interpreter.invoke()
    scores = interpreter.read().reshape(-1).astype(np.float64)
    return (scores - told.zero_point) * told.scale if told.dtype in QUANTISED else scores


def kl(wanted: Distribution, got: Distribution) -> float:
    """Return KL(wanted || got) in nats, both floored at FLOOR and renormalised."""
    p, q = (np.maximum(scores, FLOOR) / np.maximum(scores, FLOOR).sum() for scores in (wanted, got))
    return float(np.sum(p * np.log(p / q)))


def wilson(successes: int, trials: int) -> tuple[float, float]:
    """Return the 95% score interval of a proportion (Wilson 1927), honest near 0 and 1 where the usual one is not."""
    z = 1.959964
    share = successes / trials
    middle = share + z * z / (2 * trials)
    spread = z * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    scale = 1 + z * z / trials
    return max(0.0, (middle - spread) / scale), min(1.0, (middle + spread) / scale)


def judge(fidelity: Fidelity, asked: float | None) -> str | None:
    """Return a warning, or None; too few held-out images only warn, unless a limit was `asked` for.

    Raises GateFailed where the agreement is too low.
    """
    limit = DEFAULT_AGREEMENT if asked is None else asked
    if fidelity.agreement >= limit:
        return None
    said = f"int8 agrees with float on {fidelity.agreed} of {images(fidelity.images)}, less than {limit:g} of them"
    if asked is not None or (fidelity.held_out and fidelity.images >= TO_JUDGE):
        raise GateFailed(f"{said}: no model was written; calibrate on more images, or lower --min-agreement")
    return (
        f"{said}; give {TO_JUDGE + 100} images or more by --images DIR to judge it on images it was not calibrated on"
    )
