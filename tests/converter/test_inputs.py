# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Every kind of network that a user has."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from labelcam.classifier import Classifier
from labelcam.images import image_files, read_image
from labelcam.model_file import ModelFile
from labelcam.runtime import Interpreter
from labelcam_converter.flatbuffer import Graph
from labelcam_converter.networks import endings, open_file, to_float_tflite


def red_of(images: Path) -> Path:
    return images / "red_0.png"


def answer(model: bytes, picture: NDArray[np.float32]) -> NDArray[np.float32]:
    interpreter = Interpreter(model)
    interpreter.write(picture)
    interpreter.invoke()
    return interpreter.read().reshape(-1).astype(np.float32)


NO_TENSORFLOW = 'raise ImportError("TensorFlow must not be needed")'


def wrong_answers(model: Path, images: Path) -> list[str]:
    """Return the pictures whose name does not begin with what the model says."""
    classifier = Classifier(ModelFile.load(model))
    files = image_files(images)
    return [path.name for path in files if not path.name.startswith(classifier.classify(read_image(path), 1)[0].label)]


@pytest.mark.parametrize(
    "name", ["colours.keras", "legacy.h5", "keras2.h5", "saved_model", "colours.tflite", "nested.keras"]
)
def test_it_is_converted(name: str, networks: Path, colour_images: Path, convert, tmp_path: Path) -> None:
    """A .keras, a Keras 2 .h5 with `groups` or with functions for layers, a SavedModel, a .tflite: all know colours."""
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


@pytest.mark.parametrize("name", ["logits.tflite", "logits.keras"])
def test_a_network_without_a_softmax(name: str, networks: Path, colour_images: Path, convert, tmp_path: Path) -> None:
    """Behind logits a softmax is put, and said so: thresholds are set on probabilities. The open batch is closed."""
    labels = ("--labels", networks / "rgb.txt")
    done = convert("build", "--model", networks / name, *labels, "--images", colour_images, "-o", "out.tflite")
    assert (done.returncode, done.stderr.count("a softmax was put behind them")) == (0, 1), done.stderr
    output = tmp_path / "work" / "out.tflite"
    assert wrong_answers(output, colour_images) == []
    scores = [label.score for label in Classifier(ModelFile.load(output)).classify(read_image(red_of(colour_images)))]
    assert sum(scores) == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize("name", ["binary.tflite", "binary.keras", "binary_logit.tflite"])
def test_one_score_becomes_two(name: str, networks: Path, colour_images: Path, convert, tmp_path: Path) -> None:
    """What a tutorial's cats and dogs end in, one sigmoid or its logit, becomes a score for no and one for yes."""
    (tmp_path / "work" / "labels.txt").write_text("other\nred\n")
    arguments = ("--labels", "labels.txt", "--images", colour_images, "-o", "out.tflite")
    done = convert("build", "--model", networks / name, *arguments)
    assert (done.returncode, "it was made two" in done.stderr) == (0, True), done.stderr
    classifier = Classifier(ModelFile.load(tmp_path / "work" / "out.tflite"))
    for path in image_files(colour_images):
        best, second = classifier.classify(read_image(path))
        assert best.label == ("red" if path.name.startswith("red") else "other")
        assert best.score + second.score == pytest.approx(1, abs=0.02)


def test_the_ending_of_a_flatbuffer_is_exact(networks: Path) -> None:
    """What is appended to a float .tflite computes what TensorFlow would have, to the last digits of a float."""
    picture = np.random.default_rng(0).uniform(-1, 1, (1, 32, 32, 3)).astype(np.float32)
    for name, ending in (("logits", "softmax"), ("binary", "two"), ("binary_logit", "sigmoid")):
        data = (networks / f"{name}.tflite").read_bytes()
        longer, found = endings.finished(data)
        before, after = (answer(each, picture) for each in (data, longer))
        powers = np.exp(before - before.max())
        p = 1 / (1 + np.exp(-before)) if name == "binary_logit" else before
        wanted = powers / powers.sum() if name == "logits" else np.concatenate([1 - p, p])
        assert found == ending
        assert after == pytest.approx(wanted, abs=1e-6)
        assert endings.finished(longer)[1] is None


def test_scores_that_are_independent_stay_so(networks: Path) -> None:
    """A sigmoid for each label is no logit: nothing is appended, and a word is said."""
    data = (networks / "independent.tflite").read_bytes()
    assert endings.finished(data) == (data, "independent")


def test_an_open_batch_is_closed(networks: Path) -> None:
    """The shapes that a .tflite computes from its batch are constants after opening it, and its answers the same."""
    path = networks / "binary_logit.tflite"
    assert "SHAPE" in Graph(path.read_bytes()).histogram()
    network = to_float_tflite(open_file(path), verbose=False)
    assert not {"SHAPE", "STRIDED_SLICE", "PACK"} & set(Graph(network.data).histogram())
    picture = np.random.default_rng(0).uniform(-1, 1, (1, 32, 32, 3)).astype(np.float32)
    p = 1 / (1 + np.exp(-answer(path.read_bytes(), picture)[0]))
    assert answer(network.data, picture) == pytest.approx([1 - p, p], abs=1e-6)


def test_without_labels_answers_are_numbered(networks: Path, colour_images: Path, convert, tmp_path: Path) -> None:
    """A network whose labels nobody gave still converts, and the build says how to name them."""
    done = convert("build", "--model", networks / "colours.tflite", "--images", colour_images)
    assert "--labels FILE" in done.stderr
    assert ModelFile.load(tmp_path / "work" / "colours_int8.tflite").labels == ("0", "1", "2")


def test_random_weights_make_any_network(convert, tmp_path: Path) -> None:
    """--weights none builds a network of any width and size, for measuring speed."""
    arguments = ("--alpha", 0.2, "--size", 64, "--weights", "none", "--samples", 10)
    quickly = ("--effort", "fast", "--ranges", "minmax")
    done = convert("build", "--model", "mobilenet_v1", *arguments, *quickly)
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
