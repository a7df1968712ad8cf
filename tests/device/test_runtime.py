# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0

import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from labelcam.classifier import Classifier
from labelcam.errors import ModelFileError
from labelcam.images import read_image
from labelcam.model_file import ModelFile
from labelcam.preprocess import Fit
from labelcam.runtime import Interpreter, runtime_name

NAMED = {
    "bird.bmp": "chickadee",
    "cat_720p.jpg": "Egyptian cat",
    "sunflower.bmp": "daisy",
    "dragonfly.bmp": "dragonfly",
    "parrot.jpg": "macaw",
    "grace_hopper.bmp": "military uniform",
    "kite_and_cold.jpg": "seashore",
}


def test_the_runtime_is_named_with_its_version() -> None:
    """Reports say which interpreter ran, because the version decides the speed."""
    package, version = runtime_name().split(" ")
    assert package in ("ai-edge-litert", "tflite-runtime")
    assert version[0].isdigit()


def test_xnnpack_takes_nearly_all_of_person(person_model: Path) -> None:
    """The real network's operations go to XNNPACK, all but the tail and the QUANTIZE around uint8."""
    found = Interpreter(person_model).delegation()
    assert found.delegate == "xnnpack"
    assert found.total - found.taken == sum(found.left.values()) <= 4
    assert found.taken >= 28
    assert set(found.left) <= {"AVERAGE_POOL_2D", "SOFTMAX", "QUANTIZE"}


def test_without_a_delegate_nothing_is_taken(person_model: Path) -> None:
    """delegate="none" is honest: 0 operations taken, all of them left, the same answer."""
    plain = Interpreter(person_model, delegate="none")
    found = plain.delegation()
    assert (found.delegate, found.taken) == ("none", 0)
    assert found.total == sum(found.left.values()) == Interpreter(person_model).delegation().total


def test_the_delegate_does_not_change_the_answer(person_model: Path) -> None:
    """XNNPACK and the built-in kernels agree within a few steps of the output's scale."""
    pixels = np.random.default_rng(5).integers(0, 256, (120, 160, 3), np.uint8)
    answers = []
    for delegate in ("xnnpack", "none"):
        classifier = Classifier(ModelFile.load(person_model), delegate=delegate)
        prepared = classifier.input_array()
        classifier.prepare(pixels, prepared)
        answers.append(classifier.scores(prepared))
    assert np.abs(answers[0] - answers[1]).max() <= 3 / 256


def test_the_quantised_network_is_told_from_the_float_one(toy: Callable[..., bytes], person_model: Path) -> None:
    """The warning about slow int8 must not appear for a float network."""
    assert Interpreter(person_model).quantised
    assert Interpreter(toy("int8")).quantised
    assert not Interpreter(toy("float32")).quantised


def test_two_threads_may_prepare_and_invoke_at_once(person_model: Path) -> None:
    """Preparing a frame on one thread never disturbs the invoke on another: invoke holds no view of the input."""
    classifier = Classifier(ModelFile.load(person_model))
    pixels = np.random.default_rng(5).integers(0, 256, (480, 640, 3), np.uint8)
    prepared = classifier.input_array()
    classifier.prepare(pixels, prepared)
    wanted = classifier.scores(prepared)
    stop = threading.Event()

    def prepare_on() -> None:
        mine = classifier.input_array()
        while not stop.is_set():
            classifier.prepare(pixels[::-1], mine)

    other = threading.Thread(target=prepare_on)
    other.start()
    try:
        assert all(np.array_equal(classifier.scores(prepared), wanted) for _ in range(200))
    finally:
        stop.set()
        other.join()


def test_bytes_that_are_no_network_are_refused_without_noise(capfd: pytest.CaptureFixture[str]) -> None:
    """The interpreter's own complaint on stderr becomes our one error."""
    with pytest.raises(ModelFileError, match="the model: "):
        Interpreter(b"\x1c\0\0\0TFL3" + bytes(100))
    assert capfd.readouterr().err == ""


def test_a_kept_tensor_can_be_read(toy: Callable[..., bytes]) -> None:
    """keep_tensors shows what every operation wrote, for the converter's comparison."""
    interpreter = Interpreter(toy("float32"), keep_tensors=True)
    interpreter.write(np.ones((1, 6, 8, 3), np.float32))
    interpreter.invoke()
    assert [values.tolist() for _, values in interpreter.tensors()] == [[[1.0, 1.0, 1.0]]]
    assert interpreter.delegation().delegate == "none"


def test_a_legacy_uint8_network_names_the_photographs(shared_data: Path) -> None:
    """Coral's quantisation-aware MobileNetV2 runs as a plain file, with the labels packed behind it."""
    model = ModelFile.load(shared_data / "models" / "mobilenet_v2_1.0_224_quant.tflite")
    assert model.manifest is None
    classifier = Classifier(model, fit=Fit.SQUEEZE)
    assert len(classifier.labels) == 1001
    for photo, label in NAMED.items():
        best = classifier.classify(read_image(shared_data / "photos" / photo), 1)[0]
        assert best.label.startswith(label), photo
    hot_dog = classifier.classify(read_image(shared_data / "photos" / "hot_dog.jpg"), 1)[0]
    assert hot_dog.label.startswith(("hotdog", "burrito"))


def test_an_mlperf_tiny_network_runs_as_a_plain_file(shared_data: Path) -> None:
    """An int8 file without a manifest takes the camera's bytes: it finds the person, and none with the cat."""
    classifier = Classifier(ModelFile.load(shared_data / "models" / "vww_96_int8.tflite"))
    portrait = read_image(shared_data / "photos" / "grace_hopper.bmp")
    cat = read_image(shared_data / "photos" / "cat_720p.jpg")
    assert [classifier.classify(picture, 1)[0].label for picture in (portrait, cat)] == ["1", "0"]
