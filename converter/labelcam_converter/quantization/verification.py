# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Whether a quantised network is what it says: nothing in it lost, nothing left in float that should not be."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from labelcam.errors import LabelcamError, ModelFileError

from ..flatbuffer import Graph, Tensor
from .schemes import Scheme
from .weighted import layers


def left_in_float(quantised: Graph, scheme: Scheme) -> tuple[str, ...]:
    """Return the kinds of operations that an integer network computes in float all the same, sorted.

    Raises ModelFileError for an int8 network, which must be one throughout.
    """
    if not scheme.integer:
        return ()
    ends = ("QUANTIZE", "DEQUANTIZE")
    floating = {
        step.kind
        for step in quantised.operations
        if step.kind not in ends and any(quantised.tensors[i].dtype == "float32" for i in step.outputs)
    }
    if floating and scheme is Scheme.INT8:
        raise ModelFileError(f"{', '.join(sorted(floating))} cannot be computed in int8; build the network without")
    return tuple(sorted(floating))


def check_biases(graph: Graph, quantised: Graph) -> None:
    """Refuse a result in which a bias has lost its value, or is missing."""
    # One by one in the order of the graph, because a tensor that several operations share may get another name.
    wanted, got = ([layer.bias for layer in layers(each)] for each in (graph, quantised))
    if len(wanted) != len(got):
        raise LabelcamError(f"litert-quantizer lost {len(wanted) - len(got)} biases; please report this network")
    for exact, bias in zip(wanted, got, strict=True):
        if not _same(exact.constant(), bias):
            raise LabelcamError(f"litert-quantizer lost the bias {exact.name}; please report this network")


def _same(exact: NDArray[Any] | None, bias: Tensor) -> bool:
    steps, scales = bias.constant(), np.asarray(bias.scales or (1.0,))
    if exact is None or steps is None or exact.shape != steps.shape:
        return exact is None  # a bias that is computed has no value to compare
    return bool(np.all(np.abs(steps * scales - exact) <= np.maximum(scales, 0.01 * np.abs(exact))))
