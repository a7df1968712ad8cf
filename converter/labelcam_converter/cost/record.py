# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The answer of `cost`, for the table, the report and the public JSON."""

from dataclasses import asdict, dataclass
from typing import Any

from .memory import Memory
from .separable import Separable

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Layer:
    """One operation of the graph, with whatever was fused into it."""

    name: str
    kind: str
    """convolution, depthwise, pointwise, dense, or TFLite's name of the operation in lower case."""

    output: tuple[int, int, int]
    """Height, width, channels; 1, 1, n for n numbers."""

    macs: int
    """Multiply-accumulate operations of convolutions and matrix products, as the MobileNet papers count: other
    arithmetic (pooling, additions, activations) counts nothing."""

    parameters: int
    """Weights and biases, batch norms folded into them; 0 where an earlier layer with the same weights has them."""

    @property
    def values(self) -> int:
        """How many numbers it puts out: its activation memory is as many bytes in int8, four times that in float32."""
        return self.output[0] * self.output[1] * self.output[2]


@dataclass(frozen=True, slots=True)
class Cost:
    """What one inference costs, per layer and in all."""

    model: str
    dtype: str
    """The type of the activations in the graph that was counted: float32, int8, uint8, …"""

    layers: tuple[Layer, ...]
    """In the order of execution."""

    separable: tuple[Separable, ...]
    """The depthwise separable convolutions, against the standard ones that they stand for."""

    memory: tuple[Memory, ...]
    """Of the activations: as the graph has them, then all in float32, then all in int8."""

    uncounted: tuple[str, ...]
    """Kinds of operations that multiply but that we cannot count; then `macs` is too low."""

    @property
    def macs(self) -> int:
        """Multiply-accumulate operations of one inference."""
        return sum(layer.macs for layer in self.layers)

    @property
    def parameters(self) -> int:
        """Weights and biases, batch norms folded into them."""
        return sum(layer.parameters for layer in self.layers)

    @property
    def standard_convolution_macs(self) -> int:
        """The same if every depthwise separable convolution were a standard one."""
        return self.macs + sum(pair.standard_macs - pair.macs for pair in self.separable)

    @property
    def standard_convolution_parameters(self) -> int:
        """The parameters if every depthwise separable convolution were a standard one."""
        return self.parameters + sum(pair.standard_parameters - pair.parameters for pair in self.separable)

    @property
    def activation_bytes_peak(self) -> int:
        """The most that activations take at one time, in the graph's own types."""
        return self.memory[0].peak_bytes

    def as_json(self) -> dict[str, Any]:
        """Return the public form."""
        return {
            "schema": SCHEMA,
            "model": self.model,
            "dtype": self.dtype,
            "macs": self.macs,
            "parameters": self.parameters,
            "activation_bytes_peak": self.activation_bytes_peak,
            "standard_convolution_macs": self.standard_convolution_macs,
            "standard_convolution_parameters": self.standard_convolution_parameters,
            "memory": [asdict(memory) for memory in self.memory],
            "separable": [asdict(pair) | {"macs": pair.macs, "ratio": pair.ratio} for pair in self.separable],
            "uncounted": list(self.uncounted),
            "layers": [asdict(layer) | {"activation_values": layer.values} for layer in self.layers],
        }
