# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""What a network is to whoever uses it, wherever it runs: in this process, or on an Edge TPU in another."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.generic]
DelegateName = Literal["xnnpack", "none", "edgetpu"]
"""What runs."""

DelegateChoice = Literal["xnnpack", "none", "edgetpu", "auto"]
"""What can be asked for: "auto" takes the Edge TPU where the file is compiled for it and one is there."""


@dataclass(frozen=True, slots=True)
class Tensor:
    """An input or output of the network, as the file describes it."""

    index: int
    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[np.generic]

    scale: float
    """Real value of one step; 0 where the tensor is not quantised."""

    zero_point: int
    """The code that stands for 0."""


@dataclass(frozen=True, slots=True)
class Delegation:
    """How much of the graph runs on a delegate."""

    delegate: DelegateName
    """The delegate that really runs: "none" where it took no operation at all."""

    taken: int
    """Operations that the delegate took."""

    total: int
    """Operations in the graph."""

    left: Mapping[str, int]
    """Operations that stayed with the built-in kernels, by name."""

    fallbacks: int = 0
    """How often the CPU had to stand in for the Edge TPU."""

    reason: str = ""
    """What kept or keeps the Edge TPU from answering, with the remedy; empty if nothing did."""


class Network(Protocol):
    """A loaded network with one input and one output, wherever it runs. Not thread-safe."""

    @property
    def input(self) -> Tensor: ...
    @property
    def output(self) -> Tensor: ...
    @property
    def threads(self) -> int: ...
    @property
    def quantised(self) -> bool:
        """Whether it computes in integers."""
        ...

    def write(self, values: Array) -> None:
        """Copy values of the input's shape and type into the input."""
        ...

    def invoke(self) -> None:
        """Run on what was written. Raises RuntimeError if that fails."""
        ...

    def read(self) -> Array:
        """Return a copy of the output, of the output's shape and type."""
        ...

    def delegation(self) -> Delegation:
        """Say what it runs on right now; cheap enough to be asked with every frame."""
        ...

    def close(self) -> None:
        """Let go of the hardware; the network answers no more. May be called twice."""
        ...
