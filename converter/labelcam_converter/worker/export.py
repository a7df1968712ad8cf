# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Builds or reads a network and writes it as a float .tflite."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .ending import finished
from .keras_files import first_norm, read_network, zoo_network
from .refusal import Refused, first_line
from .reporting import Reporter
from .tracing import scaled_range, trace

Facts = dict[str, Any]
"""scaled: what the network itself makes of 0 and of 255, or None; norm: see `first_norm`; ending: see `finished`."""


def run(request: dict[str, Any], folder: Path, _reporter: Reporter) -> dict[str, Any]:
    """Write float.tflite into the folder; the reply has what was found out about the network's two ends."""
    with opened(request) as (converter, facts):
        (folder / "float.tflite").write_bytes(converted(converter))
    return facts


@contextmanager
def opened(request: dict[str, Any]) -> Iterator[tuple[Any, Facts]]:
    """Give a TFLiteConverter of the network that a request names, ending in probabilities, and the facts about it."""
    if request["kind"] == "saved_model":
        yield _saved_model_converter(request["path"])
        return
    model = read_network(request["path"]) if request["kind"] == "file" else zoo_network(request)
    with _keras_converter(model) as found:
        yield found


def export(model: Any) -> bytes:
    """Return a Keras model as a float .tflite. Raises Refused if it is no image classifier."""
    with _keras_converter(model) as (converter, _facts):
        return converted(converter)


@contextmanager
def _keras_converter(model: Any) -> Iterator[tuple[Any, Facts]]:
    import keras
    import tensorflow as tf

    shape = _picture_shape(model)

    def answer(x: Any) -> Any:
        told = model(x, training=False)
        return tf.nest.flatten(told)[0]  # the only one, but perhaps in a list or under a name

    call, facts = _seen(answer, shape)
    # The variables that the endpoint uses come along by themselves. To track() the model as well would have it walked,
    # written and loaded again in all its objects: nearly half of the time of a MobileNet, for the same bytes.
    archive = keras.export.ExportArchive()
    # A batch of exactly 1: with an open one, SHAPE, STRIDED_SLICE and PACK come in and break the delegation.
    archive.add_endpoint("serve", call, [tf.TensorSpec([1, *shape], tf.float32)])
    with tempfile.TemporaryDirectory(prefix="labelcam-") as folder:
        archive.write_out(folder, verbose=False)
        yield tf.lite.TFLiteConverter.from_saved_model(folder), {**facts, "norm": first_norm(model)}


def _picture_shape(model: Any) -> tuple[int, ...]:
    inputs, outputs = getattr(model, "inputs", None), getattr(model, "outputs", None)
    if not inputs or not outputs:
        raise Refused("it has no fixed input; save a functional or built model, or export it by model.export('folder')")
    for what, found in (("input", inputs), ("output", outputs)):
        if len(found) != 1:
            raise Refused(f"has {len(found)} {what}s; only an image classifier with one {what} can be converted")
    shape = tuple(inputs[0].shape)[1:]
    if len(shape) != 3 or None in shape:
        raise Refused(f"its input is {list(shape)} a picture, but a fixed [height, width, 3] is needed")
    return shape


def _saved_model_converter(folder: str) -> tuple[Any, Facts]:
    import tensorflow as tf
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    try:
        loaded = tf.saved_model.load(folder)
        serve = loaded.signatures["serving_default"]
    except Exception as error:  # a damaged folder makes TensorFlow raise nearly anything
        raise Refused(f"TensorFlow cannot load it ({first_line(error)}); export it again by model.export()") from error
    specs = serve.structured_input_signature[1]
    if len(specs) != 1 or len(serve.structured_outputs) != 1:
        raise Refused("has more than one input or output; only an image classifier with one of each can be converted")
    ((name, spec),) = specs.items()
    if spec.shape.rank != 4 or None in spec.shape[1:]:
        told = "of any shape" if spec.shape.rank is None else list(spec.shape[1:])
        raise Refused(f"its input is {told} a picture, but a fixed [height, width, 3] is needed")
    ((answer, _),) = serve.structured_outputs.items()

    def call(x: Any) -> Any:
        return serve(**{name: tf.cast(x, spec.dtype)})[answer]

    shape = tuple(spec.shape[1:])
    # Frozen, the functions that call functions lie open.
    ended, facts = _seen(call, shape, convert_variables_to_constants_v2)
    function = tf.function(ended, input_signature=[tf.TensorSpec([1, *shape], tf.float32)]).get_concrete_function()
    return tf.lite.TFLiteConverter.from_concrete_functions([function], loaded), {**facts, "norm": None}


def _seen(
    call: Callable[[Any], Any], shape: tuple[int, ...], prepared: Callable[[Any], Any] = lambda traced: traced
) -> tuple[Callable[[Any], Any], Facts]:
    """Return the function with an end that says probabilities, and what its graph tells."""
    try:
        traced = prepared(trace(call, shape))
    except Exception as error:  # layers raise what they like
        raise Refused(f"TensorFlow cannot compute it ({first_line(error)}); save it again by model.save()") from error
    ended, ending = finished(call, traced)
    return ended, {"scaled": scaled_range(traced), "ending": ending}


def converted(converter: Any) -> bytes:
    """Return what a TFLiteConverter makes. Raises Refused if it cannot."""
    try:
        return bytes(converter.convert())
    except Exception as error:  # the converter raises Exception itself
        raise Refused(f"TensorFlow cannot convert it ({first_line(error)})") from error
