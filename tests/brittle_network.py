# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""A real network that fails at bright pictures: their mean is the index of a table that is too short for it."""

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

TABLE = 200
"""Entries: a channel whose mean is brighter has none."""

HEIGHT, WIDTH = 6, 8

UINT8, INT32 = schema.TensorType.UINT8, schema.TensorType.INT32
_CODES = (schema.BuiltinOperator.MEAN, schema.BuiltinOperator.CAST, schema.BuiltinOperator.GATHER)


def brittle_network() -> bytes:
    """Return it: 8x6 pixels in, the mean of each colour channel out."""
    model, graph = schema.ModelT(), schema.SubGraphT()
    model.version, model.subgraphs, model.buffers, model.operatorCodes = 3, [graph], [schema.BufferT()], []
    graph.tensors, graph.operators = [], []

    def tensor(shape: list[int], kind: int, values: "np.ndarray | None" = None) -> int:
        made = schema.TensorT()
        made.shape, made.type, made.name, made.buffer = shape, kind, f"tensor_{len(graph.tensors)}", 0
        if kind == UINT8:
            made.quantization = schema.QuantizationParametersT()
            made.quantization.scale, made.quantization.zeroPoint = [1 / 255], [0]
        if values is not None:
            made.buffer = len(model.buffers)
            model.buffers.append(schema.BufferT())
            model.buffers[-1].data = np.frombuffer(values.tobytes(), np.uint8)
        graph.tensors.append(made)
        return len(graph.tensors) - 1

    def operator(code: int, inputs: list[int], output: int, kind: str) -> None:
        made = schema.OperatorT()
        made.opcodeIndex, made.inputs, made.outputs = code, inputs, [output]
        made.builtinOptionsType = getattr(schema.BuiltinOptions, kind)
        made.builtinOptions = getattr(schema, f"{kind}T")()
        if kind == "CastOptions":
            made.builtinOptions.inDataType, made.builtinOptions.outDataType = UINT8, INT32
        graph.operators.append(made)

    seen, axes = tensor([1, HEIGHT, WIDTH, 3], UINT8), tensor([2], INT32, np.array([1, 2], np.int32))
    means, places = tensor([1, 3], UINT8), tensor([1, 3], INT32)
    table, answer = tensor([TABLE], UINT8, np.arange(TABLE, dtype=np.uint8)), tensor([1, 3], UINT8)
    operator(0, [seen, axes], means, "ReducerOptions")
    operator(1, [means], places, "CastOptions")
    operator(2, [table, places], answer, "GatherOptions")
    graph.inputs, graph.outputs = [seen], [answer]
    for code in _CODES:
        entry = schema.OperatorCodeT()
        entry.builtinCode = entry.deprecatedBuiltinCode = code
        entry.version = 2 if code == schema.BuiltinOperator.MEAN else 1
        model.operatorCodes.append(entry)
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())
