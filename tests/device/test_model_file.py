# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0

import json
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from labelcam.classifier import Classifier
from labelcam.errors import ImageError, ModelFileError
from labelcam.golden import check_goldens
from labelcam.model_file import (
    LABELS,
    MANIFEST,
    SCORES,
    Manifest,
    ModelFile,
    manifest_from_json,
    manifest_to_json,
    parse_labels,
)
from labelcam.preprocess import Fit, Preprocess
from labelcam.scores import DecisionConstants, UnknownThresholds

Entries = Mapping[str, str | bytes]
Pack = Callable[[bytes, Entries, Path], Path]


def flipped(path: Path, offset: int, target: Path, mask: int = 0x55) -> Path:
    """A copy of a file with one byte changed."""
    data = bytearray(path.read_bytes())
    data[offset] ^= mask
    target.write_bytes(data)
    return target


def refusal(path: Path) -> str:
    """Why the file is not accepted, neither by the reader nor by the interpreter."""
    with pytest.raises(ModelFileError) as refused:
        Classifier(ModelFile.load(path))
    assert str(refused.value).startswith(f"{path}: ")
    return str(refused.value)


def test_a_whole_model_file_says_everything_about_itself(colours: Path) -> None:
    """Labels, manifest and preprocessing come out of the file; nothing beside it is asked."""
    model = ModelFile.load(colours)
    assert model.name == "colours"
    assert model.labels == ("red", "green", "blue")
    assert model.manifest is not None
    assert model.preprocess == Preprocess(mean=0.0, std=255.0)
    assert colours.read_bytes()[model.flatbuffer_bytes :].startswith(b"PK\x03\x04")


def test_a_manifest_survives_its_own_json(manifest_of: Callable[..., Manifest], toy: Callable[..., bytes]) -> None:
    """Writing and reading a manifest changes nothing, and writing twice gives the same text."""
    constants = DecisionConstants(1.5, UnknownThresholds(0.3, 0.1, 0.6), images=80, method="by a test")
    manifest = manifest_of(toy(), preprocess=Preprocess(fit=Fit.SQUEEZE, fraction=0.875), decision=constants)
    text = manifest_to_json(manifest)
    assert manifest_from_json(text) == manifest
    assert manifest_to_json(manifest_from_json(text)) == text


@pytest.mark.parametrize(
    ("told", "meant"),
    [
        ({}, DecisionConstants()),
        ({"temperature": 1.5}, DecisionConstants(1.5)),
        ({"unknown": {"margin": 0.1}}, DecisionConstants(unknown=UnknownThresholds(0.0, 0.1, 1.0))),
    ],
)
def test_a_manifest_without_constants_changes_no_decision(
    told: dict[str, object], meant: DecisionConstants, manifest_of: Callable[..., Manifest], toy: Callable[..., bytes]
) -> None:
    """What a manifest does not say is temperature 1 and no threshold, as in files from before there were any."""
    document = json.loads(manifest_to_json(manifest_of(toy()))) | {"decision": told}
    assert manifest_from_json(json.dumps(document)).decision == meant
    without = {name: value for name, value in document.items() if name != "decision"}
    assert manifest_from_json(json.dumps(without)).decision == DecisionConstants()


@pytest.mark.parametrize("told", [{"temperature": 0}, {"temperature": "hot"}, {"unknown": {"score": 2}}])
def test_a_manifest_with_nonsense_for_constants_is_refused(
    told: dict[str, object], manifest_of: Callable[..., Manifest], toy: Callable[..., bytes]
) -> None:
    """A temperature of nothing would divide by it."""
    document = json.loads(manifest_to_json(manifest_of(toy()))) | {"decision": told}
    with pytest.raises(ModelFileError, match="its manifest is not whole"):
        manifest_from_json(json.dumps(document))


def test_a_newer_manifest_asks_for_a_newer_labelcam(colours: Path, colour_entries: dict[str, str], pack: Pack) -> None:
    """A schema from the future is refused with the remedy, not guessed at."""
    manifest = json.loads(colour_entries[MANIFEST]) | {"schema": 99}
    path = pack(colours.read_bytes(), {}, colours.parent / "newer.tflite")
    path = pack(_flatbuffer(colours), colour_entries | {MANIFEST: json.dumps(manifest)}, path)
    assert "schema 99, this labelcam knows 1; update labelcam" in refusal(path)


def _flatbuffer(path: Path) -> bytes:
    return path.read_bytes()[: ModelFile.load(path).flatbuffer_bytes]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("not json", "cannot be read"),
        ("[]", "cannot be read"),
        ('{"schema": null}', "cannot be read"),
        ('{"schema": 1, "name": "x"}', "not whole"),
    ],
)
def test_a_broken_manifest_is_refused(
    text: str, reason: str, toy: Callable[..., bytes], pack: Pack, tmp_path: Path
) -> None:
    """A manifest that is no JSON, or lacks something, does not fall back to the defaults."""
    path = pack(toy(), {LABELS: "a\nb\nc\n", MANIFEST: text}, tmp_path / "model.tflite")
    assert reason in refusal(path)


@pytest.mark.parametrize(
    ("field", "value"),
    [("preprocess", {"fit": "stretch"}), ("preprocess", {"fraction": 7.0}), ("preprocess", {"std": 0.0})],
)
def test_a_manifest_with_impossible_preprocessing_is_refused(
    field: str, value: object, colours: Path, colour_entries: dict[str, str], pack: Pack, tmp_path: Path
) -> None:
    """What preprocess would not accept, no manifest may ask for."""
    manifest = json.loads(colour_entries[MANIFEST]) | {field: value}
    path = pack(_flatbuffer(colours), colour_entries | {MANIFEST: json.dumps(manifest)}, tmp_path / "m.tflite")
    assert "not whole" in refusal(path)


def test_a_missing_model_is_named(tmp_path: Path) -> None:
    """A path without a file, and a folder, are named with the system's reason."""
    assert "No such file" in refusal(tmp_path / "gone.tflite")
    assert "no regular file" in refusal(tmp_path)
    assert "no regular file" in refusal(Path("/dev/zero"))


@pytest.mark.parametrize("content", [b"", b"TFL3", b"this is a text, not a model\n", b"PK\x03\x04" + bytes(40)])
def test_what_is_no_tflite_file_is_refused(content: bytes, tmp_path: Path) -> None:
    """A name that ends in .tflite does not make a model."""
    path = tmp_path / "text.tflite"
    path.write_bytes(content)
    assert "is no TFLite model" in refusal(path)


@pytest.mark.parametrize("share", [0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 0.97, 0.999])
def test_a_model_that_is_cut_short_is_refused(share: float, person_model: Path, tmp_path: Path) -> None:
    """Wherever the copy broke off, in the network or in what is packed behind it, the file is refused."""
    whole = person_model.read_bytes()
    path = tmp_path / "cut.tflite"
    path.write_bytes(whole[: int(len(whole) * share)])
    assert any(reason in refusal(path) for reason in ("is damaged", "is cut short"))


@pytest.mark.parametrize("share", [0.05, 0.2, 0.4, 0.6, 0.8, 0.95])
def test_one_wrong_byte_in_the_network_is_noticed(share: float, person_model: Path, tmp_path: Path) -> None:
    """The checksum covers the whole flatbuffer: a changed weight is not run."""
    offset = int(ModelFile.load(person_model).flatbuffer_bytes * share)
    path = flipped(person_model, offset, tmp_path / "flipped.tflite")
    assert "the network does not match its checksum" in refusal(path)


@pytest.mark.parametrize("entry", [LABELS, MANIFEST, SCORES])
def test_one_wrong_byte_in_the_zip_is_noticed(entry: str, person_model: Path, tmp_path: Path) -> None:
    """Labels, manifest and goldens are covered as well, by the zip's own checksums."""
    with zipfile.ZipFile(person_model) as archive:
        info = archive.getinfo(entry)
    path = flipped(person_model, info.header_offset + 30 + len(entry) + 3, tmp_path / "flipped.tflite")
    with pytest.raises(ModelFileError, match=r"damaged|cannot read"):
        check_goldens(ModelFile.load(path), Classifier(ModelFile.load(path)))


@given(data=st.data(), mask=st.integers(1, 255))
@settings(deadline=None, max_examples=500, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_wrong_byte_in_the_zips_structure_changes_what_the_file_says(
    data: st.DataObject, mask: int, colours: Path, tmp_path: Path
) -> None:
    """Any changed byte of the zip's headers is refused as our own error, or changes neither labels nor manifest."""
    whole = ModelFile.load(colours)
    path = flipped(colours, data.draw(st.sampled_from(_structure(colours))), tmp_path / "flipped.tflite", mask)
    try:
        model = ModelFile.load(path)
        check_goldens(model, Classifier(model))
    except (ModelFileError, ImageError):
        return
    assert (model.labels, model.manifest) == (whole.labels, whole.manifest)


def _structure(path: Path) -> list[int]:
    """Where in the file the bytes lie that are neither network nor content: headers, directory, end record."""
    with zipfile.ZipFile(path) as archive:
        entries, directory = archive.infolist(), archive.start_dir
    headers = [range(entry.header_offset, entry.header_offset + 30 + len(entry.filename)) for entry in entries]
    return [offset for span in (*headers, range(directory, path.stat().st_size)) for offset in span]


@pytest.mark.parametrize("cut", [1, 10, 22, 40, 200, 1000])
def test_a_toy_that_lost_its_end_is_not_run_as_a_plain_file(cut: int, colours: Path, tmp_path: Path) -> None:
    """A file whose zip is broken loses its labels; it must not answer with numbers as if nothing had happened."""
    path = tmp_path / "cut.tflite"
    path.write_bytes(colours.read_bytes()[:-cut])
    with pytest.raises(ModelFileError, match=r"cut short|damaged"):
        ModelFile.load(path)


@pytest.mark.parametrize("name", ["plain.txt", "labels.txt"])
@pytest.mark.parametrize("text", ["red\ngreen\nblue\n", "\ufeffred\r\ngreen\r\nblue\r\n\r\n", "red\ngreen\nblue"])
def test_a_plain_file_takes_the_labels_beside_it(
    name: str, text: str, toy: Callable[..., bytes], tmp_path: Path
) -> None:
    """Labels lie in a file of the model's name or in labels.txt; byte-order marks and CRLF are no part of them."""
    path = tmp_path / "plain.tflite"
    path.write_bytes(toy())
    (tmp_path / name).write_bytes(text.encode())
    assert ModelFile.load(path).labels == ("red", "green", "blue")


def test_labels_that_are_no_utf8_are_refused(toy: Callable[..., bytes], tmp_path: Path) -> None:
    """A label file in another encoding is named, and the run does not end in a traceback."""
    path = tmp_path / "plain.tflite"
    path.write_bytes(toy())
    (tmp_path / "labels.txt").write_bytes("rouge\nvert\nbl\u00e9\n".encode("latin-1"))
    assert "UTF-8" in refusal(path)


def test_a_plain_file_without_labels_answers_with_numbers(
    toy: Callable[..., bytes], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Answers are numbered, and the log says so with the remedy."""
    path = tmp_path / "plain.tflite"
    path.write_bytes(toy())
    assert Classifier(ModelFile.load(path)).labels == ("0", "1", "2")
    assert "put labels.txt beside it" in caplog.text


@pytest.mark.parametrize("labels", ["red\ngreen\n", "a\nb\nc\nd\n", "\n"])
def test_labels_that_do_not_fit_the_outputs_are_refused(labels: str, toy: Callable[..., bytes], tmp_path: Path) -> None:
    """One label too few or too many would name everything wrongly."""
    path = tmp_path / "plain.tflite"
    path.write_bytes(toy())
    (tmp_path / "labels.txt").write_text(labels)
    assert "labels for 3 outputs" in refusal(path)


def test_a_label_may_be_any_text() -> None:
    """Inner blank lines and spaces stay, so that the numbering stays; only blank lines at the end go."""
    assert parse_labels("a b\n\n\U0001f600\n  c \n\n\n") == ("a b", "", "\U0001f600", "c")


def test_a_line_separator_inside_a_label_does_not_split_it() -> None:
    """A label file has one label a line ended by LF or CRLF: U+2028, form feeds and the like are part of a label."""
    assert parse_labels("one\u2028still one\ntwo\x0cstill two\n") == ("one\u2028still one", "two\x0cstill two")


@pytest.mark.parametrize(
    ("variant", "reason"),
    [
        ({"inputs": 2}, "has 2 inputs; only a classifier with one input can be run"),
        ({"outputs": 2}, "has 2 outputs; only a classifier with one output can be run"),
        ({"batch": 4}, "its input is [4, 6, 8, 3]"),
        ({"shape": (1, 10)}, "its input is [1, 10]"),
        ({"shape": (1, 6, 8, 1)}, "its input is [1, 6, 8, 1]"),
    ],
)
def test_a_network_that_is_no_image_classifier_is_refused(
    variant: dict[str, object], reason: str, toy: Callable[..., bytes], tmp_path: Path
) -> None:
    """Two inputs, two outputs, a batch, a wrong rank or grey input are refused with the shape that was found."""
    path = tmp_path / "strange.tflite"
    path.write_bytes(toy(**variant))
    assert reason in refusal(path)


def test_goldens_are_reproduced_by_the_machine_that_made_them(colours: Path, person_model: Path) -> None:
    """Every golden and the preprocessing golden of a whole file pass, those of the real network too."""
    for path in (colours, person_model):
        model = ModelFile.load(path)
        results = check_goldens(model, Classifier(model))
        assert len(results) == 4
        assert all(result.passed for result in results), results


@pytest.mark.parametrize(
    ("red", "passes"),
    [([0.98, 0.12, 0.08], True), ([0.90, 0.12, 0.08], True), ([0.80, 0.12, 0.08], False), ([0.1, 0.98, 0.1], False)],
)
def test_a_golden_fails_when_its_scores_are_not_what_comes_out(
    red: list[float], passes: bool, colours: Path, colour_entries: dict[str, str], pack: Pack, tmp_path: Path
) -> None:
    """A score more than 0.10 off, or another best label, fails the golden; a small difference does not."""
    scores = json.loads(colour_entries[SCORES]) | {"red.png": red}
    path = pack(_flatbuffer(colours), colour_entries | {SCORES: json.dumps(scores)}, tmp_path / "tampered.tflite")
    model = ModelFile.load(path)
    results = {result.name: result.passed for result in check_goldens(model, Classifier(model))}
    assert results["red.png"] is passes
    assert all(passed for name, passed in results.items() if name != "red.png")


def test_preprocessing_has_its_own_golden(
    colours: Path, colour_entries: dict[str, str], pack: Pack, tmp_path: Path
) -> None:
    """A manifest that preprocesses otherwise than the host did is found out by the picture of the frame."""
    manifest = manifest_from_json(colour_entries[MANIFEST])
    other = replace(manifest, preprocess=replace(manifest.preprocess, fraction=0.5))
    entries = colour_entries | {MANIFEST: manifest_to_json(other)}
    model = ModelFile.load(pack(_flatbuffer(colours), entries, tmp_path / "other.tflite"))
    failed = [result.name for result in check_goldens(model, Classifier(model)) if not result.passed]
    assert failed == ["golden/frame.png"]


def test_a_plain_file_has_no_goldens(toy: Callable[..., bytes], tmp_path: Path) -> None:
    """Nothing to reproduce is not a failure."""
    path = tmp_path / "plain.tflite"
    path.write_bytes(toy())
    model = ModelFile.load(path)
    assert check_goldens(model, Classifier(model)) == []


def test_an_edge_tpu_file_is_refused_in_one_clear_line(shared_data: Path) -> None:
    """A file compiled for the Edge TPU says so, rather than talk of custom operations."""
    path = shared_data / "models" / "mobilenet_v1_0.25_128_quant_edgetpu.tflite"
    assert "is compiled for the Edge TPU" in refusal(path)


def test_scores_are_dequantised(toy: Callable[..., bytes], tmp_path: Path) -> None:
    """int8, uint8 and float files of the same network give the same scores."""
    pixels = np.full((6, 8, 3), (204, 102, 51), np.uint8)
    for dtype in ("uint8", "int8"):
        path = tmp_path / f"{dtype}.tflite"
        path.write_bytes(toy(dtype))
        (tmp_path / "labels.txt").write_text("red\ngreen\nblue\n")
        answers = Classifier(ModelFile.load(path)).classify(pixels)
        assert [(a.label, a.score) for a in answers] == [("red", 0.8), ("green", 0.4), ("blue", 0.2)]


@given(
    scores=st.lists(st.floats(0, 1, width=32), min_size=3, max_size=3),
    count=st.integers(1, 12),
)
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_best_labels_come_first(scores: list[float], count: int, colours: Path) -> None:
    """top() is a stable sort, best first, however many are asked for."""
    classifier = _shared_classifier(colours)
    array = np.array(scores, np.float32)
    wanted = [classifier.labels[i] for i in np.argsort(-array, kind="stable")[:count]]
    assert [label.label for label in classifier.top(array, count)] == wanted
    assert np.array_equal(array, np.array(scores, np.float32))


_classifiers: dict[Path, Classifier] = {}


def _shared_classifier(path: Path) -> Classifier:
    if path not in _classifiers:
        _classifiers[path] = Classifier(ModelFile.load(path))
    return _classifiers[path]


def test_labels_beside_it_do_not_make_a_cut_file_of_ours_whole(person_model: Path, tmp_path: Path) -> None:
    """Manifest, checksum and goldens would be gone without a word: a file that lost its end is refused all the same."""
    whole = person_model.read_bytes()
    path = tmp_path / "cut.tflite"
    path.write_bytes(whole[: ModelFile.load(person_model).flatbuffer_bytes + 1000])
    (tmp_path / "labels.txt").write_text("person\nno person\n")
    assert "is cut short" in refusal(path)
