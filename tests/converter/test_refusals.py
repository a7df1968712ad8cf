# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Bad input gets one line with the remedy, the right exit code, and leaves nothing behind."""

import os
from pathlib import Path

import pytest

BAD_NETWORKS = {
    "two_inputs.tflite": (78, "has 2 inputs"),
    "wrong_rank.tflite": (78, "its input is [1, 10]"),
    "no_classifier.tflite": (78, "its output is [1, 30, 30, 4]"),
    "two_inputs.keras": (78, "has 2 inputs"),
    "missing.keras": (78, "no such file"),
}


@pytest.mark.parametrize("name", BAD_NETWORKS)
def test_a_network_that_cannot_be_a_classifier(name: str, networks: Path, convert, the_error, left_behind) -> None:
    """Two inputs, the wrong rank, an output that is no list of scores: each is named."""
    code, reason = BAD_NETWORKS[name]
    done = convert("build", "--model", networks / name)
    assert (done.returncode, reason in the_error(done)) == (code, True), done.stderr
    assert left_behind() == []


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("text.tflite", b"hello, I am a text file", "is no TFLite model"),
        ("text.keras", b"hello, I am a text file", "is no Keras model"),
        ("text.h5", b"hello, I am a text file", "is no Keras model"),
        ("empty.tflite", b"", "is no TFLite model"),
        ("cut.h5", b"\x89HDF\r\n\x1a\n" + bytes(3000), "Keras cannot read it"),
        ("noise.tflite", b"\x1c\0\0\0TFL3" + bytes(range(256)) * 8, "damaged"),
    ],
)
def test_a_file_that_is_not_what_its_name_says(
    name: str, content: bytes, reason: str, convert, the_error, left_behind, tmp_path: Path
) -> None:
    """Text, nothing, or damage under the name of a model is refused as a bad model."""
    (tmp_path / name).write_bytes(content)
    done = convert("build", "--model", tmp_path / name)
    assert reason in the_error(done)
    assert done.returncode == 78
    assert left_behind() == []


@pytest.mark.parametrize("lines", [2, 4, 0])
def test_labels_that_do_not_fit(lines: int, networks: Path, convert, the_error, left_behind, tmp_path: Path) -> None:
    """A label file must have one line for each output."""
    (tmp_path / "labels.txt").write_text("a label\n" * lines)
    done = convert("build", "--model", networks / "colours.tflite", "--labels", tmp_path / "labels.txt")
    assert ("is empty" if lines == 0 else f"has {lines} labels for 3 outputs") in the_error(done)
    assert left_behind() == []


def test_labels_of_a_zoo_network_are_counted_first(convert, the_error, tmp_path: Path) -> None:
    """For a network of the zoo a wrong label file is refused before anything is fetched or converted."""
    (tmp_path / "labels.txt").write_text("one\ntwo\nthree\n")
    done = convert("build", "--model", "person", "--labels", tmp_path / "labels.txt", XDG_CACHE_HOME=str(tmp_path))
    assert "has 3 labels for 2 outputs" in the_error(done)
    assert not (tmp_path / "labelcam").exists()


def test_a_quantised_network(shared_data: Path, convert, the_error) -> None:
    """What is int8 already is not quantised again."""
    done = convert("build", "--model", shared_data / "models" / "vww_96_int8.tflite")
    assert "vww_96_int8.tflite: is quantised already; run it as it is by labelcam classify" in the_error(done)


def test_a_network_for_the_edge_tpu(shared_data: Path, convert, the_error) -> None:
    """What is compiled for the Edge TPU is told from what is merely quantised."""
    done = convert("build", "--model", shared_data / "models" / "mobilenet_v1_0.25_128_quant_edgetpu.tflite")
    assert "is compiled for the Edge TPU; give the float network" in the_error(done)


@pytest.mark.parametrize("link", [False, True])
def test_the_source_is_not_overwritten(link: bool, networks: Path, convert, the_error, tmp_path: Path) -> None:
    """-o that is the network itself, even through a link, is refused, and the network stays what it was."""
    source, output = tmp_path / "own.tflite", tmp_path / ("link.tflite" if link else "own.tflite")
    source.write_bytes((networks / "colours.tflite").read_bytes())
    if link:
        output.symlink_to(source)
    done = convert("build", "--model", source, "-o", output)
    assert (done.returncode, "is the network that is to be converted" in the_error(done)) == (2, True)
    assert source.read_bytes() == (networks / "colours.tflite").read_bytes()


@pytest.mark.parametrize(
    ("name", "reason"), [("holiday.jpg", "ends with .tflite"), ("other.tflite", "was not made by labelcam-convert")]
)
def test_what_is_not_ours_is_not_overwritten(name: str, reason: str, convert, the_error, tmp_path: Path) -> None:
    """-o that names a photograph, or a model of somebody else's, is refused before anything is fetched."""
    (tmp_path / "work" / name).write_bytes(b"precious")
    done = convert("build", "--model", "person", "-o", name, XDG_CACHE_HOME=str(tmp_path))
    assert (done.returncode, reason in the_error(done)) == (2, True)
    assert (tmp_path / "work" / name).read_bytes() == b"precious"
    assert not (tmp_path / "labelcam").exists()


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--model", "mobilenet_v22"), "did you mean mobilenet_v2?"),
        (("--model", "resnet"), "the zoo has person, mobilenet_v1"),
        (("--model", "mobilenet_v2", "--alpha", "0.3"), "use 0.35, 0.5, 0.75, 1, 1.3, 1.4"),
        (("--model", "mobilenet_v2", "--size", "200"), "use 96, 128, 160, 192, 224"),
        (("--model", "person", "--weights", "none"), "person"),
        (("--model", "person", "-o", "/dev/full"), "is no regular file"),
        (("--model", "person", "-o", "/"), "is a folder"),
        (("--model", "person", "-o", "absent/x.tflite"), "mkdir -p absent"),
        (("--model", "person", "--preprocess", "imagenet"), "use tf, unit, raw"),
    ],
)
def test_options_that_make_no_sense(arguments: tuple[str, ...], reason: str, convert, the_error, left_behind) -> None:
    """A wrong name or value is a usage error, found before the long work, with what would be right."""
    done = convert("build", *arguments)
    assert (done.returncode, reason in the_error(done)) == (2, True), done.stderr
    assert left_behind() == []


def test_options_of_a_later_version(convert) -> None:
    """An option that does not exist is refused, not ignored."""
    assert convert("build", "--model", "person", "--prune").returncode == 2


def test_an_empty_folder_of_images(networks: Path, convert, the_error, tmp_path: Path) -> None:
    """There is nothing to calibrate on, and the line says what would do."""
    (tmp_path / "empty").mkdir()
    done = convert("build", "--model", networks / "colours.tflite", "--images", tmp_path / "empty")
    assert "holds no image" in the_error(done)
    assert done.returncode == 1


def test_an_unreadable_image_is_skipped_and_counted(
    networks: Path, colour_images: Path, convert, tmp_path: Path
) -> None:
    """One broken picture in the folder costs a warning, not the build, and stands in the calibration card."""
    folder = tmp_path / "images"
    folder.mkdir()
    for path in colour_images.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    (folder / "broken.jpg").write_bytes(b"no picture at all")
    done = convert("build", "--json", "--model", networks / "colours.tflite", "--images", folder)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("broken.jpg") == 1
    assert '"unreadable": 1' in done.stdout


def test_images_of_which_none_can_be_read(networks: Path, convert, the_error, left_behind, tmp_path: Path) -> None:
    """If every picture is broken there is one last line about it."""
    (tmp_path / "broken.jpg").write_bytes(b"no picture at all")
    done = convert("build", "--model", networks / "colours.tflite", "--images", tmp_path)
    assert "its only image cannot be read" in the_error(done)
    assert left_behind() == []


def test_without_tensorflow_installed(networks: Path, convert, the_error, tmp_path: Path) -> None:
    """A Keras file without TensorFlow gets the line that installs it."""
    (tmp_path / "hide").mkdir()
    (tmp_path / "hide" / "sitecustomize.py").write_text(
        "import sys, importlib.util\n"
        "find = importlib.util.find_spec\n"
        "importlib.util.find_spec = lambda name, *rest: None if name == 'tensorflow' else find(name, *rest)\n"
    )

    path = os.pathsep.join([str(tmp_path / "hide"), os.environ.get("PYTHONPATH", "")])
    done = convert("build", "--model", networks / "colours.keras", PYTHONPATH=path)
    assert "pip install 'labelcam[converter]'" in the_error(done)
    assert done.returncode == 1
