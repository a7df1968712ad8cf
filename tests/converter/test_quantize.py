# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Quantisation keeps the values that matter."""

from pathlib import Path

import numpy as np
import pytest

from labelcam.errors import LabelcamError
from labelcam.preprocess import InputCode, Preprocess, Size
from labelcam.runtime import Interpreter
from labelcam_converter import calibration, quantize
from labelcam_converter.flatbuffer import Graph
from labelcam_converter.pictures import Picture, choose, prepare

HOW = Preprocess()


@pytest.fixture(scope="module")
def pictures(colour_images: Path) -> list[Picture]:
    return prepare(choose(colour_images, 24, 0).calibration, 24, 0, Size(32, 32), HOW, "reading")[0]


def scores(model: bytes, picture: Picture) -> np.ndarray:
    interpreter = Interpreter(model)
    fed, told = interpreter.input, interpreter.output
    prepared = np.zeros(fed.shape, fed.dtype)
    InputCode(fed.dtype, fed.scale, fed.zero_point, HOW).encode(picture.pixels, prepared[0])
    interpreter.write(prepared)
    interpreter.invoke()
    raw = interpreter.read().reshape(-1).astype(float)
    return (raw - told.zero_point) * told.scale if told.scale else raw


@pytest.mark.parametrize("name", ["colours", "nested", "dead"])
def test_int8_answers_like_float(name: str, networks: Path, pictures: list[Picture]) -> None:
    """Every score stays within a few steps, also where a channel has nothing but a bias (`dead`)."""
    model = (networks / f"{name}.tflite").read_bytes()
    quantised = quantize.quantize(model, calibration.measure(model, pictures, HOW))
    for picture in pictures:
        assert scores(quantised, picture) == pytest.approx(scores(model, picture), abs=0.06)


def test_a_dead_channel_would_lose_its_bias(
    networks: Path, pictures: list[Picture], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without wider weight ranges the bias overflows; a result like that is refused, never written."""
    model = (networks / "dead.tflite").read_bytes()
    ranges = calibration.measure(model, pictures, HOW)
    monkeypatch.setattr(quantize, "_widened_weights", lambda *_: {})
    with pytest.raises(LabelcamError, match="lost the bias"):
        quantize.quantize(model, ranges)


def test_no_bias_escapes_the_comparison(networks: Path, pictures: list[Picture]) -> None:
    """A result whose biases are fewer, or others than the float network's, is refused, whatever they are called."""
    colours, dead, none = ((networks / f"{name}.tflite").read_bytes() for name in ("colours", "dead", "no_classifier"))
    quantised = Graph(quantize.quantize(colours, calibration.measure(colours, pictures, HOW)))
    quantize._check_biases(Graph(colours), quantised)
    for other in (Graph(dead), Graph(none)):
        with pytest.raises(LabelcamError, match="litert-quantizer lost"):
            quantize._check_biases(other, quantised)


def test_a_byte_of_the_camera_is_a_step_of_the_input(networks: Path, pictures: list[Picture]) -> None:
    """Whatever the calibration pictures held, black and white are the ends of the input's range."""
    model = (networks / "colours.tflite").read_bytes()
    dark = [Picture(pictures[0].path, pictures[0].pixels // 8, whole=True)]
    quantised = quantize.quantize(model, calibration.measure(model, dark, HOW))
    fed = Graph(quantised).inputs[0]
    assert (fed.dtype, fed.zero_points) == ("uint8", (127,))
    assert fed.scales[0] == pytest.approx(2 / 255)


def test_everything_is_computed_in_int8(networks: Path, pictures: list[Picture]) -> None:
    """No operation is left in float; two QUANTIZE at the ends are all that is added."""
    model = (networks / "colours.tflite").read_bytes()
    before = Graph(model).histogram()
    after = Graph(quantize.quantize(model, calibration.measure(model, pictures, HOW))).histogram()
    assert after.pop("QUANTIZE") == 2
    assert after == before
