# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The schemes: in what numbers a network's weights and activations are kept, and what a caller sees of it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, get_args

from labelcam.errors import UsageError

Io = Literal["uint8", "int8", "float32"]
"""The type of the network's input and output."""

RangeEstimator = Literal["minmax", "percentile", "mse"]
RangeChoice = Literal["minmax", "percentile", "mse", "auto"]
Effort = Literal["fast", "normal", "max"]


class Scheme(StrEnum):
    """How a network is quantised; the value is the suffix of its file's name."""

    INT8 = "int8"
    """Integers throughout: what XNNPACK, the Edge TPU and microcontrollers are quickest with."""

    INT16X8 = "int16x8"
    """As int8, with activations of 16 bits: nearly as exact as float, but no delegate takes it."""

    DYNAMIC = "dynamic"
    """Weights in int8, activations in float that are quantised as they come: no calibration, a quarter of the size."""

    FLOAT16 = "float16"
    """Weights in float16, half the size, the arithmetic in float32."""

    FLOAT32 = "float32"
    """The float network as it is."""

    @property
    def integer(self) -> bool:
        """Whether activations are quantised, so that their ranges are needed."""
        return self in (Scheme.INT8, Scheme.INT16X8)

    @property
    def rounded(self) -> bool:
        """Whether weights are rounded to integers, so that corrections help."""
        return self in (Scheme.INT8, Scheme.INT16X8, Scheme.DYNAMIC)


_WORDS = {
    Scheme.INT8: "full-integer int8, per-channel weights",
    Scheme.INT16X8: "int16 activations, int8 per-channel weights",
    Scheme.DYNAMIC: "dynamic-range int8, per-channel weights, float32 activations",
    Scheme.FLOAT16: "float16 weights, float32 activations",
    Scheme.FLOAT32: "float32, not quantised",
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What quantisation is asked for."""

    scheme: Scheme = Scheme.INT8
    io: Io = "uint8"
    """Only int8 networks take and give bytes; see `io_of`."""

    ranges: RangeChoice = "auto"
    effort: Effort = "normal"
    seed: int = 0
    blamed: str = "the network"
    """Which file or name errors mean."""

    verbose: bool = False

    def __post_init__(self) -> None:
        if self.io != "float32" and self.scheme is not Scheme.INT8:
            raise UsageError(f"--io {self.io}: a network in {self.scheme} takes and gives float32; leave --io out")


def io_of(scheme: Scheme, asked: Io | None) -> Io:
    """Return the type of input and output; None asks for the scheme's own. Raises UsageError if it cannot have it."""
    own: Io = "uint8" if scheme is Scheme.INT8 else "float32"
    return Wanted(scheme, asked or own).io


def in_words(scheme: Scheme, io: Io, left_in_float: tuple[str, ...] = ()) -> str:
    """Return the scheme in full, as manifest and report state it."""
    mixed = f", {', '.join(left_in_float)} in float32" if left_in_float else ""
    return f"{_WORDS[scheme]}{mixed}, {io} input and output"


EFFORTS: tuple[Effort, ...] = get_args(Effort)
RANGE_CHOICES: tuple[RangeChoice, ...] = get_args(RangeChoice)
IOS: tuple[Io, ...] = get_args(Io)
