# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""A real float MobileNetV2, real photographs with their right answers, and MediaPipe's opinion of the result."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from labelcam.classifier import Classifier
from labelcam.images import image_files, read_image, write_png
from labelcam.model_file import ModelFile
from labelcam.preprocess import Fit

RIGHT = {
    "bird": ("chickadee",),
    "cat_720p": ("Egyptian cat",),
    "sunflower": ("daisy",),
    "dragonfly": ("dragonfly",),
    "hot_dog": ("hotdog", "burrito"),
    "parrot": ("macaw",),
    "grace_hopper": ("military uniform",),
    "kite_and_cold": ("seashore",),
}

REPOSITORY = Path(__file__).parents[2]

ASK_MEDIAPIPE = """
import json, sys
import cv2, mediapipe, numpy
from mediapipe.tasks.python import BaseOptions, vision
options = vision.ImageClassifierOptions(base_options=BaseOptions(model_asset_path=sys.argv[1]), max_results=1)
classifier = vision.ImageClassifier.create_from_options(options)
for path in sys.argv[2:]:
    pixels = numpy.ascontiguousarray(cv2.imread(path)[..., ::-1])
    answer = classifier.classify(mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=pixels))
    best = answer.classifications[0].categories[0]
    print(json.dumps([best.category_name, best.score]))
"""


@pytest.fixture(scope="module", params=["the ten photographs", "the photographs themselves"])
def model(request: pytest.FixtureRequest, shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> ModelFile:
    """MobileNetV2, calibrated by default and on images of one's own."""
    output = tmp_path_factory.mktemp("v2") / "v2.tflite"
    command = [sys.executable, "-m", "labelcam_converter", "build", "-o", output]
    command += ["--model", shared_data / "models" / "mobilenet_v2_1.0_224.keras"]
    command += ["--labels", shared_data / "labels" / "imagenet_1000.txt"]
    command += ["--images", shared_data / "photos"] if "themselves" in request.param else []
    subprocess.run(list(map(str, command)), check=True, capture_output=True)
    return ModelFile.load(output)


@pytest.mark.parametrize(("fit", "least"), [(None, 7), (Fit.SQUEEZE, 8)])
def test_it_names_the_photographs(model: ModelFile, fit: Fit | None, least: int, shared_data: Path) -> None:
    """At least 7 of 8 with the default fit, where one loses what matters at its sides, and all 8 squeezed."""
    classifier = Classifier(model, fit=fit)
    files = image_files(shared_data / "photos")
    answers = {path.stem: classifier.classify(read_image(path), 1)[0].label for path in files}
    right = [name for name, answer in answers.items() if answer.startswith(RIGHT[name])]
    assert len(right) >= least, answers


def test_xnnpack_takes_64_of_67(model: ModelFile) -> None:
    """All but SOFTMAX and the QUANTIZE around uint8."""
    delegation = Classifier(model).interpreter.delegation()
    assert (delegation.taken, delegation.total, dict(delegation.left)) == (64, 67, {"QUANTIZE": 2, "SOFTMAX": 1})


@pytest.fixture(scope="module")
def mediapipe_python() -> str:
    """A Python that has MediaPipe, in the virtual environment that `make bench` uses too."""
    code = (
        "import sys; sys.path.insert(0, 'tests/bench'); import mediapipe_venv; print(mediapipe_venv.mediapipe_python())"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    python = done.stdout.strip().splitlines()[-1:] or ["None"]
    if python == ["None"]:
        reason = f"MediaPipe cannot be installed here: {done.stderr.strip()[-300:]}"
        if os.environ.get("LABELCAM_REQUIRE_ALL"):
            pytest.fail(reason)
        pytest.skip(reason)
    return str(REPOSITORY / python[0])


def check_against_mediapipe(path: Path, images: list[Path], python: str, folder: Path) -> None:
    classifier = Classifier(ModelFile.load(path))
    squares, ours = [], []
    for image in images:
        prepared = classifier.input_array()
        classifier.prepare(read_image(image), prepared)
        squares.append(str(folder / f"{image.stem}.png"))
        write_png(Path(squares[-1]), prepared[0])  # type: ignore[arg-type]
        best = classifier.top(classifier.scores(prepared), 1)[0]
        ours.append((best.label, best.score))
    command = [python, "-c", ASK_MEDIAPIPE, str(path), *squares]
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=env)
    assert done.returncode == 0, done.stderr[-1000:]
    theirs = [json.loads(line) for line in done.stdout.splitlines()]
    assert [label for label, _ in ours] == [label for label, _ in theirs]
    assert [score for _, score in ours] == pytest.approx([score for _, score in theirs], abs=0.01)


def test_mediapipe_agrees_on_mobilenet_v2(
    model: ModelFile, mediapipe_python: str, shared_data: Path, tmp_path: Path
) -> None:
    """MediaPipe's ImageClassifier loads the file as it is and gives the same top label on model-size pixels."""
    check_against_mediapipe(model.path, image_files(shared_data / "photos"), mediapipe_python, tmp_path)


def test_mediapipe_agrees_on_person(person_model: Path, mediapipe_python: str, tmp_path: Path) -> None:
    """The same for the zoo's `person`, on the ten photographs."""
    from labelcam_converter.photographs import photographs

    check_against_mediapipe(person_model, photographs(), mediapipe_python, tmp_path)
