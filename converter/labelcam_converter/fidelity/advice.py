# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""What helps a network that int8 does not become: read off its operations and off where the noise comes from."""

from collections.abc import Sequence

from . import Fidelity
from .gate import DEFAULT_AGREEMENT
from .layers import Layer, breaking

ENOUGH = 100
"""Calibration images, from which on more of them hardly change the ranges."""


def kinds_that_suffer(fidelity: Fidelity) -> frozenset[str]:
    """Return the operations of the network whose values 8 bits hold badly: those of MobileNetV3 and its kin."""
    return frozenset(layer.kind for layer in fidelity.layers) & {"HARD_SWISH", "LOGISTIC", "ELU", "GELU"}


def what_helps(
    fidelity: Fidelity, scheme: str, effort: str | None, calibrated_on: int | None, limit: float = DEFAULT_AGREEMENT
) -> tuple[str, ...]:
    """Return what to try, the most promising first, one sentence each; none for a network that answers like float.

    `scheme` is int8, int16x8, … or the manifest's full words; `effort` and `calibrated_on`, a number of images, are
    None where nobody knows.
    """
    if fidelity.agreement >= limit:
        return ()
    integer = "int8" in scheme and not any(other in scheme for other in ("int16", "16 bit", "dynamic"))
    found = [_blamed(fidelity.layers)] if fidelity.layers else []
    if integer and "HARD_SWISH" in kinds_that_suffer(fidelity):
        found.append(
            "hard-swish and squeeze-excite lose most in int8: take a variant without them "
            "(mobilenet_v3_small_minimalistic, mobilenet_v3_large_minimalistic, mobilenet_v2)"
        )
    if integer and effort != "max":
        found.append("--effort max tunes weights and biases against the float network's own answers, for minutes")
    if calibrated_on is not None and calibrated_on < ENOUGH:
        found.append(f"calibrate on {ENOUGH} images or more, like those the camera will see (here {calibrated_on})")
    if integer:
        found.append("--scheme int16x8 keeps 16 bits between the layers: near to float, slower, not for an Edge TPU")
    elif "int16" in scheme:
        found.append("--scheme float16 halves the weights and computes as float does")
    return tuple(found)


def _blamed(layers: Sequence[Layer]) -> str:
    broken = breaking(layers)
    worst = broken or sorted(layers, key=lambda layer: -layer.lost_db)[:3]
    told = ", ".join(f"{layer.name} ({layer.kind}, {layer.channel_db:.1f} dB behind it)" for layer in worst)
    return f"the signal breaks down in {told}" if broken else f"no layer breaks the signal; most is lost in {told}"
