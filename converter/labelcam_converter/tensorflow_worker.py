# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The only file that imports TensorFlow and Keras: builds or reads a network and writes it as a float .tflite.

It runs as a process of its own (`networks.py` starts it): TensorFlow's noise, its gigabyte of memory and its crashes
stay there, Ctrl-C ends it at once, and the names it invents do not depend on what was converted before.
"""

import functools
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")  # a conversion needs no GPU, and looking for one takes a second
os.environ["KERAS_BACKEND"] = "tensorflow"


class Refused(Exception):  # noqa: N818 - reads as what happened
    """The network cannot be converted, for a reason that a user can read."""


def main(request: Path, output: Path, refusal: Path) -> int:
    """Convert as the JSON in `request` says; a reason not to goes to `refusal`."""
    try:
        output.write_bytes(_convert(json.loads(request.read_text())))
    except Refused as error:
        refusal.write_text(str(error))
        return 1
    return 0


def _convert(request: dict[str, Any]) -> bytes:
    if request["kind"] == "saved_model":
        return _from_saved_model(request["path"])
    model = _from_file(request["path"]) if request["kind"] == "file" else _from_zoo(request)
    return _export(model)


def _from_file(path: str) -> Any:
    import keras

    class DepthwiseConv2D(keras.layers.DepthwiseConv2D):
        """Keras 2 wrote a `groups` that Keras 3 refuses; for a depthwise convolution it never meant anything."""

        def __init__(self, *args: Any, groups: int | None = None, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)

    try:
        return keras.models.load_model(path, custom_objects={"DepthwiseConv2D": DepthwiseConv2D}, compile=False)
    except Exception as error:  # noqa: BLE001 - h5py, zipfile and Keras raise nearly everything for a damaged file
        raise Refused(f"Keras cannot read it ({_first_line(error)}); save the whole model again by model.save()") from error


def _from_zoo(request: dict[str, Any]) -> Any:
    import keras

    keras.utils.set_random_seed(request["seed"])
    size, weights = request["size"], request["weights"]
    build = getattr(keras.applications, request["function"])
    try:
        return build(input_shape=(size, size, 3), alpha=request["alpha"], weights=weights)
    except Exception as error:
        if weights is None:
            raise
        raise Refused(f"{weights} does not fit {request['function']} ({_first_line(error)}); check --alpha") from error


def _export(model: Any) -> bytes:
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
        return _from_saved_model(folder)


def _from_saved_model(folder: str) -> bytes:
    import tensorflow as tf

    try:
        return bytes(tf.lite.TFLiteConverter.from_saved_model(folder).convert())
    except Exception as error:  # noqa: BLE001 - the converter raises Exception itself
        raise Refused(f"TensorFlow cannot convert it ({_first_line(error)})") from error


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:4])))
