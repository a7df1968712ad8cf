# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Quantises a network by TensorFlow's own TFLiteConverter, which Google's Edge TPU compiler is proven with."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from .export import converted, opened
from .reporting import Reporter

SAMPLES = "samples.npy"
"""What the ranges are taken from: images x height x width x 3, float32, as the float network is fed."""

RESULT = "int8.tflite"


def run(request: dict[str, Any], folder: Path, reporter: Reporter) -> dict[str, Any]:
    """Write int8.tflite into the folder; `samples.npy` lies there.

    The request has what `export` takes, and `scheme` int8 or int16x8, `io` (the type of input and output: uint8, int8
    or float32) and `per_channel_dense`: False gives dense layers one scale for all their outputs.
    """
    import tensorflow as tf

    with opened(request) as (converter, known_to_scale):
        wide = request["scheme"] == "int16x8"
        sets = tf.lite.OpsSet
        narrow = sets.TFLITE_BUILTINS_INT8
        both = sets.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.target_spec.supported_ops = [both if wide else narrow]
        converter.representative_dataset = lambda: _fed(np.load(folder / SAMPLES, mmap_mode="r"), reporter)
        converter.inference_input_type = converter.inference_output_type = getattr(tf, request["io"])
        converter._experimental_disable_per_channel_quantization_for_dense_layers = not request["per_channel_dense"]
        (folder / RESULT).write_bytes(converted(converter))
    return {"scales_itself": known_to_scale}


def _fed(samples: Any, reporter: Reporter) -> Iterator[list[Any]]:
    reporter.begin("calibrating with TensorFlow", len(samples))
    for sample in samples:
        yield [np.asarray(sample)[None]]
        reporter.advance()
