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
    same, same5, divergences, misses = 0, 0, [], []
    with progress("comparing int8 with float", len(pictures)) as tick:
        for picture in pictures:
            wanted, got = _distribution(exact, picture, how), _distribution(coarse, picture, how)
            best, divergence = int(np.argmax(wanted)), kl(wanted, got)
            divergences.append(divergence)
            same5 += best in np.argsort(-got, kind="stable")[:5]
            if int(np.argmax(got)) == best:
                same += 1
            else:
                misses.append((divergence, Miss(picture.path.name, labels[best], labels[int(np.argmax(got))])))
            tick()
    misses.sort(key=lambda miss: -miss[0])
    return Fidelity(
        len(pictures),
        held_out,
        same,
        int(same5) if len(labels) > 5 else None,
        float(np.mean(divergences)),
        tuple(miss for _, miss in misses[:WORST]),
    )


def _distribution(interpreter: Interpreter, picture: Picture, how: Preprocess) -> Distribution:
    """What the network answers, as probabilities: through a softmax where it gives none itself."""
    fed, told = interpreter.input, interpreter.output
    prepared = np.zeros(fed.shape, fed.dtype)
    InputCode(fed.dtype, fed.scale, fed.zero_point, how).encode(picture.pixels, prepared[0])
    interpreter.write(prepared)
    interpreter.invoke()
    scores = interpreter.read().reshape(-1).astype(np.float64)
    if told.dtype in QUANTISED:
        scores = (scores - told.zero_point) * told.scale
    # A sum of a thousand rounded bytes can be off by a good part.
    if scores.min() < -1e-6 or not 0.5 < scores.sum() < 2:
        scores = np.exp(scores - scores.max())
    return np.asarray(scores / scores.sum(), np.float64)


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
    said = f"int8 agrees with float on {fidelity.agreed} of {fidelity.images} images, less than {limit:g} of them"
    if asked is not None or (fidelity.held_out and fidelity.images >= TO_JUDGE):
        raise GateFailed(f"{said}: no model was written; calibrate on more images, or lower --min-agreement")
    return (
        f"{said}; give {TO_JUDGE + 100} images or more by --images DIR to judge it on images it was not calibrated on"
    )
