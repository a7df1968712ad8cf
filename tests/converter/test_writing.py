# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""A model file is written whole or not at all, and the same for the same input."""

import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from labelcam.model_file import ModelFile
from labelcam_converter.model_writer import new_file


def test_two_builds_give_the_same_bytes(networks: Path, colour_images: Path, convert, tmp_path: Path) -> None:
    """The same network, images and seed give the same file, byte for byte, under any name."""
    arguments = (
        "build",
        "--model",
        networks / "colours.keras",
        "--images",
        colour_images,
        "--labels",
        networks / "rgb.txt",
    )
    for name in ("one", "two"):
        assert convert(*arguments, "-o", f"{name}.tflite").returncode == 0
    assert (tmp_path / "work" / "one.tflite").read_bytes() == (tmp_path / "work" / "two.tflite").read_bytes()


def test_an_unchanged_build_is_reused_and_a_changed_one_is_not(
    networks: Path, colour_images: Path, convert, tmp_path: Path
) -> None:
    """An option, an image or damage to the file makes the build run again."""
    arguments = ("build", "--json", "--model", networks / "colours.tflite", "--images", colour_images, "-o", "x.tflite")
    output = tmp_path / "work" / "x.tflite"
    assert '"reused": false' in convert(*arguments).stdout
    assert '"reused": true' in convert(*arguments).stdout
    assert '"reused": false' in convert(*arguments, "--fit", "squeeze").stdout
    whole = output.read_bytes()
    output.write_bytes(whole[:-100])
    assert '"reused": false' in convert(*arguments, "--fit", "squeeze").stdout
    assert output.read_bytes() == whole


def test_pictures_inside_are_the_builder_s_choice(networks: Path, colour_images: Path, convert, tmp_path: Path) -> None:
    """The build says that pictures lie inside; --golden-images none leaves every one out."""
    arguments = ("build", "--model", networks / "colours.tflite", "--images", colour_images, "-o", "x.tflite")
    assert "pictures of yours lie inside" in convert(*arguments).stdout
    done = convert(*arguments, "--golden-images", "none")
    assert (done.returncode, "pictures" in done.stdout) == (0, False)
    assert not ModelFile.load(tmp_path / "work" / "x.tflite").has_entry("golden/frame.png")
    assert "pictures of yours" in convert(*arguments, "--golden-images", colour_images).stdout


def test_an_edited_label_file_is_noticed(networks: Path, colour_images: Path, convert, tmp_path: Path) -> None:
    """Labels that lie beside the network belong to what a build is made of, though no option names them."""
    network = tmp_path / "mine.tflite"
    network.write_bytes((networks / "colours.tflite").read_bytes())
    arguments = ("build", "--json", "--model", network, "--images", colour_images, "-o", "x.tflite")
    for labels in (("red", "green", "blue"), ("rot", "grün", "blau")):
        network.with_suffix(".txt").write_text("\n".join(labels))
        assert '"reused": false' in convert(*arguments).stdout
        assert ModelFile.load(tmp_path / "work" / "x.tflite").labels == labels


def test_a_full_disk_leaves_nothing(
    networks: Path, colour_images: Path, person_model: Path, tmp_path: Path, the_error
) -> None:
    """Where the disk takes only half of the file, there is one line and no file, and an older file stays as it was."""
    output = tmp_path / "out" / "x.tflite"
    output.parent.mkdir()
    older = person_model.read_bytes()
    output.write_bytes(older)
    command = [sys.executable, "-m", "labelcam_converter", "build", "--model", networks / "colours.tflite"]
    done = subprocess.run(
        [*map(str, command), "--images", str(colour_images), "-o", str(output)],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000)),
    )
    assert "cannot be written (File too large)" in the_error(done)
    assert done.returncode == 1
    assert list(output.parent.iterdir()) == [output]
    assert output.read_bytes() == older


def test_a_full_temporary_folder(networks: Path, tmp_path: Path, the_error) -> None:
    """Where TensorFlow cannot write what it needs in between, the line says which folder is full."""
    command = [sys.executable, "-m", "labelcam_converter", "build", "--model", str(networks / "colours.keras")]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (2_000, 2_000)),
    )
    assert f"the temporary folder {tmp_path} is full; free space or set TMPDIR" in the_error(done)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_build_that_is_stopped_leaves_nothing(how: signal.Signals, networks: Path, tmp_path: Path) -> None:
    """Ctrl-C amid the conversion ends it at once with exit code 130, with no file and no process left."""
    for name in ("work", "tmp"):
        (tmp_path / name).mkdir()
    command = [sys.executable, "-m", "labelcam_converter", "build", "--model", str(networks / "colours.keras")]
    env = {**os.environ, "TMPDIR": str(tmp_path / "tmp")}
    building = subprocess.Popen(command, cwd=tmp_path / "work", env=env, stderr=subprocess.PIPE, text=True)
    while not list((tmp_path / "tmp").glob("labelcam-*/request.json")):
        assert building.poll() is None
        time.sleep(0.05)
    time.sleep(1.5)  # well into TensorFlow
    building.send_signal(how)
    _, said = building.communicate(timeout=10)
    assert building.returncode == (130 if how == signal.SIGINT else 143)
    assert "Traceback" not in said
    time.sleep(0.5)
    assert list((tmp_path / "work").iterdir()) == list((tmp_path / "tmp").iterdir()) == []


def test_ctrl_c_while_writing(tmp_path: Path) -> None:
    """A file that is being written disappears, whatever interrupts it."""

    def interrupted() -> None:
        with new_file(tmp_path / "x.tflite") as new:
            new.write_bytes(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert list(tmp_path.iterdir()) == []
