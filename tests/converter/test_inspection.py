# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""`inspect` reads any .tflite without running it."""

import json
from pathlib import Path

import pytest


def test_our_own_file(person_model: Path, convert) -> None:
    """The JSON holds what design.md promises; the human view fits on a screen."""
    answer = json.loads(convert("inspect", "--json", person_model).stdout)
    assert (answer["schema"], answer["file"], answer["labels"], answer["metadata"]) == (1, str(person_model), 2, True)
    assert answer["inputs"] == [{"shape": [1, 96, 96, 3], "dtype": "uint8", "scale": 1.0, "zero_point": 0}]
    assert answer["outputs"][0]["dtype"] == "uint8"
    assert answer["ops"]["DEPTHWISE_CONV_2D"] == 13
    assert answer["scheme"] == answer["manifest"]["scheme"]
    assert answer["edgetpu"] is None
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


@pytest.mark.parametrize("content", [b"", b"text", b"\x1c\0\0\0TFL3" + bytes(range(256)) * 8])
def test_what_is_no_model(content: bytes, convert, the_error, tmp_path: Path) -> None:
    """Anything else is one line and exit code 78."""
    (tmp_path / "x.tflite").write_bytes(content)
    done = convert("inspect", tmp_path / "x.tflite")
    assert the_error(done)
    assert done.returncode == 78
