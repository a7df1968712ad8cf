# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The engine: the only file that knows litert-quantizer, which writes the quantised graph."""

import contextlib
import io
import warnings
from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labelcam.console import native_chatter_logged
from labelcam.errors import LabelcamError

from .correction import Bounds
from .ranges import Range
from .schemes import Io, Scheme


def write_quantised(float_model: bytes, ranges: Mapping[str, Range], bounds: Bounds, scheme: Scheme, io: Io) -> bytes:
    """Return the network in a scheme; schemes without integer activations need no ranges.

    Raises LabelcamError where litert-quantizer is missing, or refuses the network.
    """
    try:
        from litert_quantizer import qtyping, quantizer, recipe
    except ImportError:
        raise LabelcamError("litert-quantizer is not installed: pip install 'labelcam[converter]'") from None
    engine = quantizer.Quantizer(bytearray(float_model))
    match scheme:
        case Scheme.INT8:
            engine.load_quantization_recipe(recipe.static_wi8_ai8())
        case Scheme.INT16X8:
            engine.load_quantization_recipe(recipe.static_wi8_ai16())
        case Scheme.DYNAMIC:
            engine.load_quantization_recipe(recipe.dynamic_wi8_afp32())
        case Scheme.FLOAT16:
            _cast_weights(engine, qtyping)
        case Scheme.FLOAT32:
            return float_model
    if scheme.integer:
        _set_ends(engine, qtyping, io)
    known = {name: _as_arrays(np.float32(span.low), np.float32(span.high)) for name, span in ranges.items()}
    known |= {name: _as_arrays(-bound, bound) for name, bound in bounds.items()}
    with _silence():
        done = engine.quantize(
            known if scheme.rounded else None, enable_progress_bar=False, enable_progress_report=False
        )
    return bytes(done.quantized_model)


def _set_ends(engine: Any, qtyping: ModuleType, io: Io) -> None:
    """Have the network take and give `io`; int8 is what the recipe does by itself."""
    bytes_ = qtyping.OpQuantizationConfig(
        activation_tensor_config=qtyping.TensorQuantizationConfig(
            num_bits=8, symmetric=False, dtype=qtyping.TensorDataType.UINT
        ),
        compute_precision=qtyping.ComputePrecision.INTEGER,
    )
    for end in (qtyping.TFLOperationName.INPUT, qtyping.TFLOperationName.OUTPUT):
        if io == "uint8":
            engine.update_quantization_recipe(regex=".*", operation_name=end, op_config=bytes_)
        elif io == "float32":
            engine.update_quantization_recipe(regex=".*", operation_name=end, algorithm_key="no_quantize")


def _cast_weights(engine: Any, qtyping: ModuleType) -> None:
    halves = qtyping.OpQuantizationConfig(
        weight_tensor_config=qtyping.TensorQuantizationConfig(num_bits=16, dtype=qtyping.TensorDataType.FLOAT),
        compute_precision=qtyping.ComputePrecision.FLOAT,
        explicit_dequantize=True,
    )
    for kind in ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"):
        engine.update_quantization_recipe(
            regex=".*",
            operation_name=qtyping.TFLOperationName(kind),
            op_config=halves,
            algorithm_key="float_casting",
        )


def _as_arrays(low: Any, high: Any) -> dict[str, NDArray[np.float32]]:
    return {"min": np.atleast_1d(low).astype(np.float32), "max": np.atleast_1d(high).astype(np.float32)}


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """Keep litert-quantizer's reports, and the interpreter it starts, out of the terminal."""
    with native_chatter_logged(), contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
