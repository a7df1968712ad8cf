# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""`labelcam-convert compare`: the fidelity of any two networks, by the real command."""

import hashlib
import json
import shutil
from pathlib import Path

import pytest

from labelcam.model_file import LABELS, MANIFEST, TWIN, Manifest, ModelFile, Origin, manifest_to_json
from labelcam.preprocess import Fit, Preprocess, Size
from labelcam_converter.flatbuffer import Graph
from labelcam_converter.model_writer import pack

NO_TENSORFLOW = (
    "import sys, importlib.util\n"
    "find = importlib.util.find_spec\n"
    "importlib.util.find_spec = lambda name, *rest: None if name == 'tensorflow' else find(name, *rest)\n"
)


@pytest.fixture(scope="module")
def by_colour(colour_images: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The plain pictures in one folder a colour, as people name folders."""
    folder = tmp_path_factory.mktemp("by_colour")
    for path in colour_images.iterdir():
        name = {"red": "Red", "green": "01_green", "blue": "BLUE"}[path.stem.partition("_")[0]]
        (folder / name).mkdir(exist_ok=True)
        shutil.copy(path, folder / name)
    return folder


@pytest.fixture(scope="module")
def swish_int8(networks: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """TFLiteConverter's int8 file, its labels beside it."""
    folder = tmp_path_factory.mktemp("swish")
    shutil.copy(networks / "swish_int8.tflite", folder)
    shutil.copy(networks / "rgb.txt", folder / "swish_int8.txt")
    return folder / "swish_int8.tflite"


def test_the_collapse_is_caught(networks: Path, swish_int8: Path, by_colour: Path, convert, tmp_path: Path) -> None:
    """Exit code 3 only where a limit is given; the figures, the layer and the remedies are told either way."""
    (tmp_path / "sitecustomize.py").write_text(NO_TENSORFLOW)
    arguments = ("compare", networks / "swish.tflite", swish_int8, "--images", by_colour)
    done = convert(*arguments, "--json", PYTHONPATH=str(tmp_path))
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert (answer["images"], answer["held_out"], answer["top5_agreement"], answer["passed"]) == (24, None, None, None)
    assert answer["top1_agreement"]["value"] == pytest.approx(1 / 3, abs=0.01)
    assert (answer["accuracy"]["float"]["value"], answer["accuracy"]["int8"]["value"]) == (1.0, 0.3333)
    assert {"name", "sqnr_db"} <= set(answer["layers"][0])
    assert {"image", "float", "int8"} <= set(answer["worst"][0])
    assert answer["preprocess"] == {"fit": "crop", "mean": 127.5, "std": 127.5}  # read off the input's scale
    failed = convert(*arguments, "--min-agreement", 0.9)
    assert (failed.returncode, "agrees on 33.3% of 24 images" in failed.stderr) == (3, True)
    for words in ("same best label", "the noisiest layers", "the worst images", "breaks down in pick", "minimalistic"):
        assert words in failed.stdout


def test_a_model_file_of_ours_says_how_it_is_fed(networks: Path, by_colour: Path, convert) -> None:
    """Labels, scaling and fit come out of the file; 20 images are compared where 20 are asked for."""
    source = networks / "colours.tflite"
    made = ("build", "--model", source, "--images", by_colour, "--labels", networks / "rgb.txt", "--fit", "squeeze")
    assert convert(*made, "-o", "ours.tflite").returncode == 0
    compared = ("compare", source, "ours.tflite", "--images", by_colour, "--samples", 20, "--min-agreement", 0.9)
    done = convert(*compared, "--json")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert (answer["images"], answer["preprocess"]["fit"], answer["passed"]) == (20, "squeeze", True)
    assert (answer["accuracy"]["images"], answer["accuracy"]["float"]["value"]) == (20, 1.0)
    assert "full-integer int8" in answer["scheme"]


def test_a_keras_network_is_compared_as_well(networks: Path, swish_int8: Path, by_colour: Path, convert) -> None:
    """FLOAT may be what build takes; it is converted on the way."""
    done = convert("compare", networks / "swish.keras", swish_int8, "--images", by_colour, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["accuracy"]["float"]["value"] == 1.0


def test_legacy_files_are_compared(shared_data: Path, convert) -> None:
    """A quantised network may be the one to be like, and a file without any manifest says how it is fed."""
    models = shared_data / "models"
    legacy = models / "mobilenet_v1_0.25_128_quant.tflite"
    same = convert("compare", legacy, legacy, "--images", shared_data / "photos", "--json")
    answer = json.loads(same.stdout)
    assert (answer["images"], answer["top1_agreement"]["value"], answer["kl"]) == (8, 1.0, 0.0)
    assert (answer["accuracy"], answer["worst"]) == (None, [])
    tiny = convert(
        "compare", models / "vww_96_float.tflite", models / "vww_96_int8.tflite", "--images", shared_data / "photos"
    )
    assert "values from 0 to 1 (unit)" in tiny.stdout


@pytest.mark.parametrize(
    ("first", "second", "code", "reason"),
    [
        ("colours.tflite", "no_classifier.tflite", 78, "but one score per label"),
        ("colours.tflite", "colours.keras", 2, "the second network is a .tflite file"),
        ("wrong_rank.tflite", "colours.tflite", 78, "takes [1, 10]"),
        ("missing.tflite", "colours.tflite", 78, "no such file"),
        ("colours.tflite", "missing.tflite", 78, "cannot be read"),
    ],
)
def test_what_cannot_be_compared(
    first: str, second: str, code: int, reason: str, networks: Path, by_colour: Path, convert, the_error
) -> None:
    """One line with the reason."""
    done = convert("compare", networks / first, networks / second, "--images", by_colour)
    assert (done.returncode, reason in the_error(done)) == (code, True), done.stderr


def test_networks_of_different_shapes(networks: Path, shared_data: Path, by_colour: Path, convert, the_error) -> None:
    """Another size or number of labels is another network; a compiled file without its twin cannot run here."""
    models = shared_data / "models"
    done = convert("compare", networks / "colours.tflite", models / "vww_96_int8.tflite", "--images", by_colour)
    assert "takes 32x32 and has 3 labels" in the_error(done)
    compiled = models / "mobilenet_v1_0.25_128_quant_edgetpu.tflite"
    done = convert("compare", networks / "colours.tflite", compiled, "--images", by_colour)
    assert "is compiled for the Edge TPU and has no CPU twin inside" in the_error(done)


def test_a_compiled_file_is_compared_by_its_twin(shared_data: Path, convert, tmp_path: Path) -> None:
    """Without an Edge TPU the int8 network inside the compiled file stands for it, fed as the manifest says."""
    models = shared_data / "models"
    compiled = (models / "mobilenet_v1_0.25_128_quant_edgetpu.tflite").read_bytes()
    twin = ModelFile.load(models / "mobilenet_v1_0.25_128_quant.tflite")
    network = twin.path.read_bytes()[: twin.flatbuffer_bytes]
    flatbuffer = Graph(compiled).with_metadata(b"")
    manifest = Manifest(
        name="mobilenet_v1",
        architecture="mobilenet_v1",
        alpha=0.25,
        input=Size(128, 128),
        preprocess=Preprocess(fit=Fit.SQUEEZE, mean=128, std=128),
        scheme="full-integer int8, compiled for the Edge TPU",
        weights=Origin("test", "", ""),
        labels=Origin("test", "", ""),
        flatbuffer_sha256=hashlib.sha256(flatbuffer).hexdigest(),
        twin_sha256=hashlib.sha256(network).hexdigest(),
    )
    labels = (shared_data / "labels" / "imagenet_1001.txt").read_bytes()
    entries = {LABELS: labels, MANIFEST: manifest_to_json(manifest).encode(), TWIN: network}
    (tmp_path / "compiled.tflite").write_bytes(pack(flatbuffer, entries))
    done = convert("compare", twin.path, tmp_path / "compiled.tflite", "--images", shared_data / "photos", "--json")
    assert (done.returncode, "its CPU twin is compared" in done.stderr) == (0, True), done.stderr
    answer = json.loads(done.stdout)
    assert (answer["top1_agreement"]["value"], answer["preprocess"]["fit"]) == (1.0, "squeeze")
