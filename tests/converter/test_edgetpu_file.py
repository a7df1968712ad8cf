# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The file that a build for the Edge TPU writes: what the compiler drops is back, and the CPU twin lies inside."""

import hashlib
import json
import zipfile
from pathlib import Path

import pytest

import edgetpu_stand_in
from labelcam.classifier import Classifier
from labelcam.images import read_image
from labelcam.model_file import LABELS, MANIFEST, TWIN, Manifest, ModelFile, Origin, manifest_to_json
from labelcam.preprocess import Preprocess, Size
from labelcam_converter.edgetpu.compiler import Compilation
from labelcam_converter.edgetpu.mapping import parse
from labelcam_converter.edgetpu.packing import SUFFIX, compiled_parts
from labelcam_converter.flatbuffer import Graph
from labelcam_converter.metadata import metadata
from labelcam_converter.model_writer import pack


def written(network: bytes) -> bytes:
    """A model file of the small network, compiled."""
    kinds = edgetpu_stand_in.kinds(network)
    log = parse(edgetpu_stand_in.BEGUN + edgetpu_stand_in.table(kinds, []) + edgetpu_stand_in.ENDED)
    origin = Origin("made by a test", "0" * 64, "Apache-2.0")
    how = Preprocess()
    manifest = Manifest("colours", "custom", None, Size(32, 32), how, "full-integer int8", origin, origin)
    described = metadata("colours", "by labelcam", how)
    compilation = Compilation(edgetpu_stand_in.wrapped(network), log)
    flatbuffer, manifest, twin = compiled_parts(compilation, network, described, manifest)
    entries = {LABELS: b"red\ngreen\nblue\n", MANIFEST: manifest_to_json(manifest).encode(), **twin}
    return pack(flatbuffer, entries)


@pytest.fixture
def compiled_file(byte_network: bytes, tmp_path: Path) -> Path:
    """That file, under the name that other tools know compiled files by."""
    path = tmp_path / f"colours_int8{SUFFIX}.tflite"
    path.write_bytes(written(byte_network))
    return path


def test_everything_is_inside(compiled_file: Path, byte_network: bytes) -> None:
    """Metadata in the compiled flatbuffer; labels, manifest and the twin behind it, stored and dated 1980."""
    model = ModelFile.load(compiled_file)
    graph = Graph(compiled_file.read_bytes()[: model.flatbuffer_bytes])
    assert graph.histogram() == {"edgetpu-custom-op": 1}
    assert graph.has_metadata
    assert model.labels == ("red", "green", "blue")
    assert model.twin() == byte_network
    assert model.manifest is not None
    assert model.manifest.twin_sha256 == hashlib.sha256(byte_network).hexdigest()
    assert model.manifest.edgetpu["mapped"] == model.manifest.edgetpu["operations"] == 7
    with zipfile.ZipFile(compiled_file) as archive:
        assert {(entry.compress_type, entry.date_time[0]) for entry in archive.infolist()} == {
            (zipfile.ZIP_STORED, 1980)
        }


def test_the_same_parts_give_the_same_bytes(byte_network: bytes) -> None:
    """Nothing in it is of the day or the machine."""
    assert written(byte_network) == written(byte_network)


def test_the_package_survives(compiled_file: Path, byte_network: bytes) -> None:
    """Putting the metadata back leaves what the compiler wrote for the chip as it was, byte for byte."""
    wrapped = Graph(edgetpu_stand_in.wrapped(byte_network))
    model = ModelFile.load(compiled_file)
    repacked = Graph(compiled_file.read_bytes()[: model.flatbuffer_bytes])
    assert repacked.custom_options(0) == wrapped.custom_options(0) != b""


def test_the_package_of_a_real_file_survives(shared_data: Path) -> None:
    """The same holds for the 778 kB that Google's compiler made of MobileNetV1."""
    path = shared_data / "models" / "mobilenet_v1_0.25_128_quant_edgetpu.tflite"
    graph = Graph(path.read_bytes())
    again = Graph(graph.with_metadata(metadata("mobilenet_v1", "by labelcam", Preprocess())))
    assert again.custom_options(0) == graph.custom_options(0)
    assert len(again.custom_options(0)) == 778_324
    assert (again.inputs[0].shape, again.outputs[0].scales) == (graph.inputs[0].shape, graph.outputs[0].scales)


def test_the_twin_answers(compiled_file: Path, colour_images: Path) -> None:
    """On a machine without an Edge TPU the file still tells red from green."""
    classifier = Classifier(ModelFile.load(compiled_file))
    assert classifier.on_twin
    for colour in ("red", "green", "blue"):
        assert classifier.classify(read_image(colour_images / f"{colour}_0.png"), 1)[0].label == colour


def test_the_twin_can_be_taken_out(compiled_file: Path, tmp_path: Path) -> None:
    """Unpacked with any unzip, it is a plain .tflite that needs only labels beside it."""
    with zipfile.ZipFile(compiled_file) as archive:
        archive.extract(TWIN, tmp_path)
        archive.extract(LABELS, tmp_path)
    assert ModelFile.load(tmp_path / TWIN).labels == ("red", "green", "blue")


def test_inspect_tells_what_was_mapped(compiled_file: Path, byte_network: bytes, convert) -> None:
    """Compiler, mapped operations, oldest runtime and twin, for people in one line and for scripts in JSON."""
    told = json.loads(convert("inspect", "--json", compiled_file).stdout)["edgetpu"]
    assert (told["mappable"], told["operations"], told["refusals"]) == (7, 7, [])
    compiled = told["compiled"]
    assert (compiled["parts"], compiled["left"], compiled["runtime_version"]) == (1, 0, 14)
    assert (compiled["compiler"], compiled["twin_sha256"]) == (
        edgetpu_stand_in.VERSION,
        hashlib.sha256(byte_network).hexdigest(),
    )
    assert {row["operation"] for row in compiled["log"]} == set(edgetpu_stand_in.kinds(byte_network))
    (line,) = [line for line in convert("inspect", compiled_file).stdout.splitlines() if line.startswith("Edge TPU")]
    assert line.split(maxsplit=2)[2] == (
        "7 of 7 operations mapped by compiler 16.0.384591198; needs runtime 14 or newer; CPU twin inside"
    )


def test_damage_is_found(compiled_file: Path) -> None:
    """A byte of the twin, or of the compiled network, that is not what was written is noticed on any machine."""
    whole = compiled_file.read_bytes()
    for place in (whole.rfind(b"TFL3") + 500, 500):
        compiled_file.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        with pytest.raises(Exception, match="is damaged"):
            ModelFile.load(compiled_file)
