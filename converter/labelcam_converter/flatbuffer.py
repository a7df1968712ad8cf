# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Reads and rewrites TFLite flatbuffers: the only file that knows the schema."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

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
    version: int = 1
    """Of the kind's definition; counts up with what TFLite has added to it."""

    options: Mapping[str, float] = field(default_factory=dict)
    """The numbers and flags of its builtin options, named as the schema's Python names them: strideH, keepNumDims, …"""


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
        codes = [(self._kind(code), int(code.version)) for code in self._model.operatorCodes]
        return tuple(
            Operation(
                codes[step.opcodeIndex][0],
                tuple(map(int, step.inputs)),
                tuple(map(int, step.outputs)),
                codes[step.opcodeIndex][1],
                _numbers(step.builtinOptions),
            )
            for step in self._graph.operators
        )

    @staticmethod
    def _kind(code: Any) -> str:
        # Codes above 126 do not fit the first, one-byte field, which then holds 127.
        number = max(code.builtinCode, code.deprecatedBuiltinCode)
        return _text(code.customCode) if _OPERATIONS.get(number) == "CUSTOM" else _OPERATIONS.get(number, str(number))

    def custom_options(self, step: int) -> bytes:
        """Return what a custom operation carries with it, by its place in the order of execution; empty for others."""
        carried = self._graph.operators[step].customOptions
        return b"" if carried is None else np.asarray(carried, np.uint8).tobytes()

    @property
    def inputs(self) -> tuple[Tensor, ...]:
        """What the graph is fed."""
        return tuple(self.tensors[index] for index in self._graph.inputs)

    @property
    def outputs(self) -> tuple[Tensor, ...]:
        """What the graph answers."""
        return tuple(self.tensors[index] for index in self._graph.outputs)

    @property
    def input_indices(self) -> tuple[int, ...]:
        """Indices into the tensors of what the graph is fed."""
        return tuple(map(int, self._graph.inputs))

    @property
    def output_indices(self) -> tuple[int, ...]:
        """Indices into the tensors of what the graph answers."""
        return tuple(map(int, self._graph.outputs))

    @property
    def has_metadata(self) -> bool:
        """Whether TFLite Metadata lies inside."""
        return any(_text(entry.name) == METADATA for entry in self._model.metadata or [])

    def histogram(self) -> dict[str, int]:
        """Return how often each kind of operation occurs, most frequent first."""
        return dict(Counter(step.kind for step in self.operations).most_common())

    def with_appended(
        self,
        kind: Literal["SOFTMAX", "LOGISTIC", "FULLY_CONNECTED"],
        shape: tuple[int, ...],
        constants: Sequence[NDArray[np.float32]] = (),
    ) -> bytes:
        """Return the model as bytes with one more float operation behind its only output, which gets this shape.

        The graph itself is changed: read the result, not this one, afterwards.
        """
        model = self._model
        graph = self._graph
        code = schema.OperatorCodeT()
        code.builtinCode = getattr(schema.BuiltinOperator, kind)
        code.deprecatedBuiltinCode, code.version = min(code.builtinCode, 127), 1
        step = schema.OperatorT()
        step.opcodeIndex, old = len(model.operatorCodes), int(graph.outputs[0])
        values = [
            self._add_tensor(model, f"{kind.lower()}_{n}", value.shape, value) for n, value in enumerate(constants)
        ]
        answer = self._add_tensor(model, f"{kind.lower()}_answer", shape, None)
        step.inputs, step.outputs = np.array([old, *values], np.int32), np.array([answer], np.int32)
        if kind == "SOFTMAX":
            step.builtinOptionsType, step.builtinOptions = (
                schema.BuiltinOptions.SoftmaxOptions,
                schema.SoftmaxOptionsT(),
            )
            step.builtinOptions.beta = 1.0
        elif kind == "FULLY_CONNECTED":
            step.builtinOptionsType = schema.BuiltinOptions.FullyConnectedOptions
            step.builtinOptions = schema.FullyConnectedOptionsT()
        model.operatorCodes = [*model.operatorCodes, code]
        graph.operators, graph.outputs = [*graph.operators, step], np.array([answer], np.int32)
        for signature in model.signatureDefs or []:
            for each in signature.outputs or []:
                each.tensorIndex = answer
        return bytes(flatbuffer_utils.convert_object_to_bytearray(model))

    @staticmethod
    def _add_tensor(model: Any, name: str, shape: tuple[int, ...], value: NDArray[Any] | None) -> int:
        buffer, tensor = schema.BufferT(), schema.TensorT()
        if value is not None:
            buffer.data = np.frombuffer(np.ascontiguousarray(value).tobytes(), np.uint8)
        kind = "FLOAT32" if value is None else str(value.dtype).upper()
        tensor.name, tensor.type, tensor.buffer = name, getattr(schema.TensorType, kind), len(model.buffers)
        tensor.shape = np.array(shape, np.int32)
        model.buffers = [*model.buffers, buffer]
        graph = model.subgraphs[0]
        graph.tensors = [*graph.tensors, tensor]
        return len(graph.tensors) - 1

    def with_fixed_shapes(self, shapes: Mapping[int, tuple[int, ...]]) -> bytes:
        """Return the model as bytes in which no shape is computed; `shapes` has those found in a run, by index.

        SHAPE, STRIDED_SLICE and PACK in front of a RESHAPE break the delegation and cannot be quantised. The graph
        itself is changed: read the result, not this one, afterwards.
        """
        kinds = [step.kind for step in self.operations]
        for kind, step in zip(kinds, self._graph.operators, strict=True):
            if kind == "RESHAPE" and len(step.inputs) > 1 and self.tensors[step.inputs[1]].data is None:
                shape = np.array(shapes[int(step.outputs[0])], np.int32)
                name = f"{self.tensors[step.outputs[0]].name}_shape"
                index = self._add_tensor(self._model, name, shape.shape, shape)
                step.inputs = np.array([step.inputs[0], index], np.int32)
        for index, tensor in enumerate(self._graph.tensors):
            tensor.shapeSignature = None
            tensor.shape = np.array(shapes[index], np.int32) if index in shapes else tensor.shape
        needed, kept = {int(index) for index in self._graph.outputs}, []
        for step in reversed(self._graph.operators):
            if needed.intersection(map(int, step.outputs)):
                kept.append(step)
                needed.update(map(int, step.inputs))
        self._graph.operators = kept[::-1]
        return bytes(flatbuffer_utils.convert_object_to_bytearray(self._model))

    def with_constants(self, values: Mapping[int, NDArray[Any]]) -> bytes:
        """Return the model as bytes with other values, of the same types and shapes, in the constants of these indices.

        The graph itself is changed: read the result, not this one, afterwards.
        """
        model = self._model
        users = Counter(tensor.buffer for graph in model.subgraphs for tensor in graph.tensors)
        for index, value in sorted(values.items()):
            old, tensor = self.tensors[index], self._graph.tensors[index]
            if (str(value.dtype), value.shape) != (old.dtype, old.shape):
                raise ValueError(f"{old.name} is {old.dtype} {old.shape}, not {value.dtype} {value.shape}")
            if users[tensor.buffer] > 1:  # other tensors keep what lies there
                users[tensor.buffer] -= 1
                tensor.buffer = len(model.buffers)
                model.buffers = [*model.buffers, schema.BufferT()]
            model.buffers[tensor.buffer].data = np.frombuffer(value.tobytes(), np.uint8)
        return bytes(flatbuffer_utils.convert_object_to_bytearray(model))

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

    def with_every_output(self) -> bytes:
        """Return the model as bytes in which all that an operation computes is an output, the old one still the first.

        So a delegate cannot hide what it computes: four times as fast as an interpreter that keeps every tensor. The
        graph itself is changed: read the result, not this one, afterwards.
        """
        own = self.output_indices
        written = (index for step in self.operations for index in step.outputs)
        self._graph.outputs = np.array(list(dict.fromkeys([*own, *written])), np.int32)
        self._model.signatureDefs = None  # they name the old outputs only, and nobody asks for them
        return bytes(flatbuffer_utils.convert_object_to_bytearray(self._model))


def _numbers(options: Any) -> dict[str, float]:
    told = {} if options is None else vars(options)
    return {name: value for name, value in told.items() if isinstance(value, int | float)}


def _text(name: bytes | str | None) -> str:
    return name.decode(errors="replace") if isinstance(name, bytes) else name or ""
