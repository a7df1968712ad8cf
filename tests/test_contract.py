# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Host and device keep one contract: what the converter writes, the daemon and other people's tools read alike."""

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from mediapipe_venv import mediapipe_python

from absent import absent
from labelcam.classifier import Classifier
from labelcam.images import Pixels, image_files, read_image
from labelcam.model_file import ModelFile
from labelcam.preprocess import Fit, Preprocess, fit_image
from labelcam_converter.pictures.photographs import WITH_PERSON, photographs

RIGHT_ANSWERS = {
    "bird.bmp": ("chickadee",),
    "cat_720p.jpg": ("Egyptian cat", "tabby"),
    "dragonfly.bmp": ("dragonfly",),
    "grace_hopper.bmp": ("military uniform",),
    "hot_dog.jpg": ("hotdog", "burrito"),
    "kite_and_cold.jpg": ("seashore", "volleyball"),
    "parrot.jpg": ("macaw",),
    "sunflower.bmp": ("daisy",),
}

# What a program without a line of ours says about pixels that already have the network's size.
MEDIAPIPE = """
import json, sys
import mediapipe, numpy
from mediapipe.tasks.python import BaseOptions, vision
options = vision.ImageClassifierOptions(base_options=BaseOptions(model_asset_path=sys.argv[1]), max_results=1)
with vision.ImageClassifier.create_from_options(options) as classifier:
    for pixels in numpy.load(sys.argv[2]):
        image = mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=pixels)
        best = classifier.classify(image).classifications[0].categories[0]
        print(json.dumps([best.category_name, best.score]))
"""


@pytest.fixture(scope="session")
def mediapipe_says(
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[[Path, Sequence[Pixels]], list[tuple[str, float]]]:
    """Ask MediaPipe's ImageClassifier, in its own environment, for the best label of each picture."""
    python = mediapipe_python()
    if python is None:
        absent("mediapipe cannot be installed here: it needs the package index")

    def ask(model: Path, pictures: Sequence[Pixels]) -> list[tuple[str, float]]:
        frames = tmp_path_factory.mktemp("mediapipe") / "frames.npy"
        np.save(frames, np.stack(pictures))
        done = subprocess.run(
            [python, "-c", MEDIAPIPE, model, frames], capture_output=True, text=True, check=True, timeout=300
        )
        return [tuple(json.loads(line)) for line in done.stdout.splitlines()]

    return ask


@pytest.fixture(scope="session")
def imagenet_models(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The float ImageNet MobileNetV2 converted on the default images, with the default fit and squeezed."""
    folder = tmp_path_factory.mktemp("imagenet")
    models = {fit: folder / f"{fit}.tflite" for fit in ("crop", "squeeze")}
    for fit, path in models.items():
        source = ["--model", shared_data / "models/mobilenet_v2_1.0_224.keras"]
        labels = ["--labels", shared_data / "labels/imagenet_1000.txt"]
        command = [sys.executable, "-m", "labelcam_converter", "build", *source, *labels, "--fit", fit, "-o", path]
        subprocess.run(command, check=True, capture_output=True, timeout=600)
    return models


def answers(model: Path, photos: Sequence[Path]) -> dict[str, str]:
    """What `labelcam classify` says is on each photograph."""
    command = [sys.executable, "-m", "labelcam", "classify", "--json", model, *photos]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120)
    lines = map(json.loads, done.stdout.splitlines())
    return {Path(line["image"]).name: line["top"][0]["label"] for line in lines}


def squared(model: Path, photos: Sequence[Path]) -> tuple[Classifier, list[Pixels]]:
    """The classifier, and the photographs squeezed to its size."""
    classifier = Classifier(ModelFile.load(model))
    return classifier, [fit_image(read_image(path), classifier.size, Preprocess(fit=Fit.SQUEEZE)) for path in photos]


def test_the_zoos_person_names_the_ten_photographs(person_model: Path) -> None:
    """Freshly quantised, the network finds a person on two photographs and nobody on the other eight."""
    found = answers(person_model, photographs())
    assert found == {path.name: "person" if path.name in WITH_PERSON else "no person" for path in photographs()}


@pytest.mark.parametrize(("fit", "least"), [("crop", 7), ("squeeze", 8)])
def test_an_imagenet_network_names_real_photographs(
    imagenet_models: dict[str, Path], shared_data: Path, fit: str, least: int
) -> None:
    """int8 MobileNetV2 names at least seven of eight photographs cropped, and all of them squeezed."""
    found = answers(imagenet_models[fit], image_files(shared_data / "photos"))
    right = [name for name, label in found.items() if label.startswith(RIGHT_ANSWERS[name])]
    assert len(right) >= least, found


def test_xnnpack_takes_64_of_mobilenets_67_operations(imagenet_models: dict[str, Path]) -> None:
    """Only SOFTMAX and the QUANTIZE around uint8 stay with the built-in kernels."""
    delegation = Classifier(ModelFile.load(imagenet_models["crop"])).interpreter.delegation()
    assert (delegation.taken, delegation.total, delegation.left) == (64, 67, {"QUANTIZE": 2, "SOFTMAX": 1})


def test_the_manifest_decides_the_fit_unless_the_command_line_does(
    imagenet_models: dict[str, Path], shared_data: Path
) -> None:
    """A squeezed file and a cropped one told to squeeze see the same pixels, so the manifest is what differed."""
    photo = read_image(shared_data / "photos/kite_and_cold.jpg")
    squeezed = Classifier(ModelFile.load(imagenet_models["squeeze"]))
    told = Classifier(ModelFile.load(imagenet_models["crop"]), fit=Fit.SQUEEZE)
    first, second = squeezed.input_array(), told.input_array()
    squeezed.prepare(photo, first)
    told.prepare(photo, second)
    assert np.array_equal(first, second)


def test_mediapipe_reads_a_person_file_and_agrees(
    person_model: Path, mediapipe_says: Callable[[Path, Sequence[Pixels]], list[tuple[str, float]]]
) -> None:
    """Fed the same pixels, MediaPipe gives the same label from the same file, and the score within one step."""
    classifier, pictures = squared(person_model, photographs())
    ours = [classifier.classify(pixels, 1)[0] for pixels in pictures]
    theirs = mediapipe_says(person_model, pictures)
    assert [label.label for label in ours] == [label for label, _ in theirs]
    assert [label.score for label in ours] == pytest.approx([score for _, score in theirs], abs=0.005)


def test_mediapipe_reads_an_imagenet_file_and_agrees(
    imagenet_models: dict[str, Path],
    shared_data: Path,
    mediapipe_says: Callable[[Path, Sequence[Pixels]], list[tuple[str, float]]],
) -> None:
    """The same holds for a thousand labels."""
    classifier, pictures = squared(imagenet_models["squeeze"], image_files(shared_data / "photos"))
    ours = [classifier.classify(pixels, 1)[0].label for pixels in pictures]
    assert ours == [label for label, _ in mediapipe_says(imagenet_models["squeeze"], pictures)]
