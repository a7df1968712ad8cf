# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Scaling twice, or not at all, is noticed on real networks; the right scaling is never doubted."""

from pathlib import Path

import numpy as np
import pytest

from labelcam.images import image_files
from labelcam.preprocess import Preprocess, Size
from labelcam_converter import networks as float_networks
from labelcam_converter import pictures, scaling
from labelcam_converter.flatbuffer import Graph
from labelcam_converter.networks import FloatNetwork
from labelcam_converter.networks.first_layer import FirstNorm, doubt
from labelcam_converter.pictures import Picture
from labelcam_converter.pictures.photographs import photographs


def seen(network: FloatNetwork, files: tuple[Path, ...]) -> list[Picture]:
    shape = Graph(network.data).inputs[0].shape
    return pictures.prepare(files, 0, 0, Size(shape[2], shape[1]), Preprocess(), "")[0]


def remedy(network: FloatNetwork, files: tuple[Path, ...], fed: str, norm: FirstNorm | None) -> str | None:
    """Return what `--preprocess` would have to be, or None."""
    warning = doubt(network.data, seen(network, files), scaling.parse(fed), norm)
    return warning.partition("--preprocess ")[2] if warning else None


@pytest.mark.parametrize(
    ("fed", "by_norm", "without"),
    [("127,128", None, None), ("tf", None, None), ("unit", "tf", None), ("raw", "tf", "tf or unit")],
)
def test_efficientnet_fed_wrongly(fed: str, by_norm: str | None, without: str | None, lite: FloatNetwork) -> None:
    """Its batch norm tells even 0 to 1 from -1 to 1; without it, a hundredfold error is still seen."""
    files = tuple(photographs())
    assert (remedy(lite, files, fed, lite.norm), remedy(lite, files, fed, None)) == (by_norm, without)


@pytest.mark.parametrize(("fed", "wanted"), [("tf", None), ("unit", None), ("raw", "tf or unit")])
def test_a_network_without_batch_norms(fed: str, wanted: str | None, shared_data: Path) -> None:
    """A float .tflite says nothing of its training; far too large values are told by its answers."""
    network = float_networks.to_float_tflite(
        float_networks.open_file(shared_data / "models" / "vww_96_float.tflite"), verbose=False
    )
    for files in (tuple(photographs()), tuple(image_files(shared_data / "photos"))):
        assert remedy(network, files, fed, network.norm) == wanted


@pytest.mark.parametrize(
    ("name", "fed"), [("colours", "tf"), ("colours", "unit"), ("colours", "127,128"), ("nested", "raw")]
)
def test_tiny_networks_are_not_doubted(name: str, fed: str, networks: Path, colour_images: Path) -> None:
    """A toy says nothing of its training and is fed what its owner says; scaling inside it counts."""
    network = float_networks.to_float_tflite(float_networks.open_file(networks / f"{name}.tflite"), verbose=False)
    assert remedy(network, tuple(image_files(colour_images)), fed, network.norm) is None


def test_scaling_twice(networks: Path, colour_images: Path) -> None:
    """A network whose scaling the converter has folded away, fed scaled values all the same, is told to want bytes."""
    network = float_networks.to_float_tflite(float_networks.open_file(networks / "nested.tflite"), verbose=False)
    files = tuple(image_files(colour_images))
    assert remedy(network, files, "tf", None) == "raw"


def test_dark_pictures_are_no_wrong_scaling(lite: FloatNetwork) -> None:
    """Pictures at a third of their brightness do not look like training either, but no other scaling would help."""
    dark = [Picture(each.path, each.pixels // 3, whole=True) for each in seen(lite, tuple(photographs()))]
    assert doubt(lite.data, dark, scaling.parse("127,128"), lite.norm) is None


def test_one_picture_is_enough_for_a_batch_norm(lite: FloatNetwork) -> None:
    """What a single picture looks like behind the first layer says enough."""
    one = seen(lite, tuple(photographs()))[:1]
    assert doubt(lite.data, one, scaling.parse("raw"), lite.norm) is not None
    assert doubt(lite.data, one, scaling.parse("127,128"), lite.norm) is None


def test_no_pictures(lite: FloatNetwork) -> None:
    """Without whole pictures there is nothing to say."""
    assert doubt(lite.data, [], scaling.parse("raw"), lite.norm) is None


@pytest.mark.parametrize(
    ("black", "white", "wanted"),
    [
        (-1.0, 1.0, "raw"),
        (0.0, 1.0, "raw"),
        (-2.0, 2.4, "raw"),
        (-123.0, 132.0, "raw"),
        (-1.0, 509.0, "unit"),
        (-2.1, 1111.0, "unit"),
        (0.5, 128.0, "tf"),
        (0.0, 510.0, "tf"),
    ],
)
def test_what_a_network_must_be_fed_that_scales_itself(black: float, white: float, wanted: str) -> None:
    """Nearly always bytes; after a Rescaling(2, offset=-1) or a Normalization of 0 to 1, that."""
    assert scaling.expected(black, white) == scaling.parse(wanted)
    assert np.isfinite(scaling.expected(black, white).std)
