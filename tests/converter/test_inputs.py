# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Every kind of network that a user has."""

import json
import os
from pathlib import Path

import pytest

from labelcam.classifier import Classifier
from labelcam.images import image_files, read_image
from labelcam.model_file import ModelFile

NO_TENSORFLOW = 'raise ImportError("TensorFlow must not be needed")'


def wrong_answers(model: Path, images: Path) -> list[str]:
    """Return the pictures whose name does not begin with what the model says."""
    classifier = Classifier(ModelFile.load(model))
    files = image_files(images)
    return [path.name for path in files if not path.name.startswith(classifier.classify(read_image(path), 1)[0].label)]


@pytest.mark.parametrize("name", ["colours.keras", "legacy.h5", "saved_model", "colours.tflite", "nested.keras"])
def test_it_is_converted(name: str, networks: Path, colour_images: Path, convert, tmp_path: Path) -> None:
    """A .keras, a Keras 2 .h5 with `groups`, a SavedModel, a float .tflite, a nested backbone: all know colours."""
    output = tmp_path / "work" / "out.tflite"
    labels = ("--labels", networks / "rgb.txt")
    done = convert("build", "--json", "--model", networks / name, *labels, "--images", colour_images, "-o", output)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["fidelity"]["top1_agreement"]["value"] == 1.0
    assert wrong_answers(output, colour_images) == []
    assert list(output.parent.iterdir()) == [output]


def test_scaling_inside_the_network_is_recognised(networks: Path, colour_images: Path, convert, tmp_path: Path) -> None:
    """A network that begins with a Rescaling, behind augmentation and before a nested backbone, is fed 0 to 255."""
    done = convert("build", "--model", networks / "nested.keras", "--images", colour_images, "-o", "out.tflite")
    assert "values from 0 to 255 (raw); if not, say so by --preprocess" in done.stderr
    manifest = ModelFile.load(tmp_path / "work" / "out.tflite").manifest
    assert manifest is not None
    assert (manifest.preprocess.mean, manifest.preprocess.std) == (0.0, 1.0)


def test_a_float_tflite_needs_no_tensorflow(networks: Path, colour_images: Path, convert, tmp_path: Path) -> None:
    """Once a network is a float .tflite, neither TensorFlow nor Keras is imported."""
    for package in ("tensorflow", "keras"):
        (tmp_path / "broken" / package).mkdir(parents=True)
        (tmp_path / "broken" / package / "__init__.py").write_text(NO_TENSORFLOW)
    path = os.pathsep.join([str(tmp_path / "broken"), os.environ.get("PYTHONPATH", "")])
    done = convert("build", "--model", networks / "colours.tflite", "--images", colour_images, PYTHONPATH=path)
    assert done.returncode == 0, done.stderr
    manifest = ModelFile.load(tmp_path / "work" / "colours_int8.tflite").manifest
    assert manifest is not None
    assert "keras" not in manifest.tools


@pytest.mark.parametrize(("scaling", "mean", "std"), [("unit", 0.0, 255.0), ("127,128", 127.0, 128.0)])
def test_the_scaling_can_be_given(
    scaling: str, mean: float, std: float, networks: Path, colour_images: Path, convert, tmp_path: Path
) -> None:
    """--preprocess ends up in the manifest, and in the input's scale and zero point: bytes stay bytes."""
    done = convert("build", "--model", networks / "colours.tflite", "--preprocess", scaling, "--images", colour_images)
    assert done.returncode == 0, done.stderr
    model = ModelFile.load(tmp_path / "work" / "colours_int8.tflite")
    assert (model.preprocess.mean, model.preprocess.std) == (mean, std)
    fed = Classifier(model).interpreter.input
    assert fed.scale == pytest.approx(1 / std)
    assert fed.zero_point == round(mean)


@pytest.mark.parametrize(("name", "warned"), [("colours.tflite", False), ("logits.tflite", True)])
def test_a_network_without_a_softmax(name: str, warned: bool, networks: Path, colour_images: Path, convert) -> None:
    """Scores that are no probabilities are warned of, because thresholds are set on probabilities."""
    done = convert("build", "--json", "--model", networks / name, "--images", colour_images)
    assert (done.returncode, "raw logits" in done.stderr) == (0, warned), done.stderr
    assert json.loads(done.stdout)["fidelity"]["top1_agreement"]["value"] == 1.0


def test_without_labels_answers_are_numbered(networks: Path, colour_images: Path, convert, tmp_path: Path) -> None:
    """A network whose labels nobody gave still converts, and the build says how to name them."""
    done = convert("build", "--model", networks / "colours.tflite", "--images", colour_images)
    assert "--labels FILE" in done.stderr
    assert ModelFile.load(tmp_path / "work" / "colours_int8.tflite").labels == ("0", "1", "2")


def test_random_weights_make_any_network(convert, tmp_path: Path) -> None:
    """--weights none builds a network of any width and size, for measuring speed."""
    arguments = ("--alpha", 0.2, "--size", 64, "--weights", "none", "--samples", 10)
    done = convert("build", "--model", "mobilenet_v1", *arguments)
    assert done.returncode == 0, done.stderr
    model = ModelFile.load(tmp_path / "work" / "mobilenet_v1_0.2_64_int8.tflite")
    assert len(model.labels or ()) == 1000
    assert model.manifest is not None
    assert model.manifest.weights.source == "random, seed 0"


def test_the_reference_of_mlperf_tiny(shared_data: Path, convert, tmp_path: Path) -> None:
    """A real legacy .h5 and its float .tflite give networks that answer alike."""
    (tmp_path / "work" / "vww.txt").write_text("no person\nperson\n")
    images = shared_data / "photos"
    for name in ("vww_96.h5", "vww_96_float.tflite"):
        arguments = ("--preprocess", "unit", "--labels", "vww.txt", "--images", images, "-o", f"{name}.tflite")
        done = convert("build", "--model", shared_data / "models" / name, *arguments)
        assert done.returncode == 0, done.stderr
    one, other = (
        Classifier(ModelFile.load(tmp_path / "work" / f"{name}.tflite"))
        for name in ("vww_96.h5", "vww_96_float.tflite")
    )
    for path in image_files(images):
        pixels = read_image(path)
        assert one.classify(pixels, 1)[0].score == pytest.approx(other.classify(pixels, 1)[0].score, abs=0.1)
