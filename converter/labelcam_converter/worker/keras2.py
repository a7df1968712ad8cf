# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""What Keras 2 wrote into .h5 files and Keras 3 refuses to read, said so that it does not."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .refusal import Refused

_FUNCTIONS = {
    *("math.truediv", "math.divide", "math.subtract", "math.add", "math.multiply", "math.maximum", "math.minimum"),
    *("math.reduce_mean", "math.sigmoid", "nn.bias_add", "nn.relu", "nn.relu6", "nn.softmax", "nn.sigmoid", "cast"),
    *("reshape", "concat", "clip_by_value", "image.resize", "identity", "nn.silu", "nn.swish", "math.sqrt"),
    *("image.per_image_standardization", "compat.v1.transpose", "transpose", "squeeze", "expand_dims"),
}
"""Functions of TensorFlow that a file may have called by name; a file is not trusted with any other."""

_GONE = {
    "DepthwiseConv2D": ("groups",),
    "BatchNormalization": ("renorm", "virtual_batch_size", "fused", "adjustment"),
}
"""Settings that layers no longer have, and that changed nothing in inference."""

_OPERATORS = {"add": "add", "sub": "subtract", "mul": "multiply", "truediv": "truediv"}


def modernised(path: Path, folder: Path) -> Path:
    """Return a copy of a legacy .h5 in the folder, its network described as Keras 3 understands it."""
    import h5py

    with h5py.File(path, "r") as file:
        found = file.attrs.get("model_config")
    if found is None:
        return path  # weights without a network: Keras will say so
    copy = folder / "modernised.h5"
    shutil.copyfile(path, copy)
    described = _model(json.loads(found))
    with h5py.File(copy, "r+") as file:
        file.attrs["model_config"] = json.dumps(described)
    return copy


def _model(described: dict[str, Any]) -> dict[str, Any]:
    config = described["config"]
    if not isinstance(config, dict) or "layers" not in config:
        return described
    changed = {**config, "layers": [_layer(layer) for layer in config["layers"]]}
    for key in ("input_layers", "output_layers"):
        if key in config:
            changed[key] = _renamed(config[key])
    _count_calls_from_0(changed)
    return {**described, "config": changed}


def _count_calls_from_0(config: dict[str, Any]) -> None:
    """A model inside a model was called once when it was made, which Keras 2 counted and Keras 3 does not."""
    inner = {layer.get("name") for layer in config["layers"] if "layers" in _settings(layer)}
    nodes = [node for layer in config["layers"] for node in layer.get("inbound_nodes", []) if isinstance(node, list)]
    uses = [tensor for node in nodes for tensor in node if tensor[0] in inner]
    ends = config.get("output_layers", [])
    uses += [end for end in (ends if ends and isinstance(ends[0], list) else [ends]) if end and end[0] in inner]
    for name in inner:
        calls = [use for use in uses if use[0] == name]
        first = min((use[1] for use in calls), default=0)
        for use in calls:
            use[1] -= first


def _settings(layer: dict[str, Any]) -> Any:
    return layer["config"] if isinstance(layer["config"], dict) else {}


def _layer(layer: dict[str, Any]) -> dict[str, Any]:
    layer = _model(layer)
    kind, config = layer["class_name"], dict(layer["config"])
    if "layer" in config and isinstance(config["layer"], dict):  # TimeDistributed and its kind
        config["layer"] = _layer(config["layer"])
    gone = ("rng_type",) if kind.startswith("Random") else _GONE.get(kind, ())
    config = {name: value for name, value in config.items() if name not in gone}
    changed = {**layer, "config": _renamed(config, ("name",))}
    if "name" in layer:
        changed["name"] = layer["name"].replace("/", "_")
    if "inbound_nodes" in layer:
        changed["inbound_nodes"] = [_node(node) for node in layer["inbound_nodes"]]
    return changed


def _renamed(value: Any, keys: tuple[str, ...] = ()) -> Any:
    """Names of layers, which may no longer have a slash in them."""
    if isinstance(value, dict):
        return {key: _renamed(each) if key in keys else each for key, each in value.items()}
    if isinstance(value, list):
        return [_renamed(each) for each in value]
    return value.replace("/", "_") if isinstance(value, str) else value


def _node(node: Any) -> Any:
    """A call of a layer: a list of the tensors it takes, each a layer's name, two numbers and further arguments."""
    if not isinstance(node, list):
        return node  # written by Keras 3
    tensors = [node] if node and isinstance(node[0], str) else node  # of a function there was only one
    told = [[tensor[0].replace("/", "_"), *tensor[1:]] for tensor in tensors]
    if len(told) == 1 and len(told[0]) == 4:
        given = told[0][3]
        others = {key: value for key, value in given.items() if _is_tensor(value)}
        if others:  # a function of two tensors had the second among its arguments
            rest = {key: value for key, value in given.items() if key not in others}
            told = [told[0][:3], *(_renamed(value[:3]) for value in others.values())]
            told[-1] = [*told[-1], rest]
    return told


def _is_tensor(value: Any) -> bool:
    return isinstance(value, list) and len(value) >= 3 and isinstance(value[0], str) and value[1:3] == [0, 0]


def stand_ins() -> dict[str, Any]:
    """Return the layers by the names that Keras 2 gave them."""
    import keras

    class TFOpLambda(keras.layers.Layer):  # type: ignore[misc]
        """A function of TensorFlow applied to tensors, as `x / 127.5` and preprocess_input were kept."""

        def __init__(self, function: str, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self._function = _function(function)

        def call(self, x: Any, **kwargs: Any) -> Any:
            kwargs = {name: value for name, value in kwargs.items() if name != "name"}
            return self._function(*x, **kwargs) if isinstance(x, list | tuple) else self._function(x, **kwargs)

    class SlicingOpLambda(keras.layers.Layer):  # type: ignore[misc]
        """A part of a tensor, as `x[..., ::-1]` was kept."""

        def __init__(self, function: str, **kwargs: Any) -> None:  # noqa: ARG002
            super().__init__(**kwargs)

        def call(self, x: Any, slice_spec: Any) -> Any:
            return x[tuple(_part(each) for each in slice_spec)]

    return {
        "TFOpLambda": TFOpLambda,
        "SlicingOpLambda": SlicingOpLambda,
    }


def _function(name: str) -> Callable[..., Any]:
    import tensorflow as tf

    prefix, _, operator = name.rpartition(".")
    if prefix == "__operators__" and operator in _OPERATORS:
        return getattr(tf.math, _OPERATORS[operator])  # type: ignore[no-any-return]
    if name not in _FUNCTIONS:
        raise Refused(f"it calls tf.{name}, which is not read out of a file; export it by model.export() as a folder")
    found: Any = tf
    for part in name.split("."):
        found = getattr(found, part)
    return found  # type: ignore[no-any-return]


def _part(spec: Any) -> Any:
    if isinstance(spec, dict):
        return ... if spec.get("class_name") == "__ellipsis__" else slice(spec["start"], spec["stop"], spec["step"])
    return spec
