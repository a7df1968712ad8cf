# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""What TensorFlow's own graph of a network says of its first and its last steps.

Layers nested in layers, operators on tensors (`x / 127.5`), functions of keras.applications and old TFOpLambda layers
all look alike there: so scaling is found wherever it stands before the first step that mixes values.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

_THROUGH = {
    *("Identity", "IdentityN", "StopGradient", "Cast", "PlaceholderWithDefault", "CheckNumerics", "EnsureShape"),
    *("Pad", "PadV2", "MirrorPad", "ResizeBilinear", "ResizeNearestNeighbor", "ResizeBicubic", "ResizeArea"),
    *("ReverseV2", "StridedSlice", "Slice", "CropAndResize", "GatherV2", "Reshape", "Squeeze", "ExpandDims"),
    *("Transpose", "ScaleAndTranslate", "ImageProjectiveTransformV3", "Pack", "ConcatV2"),
}
"""Steps that move or average pixels and leave their range what it was."""

_ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "Mul": np.multiply,
    "AddV2": np.add,
    "Add": np.add,
    "BiasAdd": np.add,
    "Sub": np.subtract,
    "RealDiv": np.divide,
    "Div": np.divide,
    "Maximum": np.maximum,
    "Minimum": np.minimum,
}
_ONE_SIDED: dict[str, Callable[[Any], Any]] = {
    "Sqrt": np.sqrt,
    "Rsqrt": lambda value: 1 / np.sqrt(value),
    "Neg": np.negative,
    "Square": np.square,
    **dict.fromkeys(("Identity", "Cast", "Reshape", "Squeeze", "ExpandDims"), np.asarray),
}

_SHAPED = ("Identity", "Reshape", "Squeeze", "Cast", "StopGradient")
"""Steps behind the last one that computes anything."""


def trace(call: Callable[[Any], Any], shape: tuple[int, ...]) -> Any:
    """Return the graph of a function of one picture: of 1 x `shape`, float32."""
    import tensorflow as tf

    spec = tf.TensorSpec([1, *shape], tf.float32)
    return tf.function(call).get_concrete_function(spec)


def scaled_range(traced: Any) -> tuple[float, float] | None:
    """Return what the network itself makes of 0 and of 255, before anything else; None where it scales nothing."""
    tensor = traced.inputs[0]  # the captured variables come behind it
    ends = np.array([[0.0], [255.0]])
    while True:
        step = _next(tensor)
        if step is not None and step.type in _ARITHMETIC:
            first = step.inputs[0] is tensor
            other = _value(step.inputs[1 if first else 0], traced.graph)
            if other is None:
                break
            ends = _ARITHMETIC[step.type](ends, other) if first else _ARITHMETIC[step.type](other, ends)
        elif step is None or step.type not in _THROUGH:
            break
        tensor = step.outputs[0]
    black, white = (float(end.mean()) for end in ends)
    return None if abs(black) < 1 and abs(white - 255) < 1 else (black, white)


def _next(tensor: Any) -> Any:
    """The one step that takes a tensor, or that takes its channels one by one and puts them together again."""
    users = [step for step in tensor.consumers() if step.type != "Shape"]
    if len(users) > 1 and all(step.type in ("StridedSlice", "Split", "Unpack") for step in users):
        users = list({id(user): user for step in users for each in step.outputs for user in each.consumers()}.values())
        users = [step for step in users if step.type in ("Pack", "ConcatV2")] if len(users) == 1 else []
    return users[0] if len(users) == 1 else None


def _value(tensor: Any, graph: Any) -> Any:
    """The value of a tensor that does not depend on the input, one for all channels or one each; else None."""
    import tensorflow as tf

    step = tensor.op
    if step.type == "Const":
        value = tf.get_static_value(tensor)
    elif step.type == "ReadVariableOp":
        holder = next((outside for outside, inside in graph.captures if inside is step.inputs[0]), None)
        value = None if holder is None else tf.raw_ops.ReadVariableOp(resource=holder, dtype=tensor.dtype).numpy()
    elif step.type in _ONE_SIDED:
        value = _value(step.inputs[0], graph)
        value = None if value is None else _ONE_SIDED[step.type](value)
    elif step.type in _ARITHMETIC:
        left, right = (_value(each, graph) for each in step.inputs)
        value = None if left is None or right is None else _ARITHMETIC[step.type](left, right)
    else:
        value = next((outside.numpy() for outside, inside in graph.captures if inside is tensor), None)
    if value is None or np.size(value) not in (1, 3):
        return None
    return np.asarray(value, np.float64).reshape(1, -1)


def last_step(traced: Any) -> str:
    """Return the kind of the last operation that computes anything, in TensorFlow's words, such as Softmax."""
    step = traced.outputs[0].op
    while step.type in _SHAPED:
        step = step.inputs[0].op
    return str(step.type)
