# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""`build --edgetpu`, the real command with the stand-in compiler on its PATH."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import edgetpu_stand_in
from labelcam.classifier import Classifier
from labelcam.golden import check_goldens
from labelcam.model_file import ModelFile

Build = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def path(tmp_path: Path) -> str:
    """A PATH on which the stand-in is found first."""
    (tmp_path / "bin").mkdir()
    edgetpu_stand_in.install(tmp_path / "bin")
    return f"{tmp_path / 'bin'}:{os.environ['PATH']}"


@pytest.fixture
def build(networks: Path, colour_images: Path, convert, path: str) -> Build:
    """Build the colours network for the Edge TPU, with a stand-in that behaves as named."""

    def run(mode: str, *arguments: object) -> "subprocess.CompletedProcess[str]":
        network = ("--model", networks / "colours.keras", "--images", colour_images, "--labels", networks / "rgb.txt")
        return convert("build", "--edgetpu", *network, *arguments, PATH=path, STAND_IN=mode)

    return run


def test_one_file_with_both_networks(build: Build, tmp_path: Path) -> None:
    """The compiled network, its CPU twin, labels and goldens; the same bytes each time; JSON that tells the mapping."""
    done = build("all", "--json")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    output = tmp_path / "work" / answer["output"]
    assert output.name == "colours_int8_edgetpu.tflite"
    assert answer["scheme"].endswith("compiled for the Edge TPU")
    assert (answer["edgetpu"]["mapped"], answer["edgetpu"]["compiler"]) == (7, edgetpu_stand_in.VERSION)
    model = ModelFile.load(output)
    assert model.manifest is not None
    assert model.manifest.tools["edgetpu_compiler"] == edgetpu_stand_in.VERSION
    classifier = Classifier(model)
    assert classifier.on_twin
    assert [result.passed for result in check_goldens(model, classifier)] == [True] * 4
    assert build("all", "-o", "again.tflite").returncode == 0
    assert (tmp_path / "work" / "again.tflite").read_bytes() == output.read_bytes()
    assert json.loads(build("all", "--json").stdout)["reused"]


def test_a_failed_gate_leaves_no_model(
    build: Build, the_error, left_behind: Callable[[], list[str]], tmp_path: Path
) -> None:
    """Of a network of which too little was mapped there is a report that says what was not; exit code 3."""
    done = build("half", "--report", "out.html")
    assert "operations are mapped, and more than the two ends stay behind" in the_error(done)
    assert done.returncode == 3
    assert left_behind() == ["out.html"]
    assert "not mapped due to some unspecified limitation" in (tmp_path / "work" / "out.html").read_text()


def test_what_is_known_at_once_is_said_at_once(convert, the_error, networks: Path, path: str) -> None:
    """Without a compiler, or with a network that TensorFlow cannot quantise, nothing is converted first."""
    network = ("build", "--model", networks / "colours.keras")
    assert "edgetpu_compiler is not on the PATH" in the_error(convert(*network, "--edgetpu", PATH="/usr/bin:/bin"))
    done = convert("build", "--model", networks / "colours.tflite", "--edgetpu", PATH=path)
    assert "TensorFlow cannot quantise the .tflite" in the_error(done)
    done = convert(*network, "--min-mapped", "0.5")
    assert "give --edgetpu as well" in the_error(done)
    assert done.returncode == 2


def test_ctrl_c_while_the_compiler_works(networks: Path, colour_images: Path, path: str, tmp_path: Path) -> None:
    """Exit code 130, with no file, not even a report, and no process left."""
    for name in ("work", "tmp"):
        (tmp_path / name).mkdir()
    child = tmp_path / "child"
    environment = {"PATH": path, "STAND_IN": "hang", "STAND_IN_CHILD": str(child), "TMPDIR": str(tmp_path / "tmp")}
    command = ["build", "--edgetpu", "--model", str(networks / "colours.keras"), "--images", str(colour_images)]
    command += ["--report", "out.html"]
    building = subprocess.Popen(
        [sys.executable, "-m", "labelcam_converter", *command],
        cwd=tmp_path / "work",
        env={**os.environ, **environment},
        stderr=subprocess.PIPE,
        text=True,
    )
    while not child.is_file() or not child.read_text():
        assert building.poll() is None
        time.sleep(0.05)
    building.send_signal(signal.SIGINT)
    _, said = building.communicate(timeout=30)
    assert (building.returncode, "Traceback" in said) == (130, False)
    assert list((tmp_path / "work").iterdir()) == list((tmp_path / "tmp").iterdir()) == []
    assert edgetpu_stand_in.soon(lambda: edgetpu_stand_in.gone(child))
