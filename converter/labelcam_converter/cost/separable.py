# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Depthwise separable convolutions, and the standard convolutions that they stand for (Howard et al. 2017, 3.1)."""

from collections.abc import Iterator
from dataclasses import dataclass

from ..flatbuffer import Graph, Operation

_REACH = 8
"""How many operations may lie between the two: an activation, and squeeze-and-excitation around it."""


@dataclass(frozen=True, slots=True)
class Separable:
    """A depthwise convolution and the pointwise one that mixes its channels, Dk x Dk x M to N channels."""

    depthwise: str
    pointwise: str
    """The names of the two layers."""

    kernel: tuple[int, int]
    """Dk: height and width."""

    inputs: int
    """M, channels."""

    outputs: int
    """N, channels."""

    positions: int
    """Df squared: pixels of the output."""

    multiplier: int = 1
    """Channels that the depthwise convolution makes of each."""

    @property
    def macs(self) -> int:
        """Dk² · M · Df² of the depthwise part plus M · N · Df² of the pointwise one."""
        return (self._area + self.outputs) * self.inputs * self.multiplier * self.positions

    @property
    def standard_macs(self) -> int:
        """Dk² · M · N · Df²."""
        return self._area * self.inputs * self.outputs * self.positions

    @property
    def ratio(self) -> float:
        """`macs` by `standard_macs`, which is 1/N + 1/Dk² (for a multiplier of 1)."""
        return self.macs / self.standard_macs

    @property
    def parameters(self) -> int:
        """Weights and biases of both parts."""
        return (self._area + 1 + self.outputs) * self.inputs * self.multiplier + self.outputs

    @property
    def standard_parameters(self) -> int:
        """Weights and biases of the standard convolution."""
        return (self._area * self.inputs + 1) * self.outputs

    @property
    def _area(self) -> int:
        return self.kernel[0] * self.kernel[1]


def separable_pairs(graph: Graph, names: tuple[str, ...]) -> tuple[Separable, ...]:
    """Return the pairs in the order of execution; `names` are the layers'."""
    return tuple(_pairs(graph, names))


def _pairs(graph: Graph, names: tuple[str, ...]) -> Iterator[Separable]:
    taken: set[int] = set()
    for number, step in enumerate(graph.operations):
        if step.kind != "DEPTHWISE_CONV_2D":
            continue
        mixer = _mixer(graph, number, taken)
        if mixer is None:
            continue
        taken.add(mixer)
        fed, kernel, told = (graph.tensors[i].shape for i in (step.inputs[0], step.inputs[1], step.outputs[0]))
        mixed = graph.tensors[graph.operations[mixer].outputs[0]].shape
        yield Separable(
            names[number],
            names[mixer],
            (kernel[1], kernel[2]),
            fed[3],
            mixed[3],
            mixed[1] * mixed[2],
            told[3] // fed[3],
        )


def _mixer(graph: Graph, depthwise: int, taken: set[int]) -> int | None:
    """The pointwise convolution that reads what the depthwise one put out, as it is or point by point altered."""
    shape = graph.tensors[graph.operations[depthwise].outputs[0]].shape
    flow = {graph.operations[depthwise].outputs[0]}
    for number in range(depthwise + 1, min(depthwise + 1 + _REACH, len(graph.operations))):
        step = graph.operations[number]
        if not flow & set(step.inputs):
            continue
        if _is_pointwise(graph, step) and step.inputs[0] in flow:
            return None if number in taken else number
        # A squeeze has another shape, and so is left aside; what it comes back to by MUL has this one again.
        flow |= {index for index in step.outputs if graph.tensors[index].shape == shape}
    return None


def _is_pointwise(graph: Graph, step: Operation) -> bool:
    return step.kind == "CONV_2D" and graph.tensors[step.inputs[1]].shape[1:3] == (1, 1)
