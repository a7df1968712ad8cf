# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Reads and rewrites TFLite flatbuffers: the only file that knows the schema."""

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.tools import flatbuffer_utils
from numpy.typing import NDArray

from labelcam.errors import ModelFileError

METADATA = "TFLITE_METADATA"
"""The name under which TFLite Metadata lies in a model."""

_TYPES = {value: name.lower() for name, value in vars(schema.TensorType).items() if isinstance(value, int)}
_OPERATIONS = {value: name for name, value in vars(schema.BuiltinOperator).items() if isinstance(value, int)}


@dataclass(frozen=True, slots=True, eq=False)
class Tensor:
    """An array that the graph holds or computes."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    """As TFLite calls it, in lower case: float32, int8, …"""

    scales: tuple[float, ...]
    """Real value of one step, one a channel or one for all; empty where the tensor is not quantised."""

    zero_points: tuple[int, ...]
    data: NDArray[np.uint8] | None
    """The bytes of a constant; None for what is computed."""

    def constant(self) -> NDArray[Any] | None:
        """Return the value of a constant of a type that numpy knows."""
        known = self.dtype in ("float32", "float16", "int8", "uint8", "int16", "int32", "int64")
        return self.data.view(self.dtype).reshape(self.shape) if self.data is not None and known else None


@dataclass(frozen=True, slots=True)
class Operation:
    """One step of the graph."""

    kind: str
    """As TFLite calls it: CONV_2D, …, or the name of a custom operation."""

    inputs: tuple[int, ...]
    """Indices into the graph's tensors; -1 where an optional input is left out."""

    outputs: tuple[int, ...]


class Graph:
    """The main graph of a model."""

    def __init__(self, data: bytes) -> None:
        """Read a flatbuffer. Raises ModelFileError if it is damaged."""
        try:
            # An array of bytes keeps the constants as views; `bytes` would be copied one by one (1.6 s for 4 MB).
            self._model = flatbuffer_utils.read_model_from_bytearray(np.frombuffer(data, np.uint8))
            self._graph = self._model.subgraphs[0]
        except Exception as error:  # noqa: BLE001 - random bytes make this reader raise nearly anything
            raise ModelFileError(
                f"the network in it is damaged ({type(error).__name__}); copy or build it again"
            ) from None

    @cached_property
    def tensors(self) -> tuple[Tensor, ...]:
        """Every tensor, in the order of its index."""
        return tuple(self._tensor(tensor) for tensor in self._graph.tensors)

    def _tensor(self, tensor: Any) -> Tensor:
        quantisation = tensor.quantization
        scales = () if quantisation is None or quantisation.scale is None else tuple(map(float, quantisation.scale))
        zeros = () if not scales or quantisation.zeroPoint is None else tuple(map(int, quantisation.zeroPoint))
        data = self._model.buffers[tensor.buffer].data
        return Tensor(
            _text(tensor.name),
            tuple(int(n) for n in (tensor.shape if tensor.shape is not None else ())),
            _TYPES.get(tensor.type, str(tensor.type)),
            scales,
            zeros,
            None if data is None or len(data) == 0 else np.asarray(data, np.uint8),
        )

    @cached_property
    def operations(self) -> tuple[Operation, ...]:
        """Every operation, in the order of execution."""
        kinds = [self._kind(code) for code in self._model.operatorCodes]
        return tuple(
            Operation(kinds[step.opcodeIndex], tuple(map(int, step.inputs)), tuple(map(int, step.outputs)))
            for step in self._graph.operators
        )

    @staticmethod
    def _kind(code: Any) -> str:
        # Codes above 126 do not fit the first, one-byte field, which then holds 127.
        number = max(code.builtinCode, code.deprecatedBuiltinCode)
        return _text(code.customCode) if _OPERATIONS.get(number) == "CUSTOM" else _OPERATIONS.get(number, str(number))

    @property
    def inputs(self) -> tuple[Tensor, ...]:
        """What the graph is fed."""
        return tuple(self.tensors[index] for index in self._graph.inputs)

    @property
    def outputs(self) -> tuple[Tensor, ...]:
        """What the graph answers."""
        return tuple(self.tensors[index] for index in self._graph.outputs)

    @property
    def has_metadata(self) -> bool:
        """Whether TFLite Metadata lies inside."""
        return any(_text(entry.name) == METADATA for entry in self._model.metadata or [])

    def histogram(self) -> dict[str, int]:
        """Return how often each kind of operation occurs, most frequent first."""
        return dict(Counter(step.kind for step in self.operations).most_common())

    def with_metadata(self, metadata: bytes) -> bytes:
        """Return the model as bytes with this TFLite Metadata in place of any other. Drops a zip behind it."""
        model = self._model
        kept = [entry for entry in model.metadata or [] if _text(entry.name) != METADATA]
        entry, buffer = schema.MetadataT(), schema.BufferT()
        buffer.data = np.frombuffer(metadata, np.uint8)
        entry.name, entry.buffer = METADATA, len(model.buffers)
        model.buffers = [*model.buffers, buffer]
        model.metadata = [*kept, entry]
        return bytes(flatbuffer_utils.convert_object_to_bytearray(model))


def _text(name: bytes | str | None) -> str:
    return name.decode(errors="replace") if isinstance(name, bytes) else name or ""
