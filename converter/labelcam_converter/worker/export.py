# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Builds or reads a network and writes it as a float .tflite."""

import functools
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .refusal import Refused, first_line
from .reporting import Reporter

_HARMLESS = ("InputLayer", "Resizing", "CenterCrop", "Dropout", "GaussianNoise")
"""Layers that may stand in front of the scaling: an average of pixels is still from 0 to 255."""


def run(request: dict[str, Any], folder: Path, _reporter: Reporter) -> dict[str, Any]:
    """Write float.tflite into the folder; the reply tells whether the network is known to scale its input itself."""
    output = folder / "float.tflite"
    if request["kind"] == "saved_model":
        output.write_bytes(_from_saved_model(request["path"]))
        return {"scales_itself": False}
    model = read_network(request["path"]) if request["kind"] == "file" else zoo_network(request)
    output.write_bytes(export(model))
    return {"scales_itself": scales_itself(model)}


def scales_itself(model: Any) -> bool:
    """Whether the first layer that changes values for good, in however many models inside models, scales them.

    In the .tflite this can no longer be seen where the converter has folded it into the first convolution.
    """
    kinds = (type(layer).__name__ for layer in _flat(model))
    # What begins with Rand… augments, which happens in training only.
    first = next((kind for kind in kinds if kind not in _HARMLESS and not kind.startswith("Rand")), None)
    return first in ("Rescaling", "Normalization")


def _flat(model: Any) -> Iterator[Any]:
    for layer in model.layers:
        if hasattr(layer, "layers"):
            yield from _flat(layer)
        else:
            yield layer


def read_network(path: str) -> Any:
    """Return the Keras model in a file. Raises Refused if Keras cannot read it."""
    import keras

    class DepthwiseConv2D(keras.layers.DepthwiseConv2D):  # type: ignore[misc]
        """Keras 2 wrote a `groups` that Keras 3 refuses; for a depthwise convolution it never meant anything."""

        def __init__(self, *args: Any, groups: int | None = None, **kwargs: Any) -> None:  # noqa: ARG002
            super().__init__(*args, **kwargs)

    try:
        return keras.models.load_model(path, custom_objects={"DepthwiseConv2D": DepthwiseConv2D}, compile=False)
    except Exception as error:  # h5py, zipfile and Keras raise nearly everything for a damaged file
        raise Refused(f"Keras cannot read it ({first_line(error)}); save it again by model.save()") from error


def zoo_network(request: dict[str, Any]) -> Any:
    """Return a network of keras.applications with the weights that the request names, random ones for None."""
    import keras

    keras.utils.set_random_seed(request["seed"])
    size, weights = request["size"], request["weights"]
    build = getattr(keras.applications, request["function"])
    try:
        return build(input_shape=(size, size, 3), alpha=request["alpha"], weights=weights)
    except Exception as error:
        if weights is None:
            raise
        raise Refused(f"{weights} does not fit {request['function']} ({first_line(error)}); check --alpha") from error


def export(model: Any) -> bytes:
    """Return a Keras model as a float .tflite. Raises Refused if it is no image classifier."""
    import keras
    import tensorflow as tf

    inputs, outputs = getattr(model, "inputs", None), getattr(model, "outputs", None)
    if not inputs or not outputs:
        raise Refused("it has no fixed input; save a functional or built model")
    for what, found in (("input", inputs), ("output", outputs)):
        if len(found) != 1:
            raise Refused(f"has {len(found)} {what}s; only an image classifier with one {what} can be converted")
    shape = tuple(inputs[0].shape)[1:]
    if len(shape) != 3 or None in shape:
        raise Refused(f"its input is {list(shape)} a picture, but a fixed [height, width, 3] is needed")
    archive = keras.export.ExportArchive()
    archive.track(model)
    # A batch of exactly 1: with an open one, SHAPE, STRIDED_SLICE and PACK come in and break the delegation.
    spec = tf.TensorSpec([1, *shape], tf.float32)
    archive.add_endpoint("serve", functools.partial(model.__call__, training=False), [spec])
    with tempfile.TemporaryDirectory(prefix="labelcam-") as folder:
        archive.write_out(folder, verbose=False)
        return _converted(tf.lite.TFLiteConverter.from_saved_model(folder))


def _from_saved_model(folder: str) -> bytes:
    import tensorflow as tf

    try:
        loaded = tf.saved_model.load(folder)
        serve = loaded.signatures["serving_default"]
    except (OSError, ValueError, KeyError) as error:
        raise Refused(f"TensorFlow cannot load it ({first_line(error)}); export it again by model.export()") from error
    specs = serve.structured_input_signature[1]
    if len(specs) != 1 or len(serve.structured_outputs) != 1:
        raise Refused("has more than one input or output; only an image classifier with one of each can be converted")
    ((name, spec),) = specs.items()
    fixed = tf.TensorSpec([1, *spec.shape[1:]], spec.dtype)  # see `export`
    function = tf.function(lambda x: serve(**{name: x}), input_signature=[fixed]).get_concrete_function()
    return _converted(tf.lite.TFLiteConverter.from_concrete_functions([function], loaded))


def _converted(converter: Any) -> bytes:
    try:
        return bytes(converter.convert())
    except Exception as error:  # the converter raises Exception itself
        raise Refused(f"TensorFlow cannot convert it ({first_line(error)})") from error
