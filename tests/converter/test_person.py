# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The zoo's `person`, from the package index to a model file: the chain that every clone can prove."""

import hashlib
import json
import zipfile
from pathlib import Path

import pytest

from labelcam.classifier import Classifier
from labelcam.golden import check_goldens, read_goldens
from labelcam.images import read_image
from labelcam.model_file import LABELS, MANIFEST, ModelFile
from labelcam_converter.flatbuffer import Graph
from labelcam_converter.pictures.photographs import WITH_PERSON, photographs


@pytest.fixture(scope="module")
def classifier(person_model: Path) -> Classifier:
    return Classifier(ModelFile.load(person_model))


@pytest.mark.parametrize("path", photographs(), ids=lambda path: path.name)
def test_the_int8_network_knows_who_is_there(classifier: Classifier, path: Path) -> None:
    """Each of the ten photographs gets the right answer from the finished file."""
    expected = "person" if path.name in WITH_PERSON else "no person"
    assert classifier.classify(read_image(path), 1)[0].label == expected


def test_the_camera_s_bytes_are_the_input(classifier: Classifier) -> None:
    """The uint8 input has scale 1 and zero point 0, just what the float network saw: no arithmetic is left to do."""
    fed = classifier.interpreter.input
    assert (str(fed.dtype), fed.scale, fed.zero_point) == ("uint8", 1.0, 0)
    assert str(classifier.interpreter.output.dtype) == "uint8"


def test_xnnpack_takes_the_graph(classifier: Classifier) -> None:
    """Only what XNNPACK has no int8 kernel for stays behind."""
    delegation = classifier.interpreter.delegation()
    assert (delegation.taken, delegation.total) == (28, 32)
    assert set(delegation.left) == {"AVERAGE_POOL_2D", "QUANTIZE", "SOFTMAX"}


def test_the_file_keeps_the_contract(person_model: Path) -> None:
    """Behind the flatbuffer lies a zip: stored, sorted, dated 1980; its manifest knows the flatbuffer's checksum."""
    model = ModelFile.load(person_model)
    with zipfile.ZipFile(person_model) as archive:
        entries = archive.infolist()
    names = [entry.filename for entry in entries]
    assert names == sorted(names)
    assert {LABELS, MANIFEST, "golden/frame.png", "golden/prepared.png", "golden/scores.json"} < set(names)
    assert {entry.compress_type for entry in entries} == {zipfile.ZIP_STORED}
    assert {entry.date_time for entry in entries} == {(1980, 1, 1, 0, 0, 0)}
    flatbuffer = person_model.read_bytes()[: model.flatbuffer_bytes]
    assert model.manifest is not None
    assert model.manifest.flatbuffer_sha256 == hashlib.sha256(flatbuffer).hexdigest()
    assert Graph(flatbuffer).has_metadata


def test_the_manifest_says_where_everything_comes_from(person_model: Path) -> None:
    """Weights, licence, calibration, fidelity and tools stand in the file; no path and no date does."""
    manifest = ModelFile.load(person_model).manifest
    assert manifest is not None
    assert (manifest.name, manifest.architecture, manifest.alpha) == ("person", "mobilenet_v1", 0.25)
    assert (manifest.weights.licence, len(manifest.weights.sha256)) == ("Zlib", 64)
    assert manifest.fidelity["top1_agreement"]["value"] >= 0.9
    assert manifest.fidelity["held_out"] is False
    assert "too few for a product" in manifest.calibration["source"]
    assert {"labelcam", "litert-quantizer", "ai-edge-litert", "keras"} <= set(manifest.tools)
    assert "/tmp" not in zipfile.ZipFile(person_model).read(MANIFEST).decode()


def test_its_goldens_are_clear_and_pass(person_model: Path, classifier: Classifier) -> None:
    """Three pictures with a top-1 margin of at least 0.2, both labels among them, and the preprocessing's own."""
    model = ModelFile.load(person_model)
    goldens = read_goldens(model)
    assert len(goldens) == 3
    assert all(abs(golden.scores[0] - golden.scores[1]) >= 0.2 for golden in goldens)
    assert {golden.scores[0] > golden.scores[1] for golden in goldens} == {True, False}
    results = check_goldens(model, classifier)
    assert len(results) == 4
    assert all(result.passed for result in results), results


def test_building_again_reuses_the_file(person_model: Path, convert) -> None:
    """Nothing has changed, so nothing is done, and the JSON on stdout says so."""
    before = person_model.stat().st_mtime_ns
    done = convert("build", "--json", "--model", "person", "-o", person_model)
    answer = json.loads(done.stdout)
    assert (done.returncode, answer["reused"], answer["schema"]) == (0, True, 1)
    assert answer["output"] == str(person_model)
    assert answer["bytes"] == person_model.stat().st_size
    assert answer["fidelity"]["top1_agreement"]["value"] >= 0.9
    assert sum(answer["seconds"].values()) < 2
    assert person_model.stat().st_mtime_ns == before
