# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Opens Keras models: of a file, or of the zoo."""

import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .efficientnet_lite import efficientnet_lite0
from .keras2 import modernised, stand_ins
from .refusal import Refused, first_line

_EXPORT = "export it by model.export('folder') where its code is, and give that folder"


def read_network(path: str) -> Any:
    """Return the Keras model in a file, computing in float32. Raises Refused if Keras cannot read it."""
    import keras

    try:
        with tempfile.TemporaryDirectory(prefix="labelcam-") as folder:
            readable = Path(path) if path.endswith(".keras") else modernised(Path(path), Path(folder))
            model = keras.models.load_model(readable, custom_objects=stand_ins(), compile=False)
        return in_float32(model)
    except Refused:
        raise
    except Exception as error:  # h5py, zipfile and Keras raise nearly everything for a damaged file
        raise Refused(_reason(error)) from error


def _reason(error: BaseException) -> str:
    said = str(error)
    told = first_line(error) if isinstance(error, Exception) else said
    if "No model config found" in said or "Invalid filename" in said:
        return (
            "holds weights without a network; give the whole model by model.save(), "
            "or --model with its name in the zoo and this file by --weights"
        )
    if "File not found" in said or "not a zip file" in said or "truncated" in said.lower():
        return "is damaged or was cut short; copy it again, or save it again by model.save()"
    if "Lambda" in said and ("safe_mode" in said or "unsafe" in said or "arbitrary code" in said):
        return f"has a Lambda layer, which may run any code and is not opened; {_EXPORT}"
    if "Could not locate" in said or "Unknown layer" in said or "custom_objects" in said:
        named = re.search(r"(?:Could not locate class|Unknown layer:?) '(\w+)'", said)
        which = f"the layer or class {named[1]}" if named else "a layer or class of its own"
        return f"needs {which}, whose code is not in the file; {_EXPORT}"
    return f"Keras cannot read it ({told}); save it again by model.save(), or {_EXPORT}"


def in_float32(model: Any) -> Any:
    """Return a model that computes in float32: one trained in mixed precision keeps float32 weights anyway.

    Raises Refused where the weights themselves are half as wide.
    """
    import keras

    if any(weight.dtype in ("float16", "bfloat16") for weight in model.weights):
        raise Refused("has float16 weights; save it in float32: keras.mixed_precision.set_dtype_policy('float32')")
    for layer in [model, *flat(model, inner=True)]:
        if getattr(layer, "compute_dtype", "float32") in ("float16", "bfloat16"):
            layer.dtype_policy = keras.DTypePolicy("float32")
    return model


def flat(model: Any, inner: bool = False) -> Iterator[Any]:
    """Give every layer in order, with those of models inside models; `inner` gives those models as well."""
    for layer in getattr(model, "layers", []):
        if hasattr(layer, "layers"):
            if inner:
                yield layer
            yield from flat(layer, inner)
        else:
            yield layer


def zoo_network(request: dict[str, Any]) -> Any:
    """Return a network of the zoo with the weights that the request names, random ones for None."""
    import keras

    keras.utils.set_random_seed(request["seed"])
    size, weights = request["size"], request["weights"]
    if request["function"] == "efficientnet_lite0":
        model = efficientnet_lite0((size, size, 3), weights=weights)
        return model if weights else _with_biases(model)
    build = getattr(keras.applications, request["function"])
    options = {"minimalistic": True} if request["minimalistic"] else {}
    try:
        model = build(input_shape=(size, size, 3), alpha=request["alpha"], weights=weights, **options)
    except Exception as error:
        if weights is None:
            raise
        raise Refused(f"{weights} does not fit {request['function']} ({first_line(error)}); check --alpha") from error
    return model if weights else _with_biases(model)


def _with_biases(model: Any) -> Any:
    """Make small random numbers of what a new network has zeros in: the converter would drop a bias of zeros."""
    import keras

    for weight in model.weights:
        if not weight.numpy().any():
            weight.assign(keras.random.normal(weight.shape, stddev=0.01))
    return model


def first_norm(model: Any) -> dict[str, list[float]] | None:
    """Return gamma and beta of a trained batch norm right behind the first layer with a kernel.

    Behind it, every channel had a mean of beta and a standard deviation of |gamma| in training: what the network saw.
    None where there is no such layer, or where it has never been trained.
    """
    import numpy as np

    layers = iter(flat(model))
    first = next((layer for layer in layers if hasattr(layer, "kernel") or hasattr(layer, "depthwise_kernel")), None)
    norm = next((layer for layer in layers), None)
    if first is None or type(norm).__name__ != "BatchNormalization" or norm is None:
        return None
    variance = np.asarray(norm.moving_variance)
    if np.ptp(variance) == 0:  # as it was made, or folded into the kernel
        return None
    gamma = np.asarray(norm.gamma) if norm.scale else np.ones_like(variance)
    beta = np.asarray(norm.beta) if norm.center else np.zeros_like(variance)
    return {"gamma": gamma.astype(float).tolist(), "beta": beta.astype(float).tolist()}
