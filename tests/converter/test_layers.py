# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The noise behind every layer, and what is said of a network that it breaks."""

from pathlib import Path

import numpy as np
import pytest

from labelcam.preprocess import Preprocess, Size
from labelcam_converter.fidelity import compare
from labelcam_converter.fidelity.advice import what_helps
from labelcam_converter.fidelity.layers import Layer, breaking, measure_layers
from labelcam_converter.pictures import Picture, prepare
from labelcam_converter.pictures.photographs import photographs


@pytest.fixture(scope="module")
def pictures() -> list[Picture]:
    """Plain colours with some noise, 32x32: each has one colour most."""
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 120, (60, 32, 32, 3)).astype(np.uint8)
    for number, each in enumerate(pixels):
        each[..., number % 3] += 100
    return [Picture(Path(f"{number}.png"), each, whole=True) for number, each in enumerate(pixels)]


@pytest.fixture(scope="module")
def swish(networks: Path) -> tuple[bytes, bytes]:
    """MobileNetV3's operations in float, and what TFLiteConverter's int8 makes of them."""
    return (networks / "swish.tflite").read_bytes(), (networks / "swish_int8.tflite").read_bytes()


def test_a_network_is_without_noise_against_itself(swish: tuple[bytes, bytes], pictures: list[Picture]) -> None:
    """No layer has any, and none breaks."""
    layers = measure_layers(swish[0], swish[0], pictures, Preprocess())
    assert {layer.sqnr_db for layer in layers} == {None}
    assert breaking(layers) == ()


def test_the_figure_is_the_documented_one() -> None:
    """What a script reads is named as design.md names it, and says null where there is no noise."""
    told = Layer("conv", "a/b", "CONV_2D", None, 40.0, 0.0).as_json()
    assert (told["name"], told["sqnr_db"]) == ("conv", None)


def test_hard_swish_collapses_and_the_layer_is_named(swish: tuple[bytes, bytes], pictures: list[Picture]) -> None:
    """One loud channel takes the steps of all: float is right on every image, int8 says the same label for all.

    The signal of the tensor is as strong as ever (40 dB and more): the median channel shows where it is lost.
    """
    classes = {picture.path: ("red", "green", "blue")[number % 3] for number, picture in enumerate(pictures)}
    found = compare(*swish, pictures, Preprocess(), ("red", "green", "blue"), held_out=True, classes=classes)
    assert found.accuracy is not None
    assert (found.accuracy.of_float.value, found.agreement) == (1.0, pytest.approx(1 / 3, abs=0.1))
    first, *_ = breaking(found.layers)
    assert (first.name, first.kind) == ("pick", "CONV_2D")
    assert (first.sqnr_db or 0) > 40
    help_ = "\n".join(what_helps(found, "int8", "normal", 30))
    for words in ("breaks down in pick", "minimalistic", "--effort max", "100 images", "int16x8"):
        assert words in help_


def test_nothing_to_say_of_a_good_network(shared_data: Path) -> None:
    """MLPerf Tiny's own int8 file keeps every layer above 12 dB, and needs no advice."""
    models = shared_data / "models"
    how = Preprocess(mean=0, std=255)
    seen, _ = prepare(photographs(), 0, 0, Size(96, 96), how, "reading")
    exact, coarse = ((models / f"vww_96_{name}.tflite").read_bytes() for name in ("float", "int8"))
    found = compare(exact, coarse, seen, how, ("0", "1"), held_out=True)
    assert len(found.layers) == 31
    assert min(layer.sqnr_db or 99 for layer in found.layers) > 12
    assert (breaking(found.layers), what_helps(found, "int8", None, None)) == ((), ())
