# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""`build` by its options: every scheme runs on the device, the report is written whatever the gates say."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from labelcam.model_file import ModelFile
from labelcam_converter.cost import count
from labelcam_converter.flatbuffer import Graph

SCHEMES = {
    "int8": "full-integer int8, per-channel weights, uint8 input and output",
    "int16x8": "int16 activations, int8 per-channel weights, float32 input and output",
    "dynamic": "dynamic-range int8, per-channel weights, float32 activations, float32 input and output",
    "float16": "float16 weights, float32 activations, float32 input and output",
    "float32": "float32, not quantised, float32 input and output",
}


def build(where: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run `labelcam-convert build` in a folder."""
    command = [sys.executable, "-m", "labelcam_converter", "build", *map(str, arguments)]
    return subprocess.run(command, cwd=where, capture_output=True, text=True, timeout=120)


def from_colours(networks: Path, images: Path) -> list[object]:
    """The options that make a model of the tiny network of three colours."""
    return ["--model", networks / "colours.tflite", "--labels", networks / "rgb.txt", "--images", images]


@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_scheme_runs_on_the_device(scheme: str, networks: Path, colour_images: Path, tmp_path: Path) -> None:
    """Named in full in the manifest and by its suffix in the file's name, and `labelcam classify` is right with it."""
    done = build(tmp_path, *from_colours(networks, colour_images), "--scheme", scheme, "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["output"] == f"colours_{scheme}.tflite"
    assert told["scheme"] == ModelFile.load(tmp_path / told["output"]).manifest.scheme == SCHEMES[scheme]
    picture = next(colour_images.rglob("*red*"))
    command = [sys.executable, "-m", "labelcam", "classify", tmp_path / told["output"], picture, "--json"]
    said = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert json.loads(said.stdout)["top"][0]["label"] == "red"


def test_a_folder_that_is_renamed_is_another_class(networks: Path, colour_images: Path, tmp_path: Path) -> None:
    """The same pixels under another class are right about something else: nothing is reused."""
    by_colour = tmp_path / "by_colour"
    for path in colour_images.iterdir():
        folder = by_colour / path.name.partition("_")[0]
        folder.mkdir(parents=True, exist_ok=True)
        (folder / path.name).write_bytes(path.read_bytes())
    command = (*from_colours(networks, by_colour), "-o", "out.tflite", "--json")
    first = json.loads(build(tmp_path, *command).stdout)
    (by_colour / "red").rename(by_colour / "rouge")
    second = json.loads(build(tmp_path, *command).stdout)
    assert (first["calibration"]["classes"], second["reused"]) == ({"blue": 8, "green": 8, "red": 8}, False)
    assert second["calibration"]["classes"] == {"blue": 8, "green": 8, "rouge": 8}


@pytest.mark.parametrize(("scheme", "times"), [("int8", 1), ("float16", 4)])
def test_a_report_tells_the_memory_of_what_was_built(
    scheme: str, times: int, networks: Path, colour_images: Path, tmp_path: Path
) -> None:
    """A network that computes in float32 takes four times the memory of one in int8."""
    options = from_colours(networks, colour_images)
    done = build(tmp_path, *options, "--scheme", scheme, "-o", "out.tflite", "--report", "out.html")
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "out.html").read_text()
    told = json.loads(page.partition('id="report-data">')[2].partition("</script>")[0])
    (in_bytes,) = (
        row for row in count(Graph((networks / "colours.tflite").read_bytes()), "").memory if row.dtype == "int8"
    )
    assert told["cost"]["activation_bytes_peak"] == times * in_bytes.peak_bytes


def test_a_failed_gate_leaves_a_report_and_no_model(networks: Path, colour_images: Path, tmp_path: Path) -> None:
    """An agreement that cannot be reached ends with 3, and the page says so at its top."""
    # Twice as many as there are cannot agree; a limit above what 8 bits of this network give is enough.
    hard = ["--model", networks / "swish.tflite", "--images", colour_images, "--effort", "fast", "--ranges", "minmax"]
    done = build(tmp_path, *hard, "--min-agreement", "1", "-o", "out.tflite", "--report", "out.html")
    assert done.returncode == 3, (done.stdout, done.stderr)
    assert [path.name for path in tmp_path.iterdir()] == ["out.html"]
    page = (tmp_path / "out.html").read_text()
    assert "Failed the gate" in page


def test_a_report_names_no_place_on_this_machine(networks: Path, colour_images: Path, tmp_path: Path) -> None:
    """A page is given away: it names files, never folders above them."""
    options = from_colours(networks, colour_images)
    done = build(tmp_path, *options, "-o", "out.tflite", "--report", "out.html", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["report"] == "out.html"
    assert str(colour_images) not in (tmp_path / "out.html").read_text()
    assert str(networks) not in (tmp_path / "out.html").read_text()


def test_the_same_inputs_give_the_same_bytes_with_or_without_a_report(
    networks: Path, colour_images: Path, tmp_path: Path
) -> None:
    """Building anew, for the report's sake, changes nothing in the file."""
    options = from_colours(networks, colour_images)
    assert build(tmp_path, *options, "-o", "one.tflite").returncode == 0
    assert build(tmp_path, *options, "-o", "two.tflite", "--report", "two.html").returncode == 0
    assert (tmp_path / "one.tflite").read_bytes() == (tmp_path / "two.tflite").read_bytes()


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--scheme", "float16", "--ranges", "mse"], "--ranges: float16 has no ranges to choose"),
        (["--scheme", "int16x8", "--effort", "max"], "--effort max: only int8 is tuned"),
        (["--scheme", "dynamic", "--io", "uint8"], "--io uint8: a network in dynamic takes and gives float32"),
        (["--include-images"], "--include-images is for the report"),
        (["--min-mapped", "0.9"], "--min-mapped is for files of the Edge TPU"),
        (["--edgetpu", "--scheme", "dynamic"], "--edgetpu: it computes int8 only"),
        (["--edgetpu", "--effort", "max"], "--edgetpu: TensorFlow's quantiser takes no --effort"),
        (["--report", "out.txt"], "--report out.txt: a report ends with .html"),
    ],
)
def test_options_that_do_not_go_together_are_refused(
    options: list[str], reason: str, networks: Path, colour_images: Path, tmp_path: Path
) -> None:
    """In one line, with exit code 2, before anything is read or written."""
    done = build(tmp_path, *from_colours(networks, colour_images), *options)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1), done.stderr
    assert reason in done.stderr
    assert list(tmp_path.iterdir()) == []
