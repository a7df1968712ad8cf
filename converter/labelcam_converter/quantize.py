# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Quantisation: from a float network and its ranges to full-integer int8, by litert-quantizer."""

import contextlib
import io
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labelcam.console import native_chatter_logged
from labelcam.errors import LabelcamError, ModelFileError

from .calibration import Range
from .flatbuffer import Graph, Operation, Tensor

SCHEME = "full-integer int8, per-channel weights, uint8 input and output"

_AXIS = {"CONV_2D": 0, "DEPTHWISE_CONV_2D": 3, "FULLY_CONNECTED": 0}
"""Operations with weights and a bias, and the axis of the weights that runs over the output channels."""

_BIAS_LIMIT = 2.0**30
"""Half of what a bias' 32 bits can hold, so that the sums on top of it cannot overflow either."""

_Ranges = dict[str, dict[str, NDArray[np.float32]]]


def quantize(float_model: bytes, ranges: Mapping[str, Range]) -> bytes:
    """Return the int8 network, with uint8 input and output. Raises ModelFileError if a part of it stays float."""
    try:
        from litert_quantizer import qtyping, quantizer, recipe
    except ImportError:
        raise LabelcamError("litert-quantizer is not installed: pip install 'labelcam[converter]'") from None
    graph = Graph(float_model)
    engine = quantizer.Quantizer(bytearray(float_model))
    engine.load_quantization_recipe(recipe.static_wi8_ai8())
    bytes_ = qtyping.OpQuantizationConfig(
        activation_tensor_config=qtyping.TensorQuantizationConfig(
            num_bits=8, symmetric=False, dtype=qtyping.TensorDataType.UINT
        ),
        compute_precision=qtyping.ComputePrecision.INTEGER,
    )
    for end in (qtyping.TFLOperationName.INPUT, qtyping.TFLOperationName.OUTPUT):
        engine.update_quantization_recipe(regex=".*", operation_name=end, op_config=bytes_)
    known: _Ranges = {name: _as_arrays(np.float32(span.low), np.float32(span.high)) for name, span in ranges.items()}
    known |= _widened_weights(graph, ranges)
    with _silence():
        quantised = bytes(
            engine.quantize(known, enable_progress_bar=False, enable_progress_report=False).quantized_model
        )
    _check(Graph(quantised))
    _check_biases(graph, Graph(quantised))
    return quantised


def _as_arrays(low: Any, high: Any) -> dict[str, NDArray[np.float32]]:
    return {"min": np.atleast_1d(low).astype(np.float32), "max": np.atleast_1d(high).astype(np.float32)}


def _widened_weights(graph: Graph, ranges: Mapping[str, Range]) -> _Ranges:
    """Ranges for the weights whose own would be too narrow for their bias.

    The bias counts in steps of (input scale x weight scale). Where the weights of a channel are nearly all zero, as
    training leaves them in dead channels, those steps are so small that the bias overflows and changes its sign.
    """
    widened: _Ranges = {}
    for step, weights, bias in _with_bias(graph):
        fed = ranges.get(graph.tensors[step.inputs[0]].name)
        values, offsets = weights.constant(), bias.constant()
        if fed is None or values is None or offsets is None:
            continue
        axis = _AXIS[step.kind]
        others = tuple(number for number in range(values.ndim) if number != axis)
        own = np.abs(values).max(axis=others, keepdims=True)
        input_scale = max(max(fed.high, 0.0) - min(fed.low, 0.0), 1e-9) / 255
        needed = (np.abs(offsets) * 127 / (input_scale * _BIAS_LIMIT)).reshape(own.shape)
        if np.any(needed > own):
            bound = np.maximum(own, needed)
            widened[weights.name] = {"min": -bound.astype(np.float32), "max": bound.astype(np.float32)}
    return widened


def _with_bias(graph: Graph) -> list[tuple[Operation, Tensor, Tensor]]:
    return [
        (step, graph.tensors[step.inputs[1]], graph.tensors[step.inputs[2]])
        for step in graph.operations
        if step.kind in _AXIS and len(step.inputs) > 2 and step.inputs[2] >= 0
    ]


def _check(quantised: Graph) -> None:
    """Refuse a result that is not what it says: with operations left in float."""
    floating = {
        step.kind
        for step in quantised.operations
        if step.kind in ("QUANTIZE", "DEQUANTIZE") or any(quantised.tensors[i].dtype == "float32" for i in step.outputs)
    } - {"QUANTIZE"}
    if floating:
        kinds = ", ".join(sorted(floating - {"DEQUANTIZE"}) or floating)
        raise ModelFileError(f"{kinds} cannot be computed in int8; build the network without")


def _check_biases(graph: Graph, quantised: Graph) -> None:
    """Refuse a result in which a bias has lost its value, or is missing."""
    # One by one in the order of the graph, because a tensor that several operations share may get another name.
    wanted, got = ([bias for _, _, bias in _with_bias(each)] for each in (graph, quantised))
    if len(wanted) != len(got):
        raise LabelcamError(f"litert-quantizer lost {len(wanted) - len(got)} biases; please report this network")
    for exact, bias in zip(wanted, got, strict=True):
        if not _same(exact.constant(), bias):
            raise LabelcamError(f"litert-quantizer lost the bias {exact.name}; please report this network")


def _same(exact: NDArray[Any] | None, bias: Tensor) -> bool:
    steps, scales = bias.constant(), np.asarray(bias.scales)
    if exact is None or steps is None or exact.shape != steps.shape:
        return exact is None  # a bias that is computed has no value to compare
    return bool(np.all(np.abs(steps * scales - exact) <= np.maximum(scales, 0.01 * np.abs(exact))))


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """Keep litert-quantizer's reports, and the interpreter it starts, out of the terminal."""
    with native_chatter_logged(), contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
