# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""`inspect` reads any .tflite without running it."""

import json
from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert.tools import flatbuffer_utils


def test_our_own_file(person_model: Path, convert) -> None:
    """The JSON holds what design.md promises; the human view fits on a screen."""
    answer = json.loads(convert("inspect", "--json", person_model).stdout)
    assert (answer["schema"], answer["file"], answer["labels"], answer["metadata"]) == (1, str(person_model), 2, True)
    assert answer["inputs"] == [{"shape": [1, 96, 96, 3], "dtype": "uint8", "scale": 1.0, "zero_point": 0}]
    assert answer["outputs"][0]["dtype"] == "uint8"
    assert answer["ops"]["DEPTHWISE_CONV_2D"] == 13
    assert answer["scheme"] == answer["manifest"]["scheme"]
    edgetpu = answer["edgetpu"]
    # litert-quantizer's dense layers are per channel, and it counts no versions; build --edgetpu does neither.
    assert [refusal["operation"] for refusal in edgetpu["refusals"]] == ["FULLY_CONNECTED"]
    assert (edgetpu["proven"], edgetpu["compiled"]) == (False, None)
    assert 0 < edgetpu["mappable"] < edgetpu["operations"] == sum(answer["ops"].values())
    view = convert("inspect", person_model).stdout
    assert "person, no person" in view
    assert len(view.splitlines()) < 24


@pytest.mark.parametrize(
    ("name", "scheme"),
    [
        ("vww_96_float.tflite", "float32"),
        ("vww_96_int8.tflite", "full-integer int8"),
        ("mobilenet_v1_0.25_128_quant.tflite", "full-integer uint8, legacy"),
        ("mobilenet_v1_0.25_128_quant_edgetpu.tflite", "compiled for the Edge TPU"),
    ],
)
def test_files_of_others(name: str, scheme: str, shared_data: Path, convert) -> None:
    """Float, int8, legacy uint8 and compiled files, which this machine could not even run, say what they are."""
    answer = json.loads(convert("inspect", "--json", shared_data / "models" / name).stdout)
    assert (answer["scheme"], answer["manifest"]) == (scheme, None)


@pytest.mark.parametrize(
    ("name", "mappable", "operations", "refused"),
    [
        ("vww_96_float.tflite", 0, 31, ["the network"]),
        ("vww_96_int8.tflite", 31, 31, []),
        ("mobilenet_v1_0.25_128_quant.tflite", 31, 31, []),
        ("mobilenet_v1_0.25_128_quant_edgetpu.tflite", None, None, []),
    ],
)
def test_what_would_map_to_the_edge_tpu(
    name: str, mappable: int | None, operations: int | None, refused: list[str], shared_data: Path, convert
) -> None:
    """What a compiler would make of a file; of one that is compiled nobody knows any more."""
    answer = json.loads(convert("inspect", "--json", shared_data / "models" / name).stdout)["edgetpu"]
    assert (answer["mappable"], answer["operations"]) == (mappable, operations)
    assert [refusal["operation"] for refusal in answer["refusals"]] == refused
    assert (answer["compiled"] is None) == ("_edgetpu" not in name)


def test_a_file_that_google_s_compiler_made(shared_data: Path, convert) -> None:
    """The one part for the Edge TPU, the runtime that it needs, and that nothing else could run it."""
    path = shared_data / "models" / "mobilenet_v1_0.25_128_quant_edgetpu.tflite"
    compiled = json.loads(convert("inspect", "--json", path).stdout)["edgetpu"]["compiled"]
    assert (compiled["parts"], compiled["left"], compiled["runtime_version"]) == (1, 0, 12)
    assert (compiled["compiler"], compiled["twin_sha256"]) == (None, None)
    view = convert("inspect", path).stdout
    assert "compiled; needs runtime 12 or newer; no CPU twin inside: runs on an Edge TPU only" in view


def test_a_network_that_contradicts_itself(shared_data: Path, convert, the_error, tmp_path: Path) -> None:
    """Tables that can be read, but name an operation that is not there, are damage as well."""
    data = np.fromfile(shared_data / "models" / "vww_96_int8.tflite", np.uint8)
    model = flatbuffer_utils.read_model_from_bytearray(data)
    model.subgraphs[0].operators[0].opcodeIndex = 99
    (tmp_path / "x.tflite").write_bytes(flatbuffer_utils.convert_object_to_bytearray(model))
    done = convert("inspect", tmp_path / "x.tflite")
    assert "the network in it is damaged (IndexError); copy or build it again" in the_error(done)
    assert done.returncode == 78


@pytest.mark.parametrize("content", [b"", b"text", b"\x1c\0\0\0TFL3" + bytes(range(256)) * 8])
def test_what_is_no_model(content: bytes, convert, the_error, tmp_path: Path) -> None:
    """Anything else is one line and exit code 78."""
    (tmp_path / "x.tflite").write_bytes(content)
    done = convert("inspect", tmp_path / "x.tflite")
    assert the_error(done)
    assert done.returncode == 78
