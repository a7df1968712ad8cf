# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""A trained network without its last layer: from a picture to the features that a new last layer decides by."""

import functools
from dataclasses import dataclass
from typing import Any

from ..scaling import expected, parse
from .keras_files import flat, read_network, zoo_network
from .refusal import Refused
from .tracing import scaled_range, trace


@dataclass(frozen=True, slots=True)
class Backbone:
    """The network that is kept."""

    features: Any
    """A Keras model from pictures, as it was fed before, to n numbers each."""

    width: int
    height: int
    """Of the pictures, in pixels."""

    mean: float
    std: float
    """It was fed (pixel - mean) / std."""


def open_backbone(request: dict[str, Any]) -> Backbone:
    """Return the network that a request names, without its last layer that has weights and all that follows.

    The request is that of `export`, with `scaling`: mean and std, or None where the network itself or, where it does
    not, the convention of MobileNets is to tell. Raises Refused if it is no picture classifier.
    """
    model = zoo_network(request) if request["kind"] == "zoo" else read_network(request["path"])
    shape = _picture_shape(model)
    ends = scaled_range(trace(functools.partial(model.__call__, training=False), shape))
    how = expected(*ends) if ends else parse("tf")
    mean, std = request["scaling"] or (how.mean, how.std)
    if ends is None and (mean, std) == (0.0, 1.0):
        mean, std = 0.0, _in_unit_range(model)
    return Backbone(_headless(model), shape[1], shape[0], mean, std)


def _in_unit_range(model: Any) -> float:
    """Have a network that takes bytes as they come take 0 to 1, and return by what they are to be divided.

    That a network takes bytes can be seen by its scaling them, and only by that: `build` would not know it otherwise.
    """
    first = next((layer for layer in flat(model) if layer.weights), None)
    if first is None or not hasattr(first, "kernel"):
        return 1.0
    first.kernel.assign(first.kernel * 255)
    return 255.0


def _picture_shape(model: Any) -> tuple[int, int, int]:
    inputs = getattr(model, "inputs", None) or []
    shape = tuple(inputs[0].shape)[1:] if len(inputs) == 1 else ()
    if len(shape) != 3 or shape[-1] != 3 or None in shape:
        raise Refused("it does not take one RGB picture of a fixed size; only an image classifier can be trained on")
    return int(shape[0]), int(shape[1]), 3


def _headless(model: Any) -> Any:
    import keras

    last = next((layer for layer in reversed(model.layers) if layer.weights), None)
    if last is None or hasattr(last, "layers") or len(last.output.shape) not in (2, 4):
        raise Refused("its last layer with weights is no dense layer or convolution that could be replaced")
    seen = last.input
    if len(seen.shape) == 4:
        # MobileNetV1 and V3 end in a convolution over the one pixel that pooling left; a mean leaves that as it is.
        seen = keras.layers.GlobalAveragePooling2D(name="labelcam_pool")(seen)
    features = keras.Model(model.inputs, seen, name="backbone")
    if not features.weights:
        raise Refused("it has no layer with weights but the last; there is nothing to build on")
    return features
