# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""EfficientNet-Lite0 answers as the network that Google trained."""

import numpy as np
import pytest
from numpy.typing import NDArray

from labelcam.images import read_image
from labelcam.preprocess import Fit, Preprocess, Size, fit_image
from labelcam.runtime import Interpreter
from labelcam_converter.flatbuffer import Graph
from labelcam_converter.labels import imagenet_labels
from labelcam_converter.networks import FloatNetwork
from labelcam_converter.pictures.photographs import photographs
from labelcam_converter.zoo import find

LITE = find("efficientnet_lite0")


def scores(network: FloatNetwork, name: str, fit: Fit) -> NDArray[np.float64]:
    path = next(path for path in photographs() if path.name == name)
    how = Preprocess(fit=fit, mean=LITE.preprocess.mean, std=LITE.preprocess.std)
    interpreter = Interpreter(network.data)
    interpreter.write(how.normalise(fit_image(read_image(path), Size(224, 224), how))[None])
    interpreter.invoke()
    return interpreter.read().reshape(-1).astype(np.float64)


@pytest.mark.parametrize(
    ("name", "label", "score"),
    [("coffee.png", "espresso", 0.90), ("camera.png", "tripod", 0.95), ("chelsea.png", "Egyptian cat", 0.77)],
)
def test_it_answers_like_the_original(name: str, label: str, score: float, lite: FloatNetwork) -> None:
    """The whole picture squeezed, as the original was tried: the same label, and its score to 0.015."""
    told = scores(lite, name, Fit.SQUEEZE)
    assert imagenet_labels()[int(told.argmax())] == label
    assert told.max() == pytest.approx(score, abs=0.015)
    assert told.sum() == pytest.approx(1, abs=1e-3)


def test_it_is_made_of_what_the_edge_tpu_knows(lite: FloatNetwork) -> None:
    """No squeeze-and-excitation and no swish; TensorFlow's padding, so that no PAD stands before a convolution."""
    kinds = set(Graph(lite.data).histogram())
    assert kinds == {"CONV_2D", "DEPTHWISE_CONV_2D", "ADD", "MEAN", "FULLY_CONNECTED", "SOFTMAX"}


def test_its_file_tells_what_it_saw(lite: FloatNetwork) -> None:
    """The batch norm behind its stem comes along, so that a wrong scaling can be told."""
    assert lite.norm is not None
    assert len(lite.norm.gamma) == len(lite.norm.beta) == 32
