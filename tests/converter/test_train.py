# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""`train` makes a network of one's own labels, as good as it says, and `build` takes it."""

import json
import os
import signal
import subprocess
import sys
import zipfile
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
import pytest

from labelcam.errors import ImageError
from labelcam_converter.fidelity.shares import Share
from labelcam_converter.train.dataset import LEAST, divide, gather

LEARNED = 40
"""Faces, and pictures of something else, that the training sees; 60 more of each it never does."""


def write_faces(folder: Path, numbers: range) -> None:
    """Scikit-image's 100 faces and 100 other details of photographs (Labeled Faces in the Wild), 25 x 25 pixels."""
    found = find_spec("skimage")
    assert found is not None
    assert found.origin is not None
    patches = np.load(Path(found.origin).parent / "data" / "lfw_subset.npy")
    for label, first in (("face", 0), ("something else", 100)):
        (folder / label).mkdir(parents=True)
        for number in numbers:
            pixels = (patches[first + number] * 255).astype(np.uint8)
            cv2.imwrite(str(folder / label / f"{number:03}.png"), pixels)


@pytest.fixture(scope="session")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the images to learn from in `learned`, the others in `never_seen`."""
    folder = tmp_path_factory.mktemp("faces")
    write_faces(folder / "learned", range(LEARNED))
    write_faces(folder / "never_seen", range(LEARNED, 100))
    return folder


@pytest.fixture
def folders(tmp_path: Path) -> Callable[..., Path]:
    """Make a folder of labels with so many images each, by keywords, all different."""

    def make(**counts: int) -> Path:
        rng = np.random.default_rng(0)
        for label, count in counts.items():
            (tmp_path / "set" / label).mkdir(parents=True)
            for number in range(count):
                pixels = cv2.resize(rng.integers(0, 256, (5, 5, 3)).astype(np.uint8), (64, 64))
                cv2.imwrite(str(tmp_path / "set" / label / f"{number}.png"), pixels)
        return tmp_path / "set"

    return make


def test_it_is_as_good_as_it_says(faces: Path, convert, tmp_path: Path) -> None:
    """Learned from 80 photographs, tested as int8 on 120 others: right on nineteen of twenty of them.

    train says how often it is right on images it kept back, build takes the file with its labels and knows that its
    input is 0 to 255, and classify names faces that neither has ever seen.
    """
    done = convert(
        *("train", "--images", faces / "learned", "--model", "efficientnet_lite0", "-o", "mine.keras"),
        *("--report", "mine.html", "--json"),
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["schema"] == 1
    assert told["accuracy"]["value"] >= 0.9
    assert told["accuracy"]["low"] < told["accuracy"]["value"] <= told["accuracy"]["high"]
    assert [row["label"] for row in told["labels"]] == ["face", "something else"]
    assert sum(map(sum, told["confusion"])) == told["validation_images"] == 16
    assert "something else" in (tmp_path / "work" / "mine.html").read_text()

    built = convert(
        *("build", "--model", "mine.keras", "--images", faces / "learned", "-o", "mine.tflite"),
        *("--golden-images", "none", "--json"),
    )
    assert built.returncode == 0, built.stderr
    assert "0 to 255" in built.stderr
    unseen = sorted((faces / "never_seen").rglob("*.png"))
    command = [sys.executable, "-m", "labelcam", "classify", "--json", tmp_path / "work" / "mine.tflite", *unseen]
    said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=100)
    answers = [json.loads(line) for line in said.stdout.splitlines()]
    assert len(answers) == 120
    right = sum(answer["top"][0]["label"] == Path(answer["image"]).parent.name for answer in answers)
    assert right >= 114


def test_the_same_training_gives_the_same_bytes(networks: Path, colour_images: Path, convert, tmp_path: Path) -> None:
    """Fine-tuning included; what is saved begins with its scaling and holds nothing of what altered the pictures."""
    folder = tmp_path / "colours"
    for path in colour_images.iterdir():
        label = path.name.partition("_")[0]
        (folder / label).mkdir(parents=True, exist_ok=True)
        (folder / label / path.name).write_bytes(path.read_bytes())
    more = ("--model", networks / "nested.keras", "--epochs", "2", "--fine-tune", "--seed", "3", "--json")
    for name in ("a", "b"):
        done = convert("train", "--images", folder, *more, "-o", f"{name}.keras")
        assert done.returncode == 0, done.stderr
    a, b = (tmp_path / "work" / f"{name}.keras" for name in ("a", "b"))
    assert a.read_bytes() == b.read_bytes()
    assert a.with_suffix(".txt").read_text() == "blue\ngreen\nred\n"
    assert not list((tmp_path / "tmp").iterdir())
    with zipfile.ZipFile(a) as archive:
        config = archive.read("config.json").decode()
    assert "RandomBrightness" not in config
    assert len(json.loads(done.stdout)["epochs"]) >= 3


def test_ctrl_c_leaves_nothing_behind(faces: Path, tmp_path: Path) -> None:
    """Interrupted while the worker is at it: exit code 130, no file, no temporary folder."""
    (tmp_path / "tmp").mkdir()
    command = [sys.executable, "-m", "labelcam_converter", "train", "--images", faces / "learned", "--model", "person"]
    env = {**os.environ, "TMPDIR": str(tmp_path / "tmp")}
    started = subprocess.Popen(
        [*command, "-o", tmp_path / "mine.keras"], stderr=subprocess.PIPE, text=True, env=env, start_new_session=True
    )
    assert started.stderr is not None
    while "reading images" not in (line := started.stderr.readline()):
        assert line, "it ended before it read the images"
    os.killpg(started.pid, signal.SIGINT)
    _, said = started.communicate(timeout=60)
    assert started.returncode == 130, said
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["tmp"]


@pytest.mark.parametrize(
    ("counts", "reason"),
    [
        ({"cat": 9}, "only the label cat"),
        ({"cat": 9, "dog": 0}, "the label dog has 0 images"),
        ({"cat": 9, "dog": 3}, f"the label dog has 3 images; it needs {LEAST} or more"),
    ],
)
def test_too_little_to_learn_from(counts: dict[str, int], reason: str, folders, convert, the_error) -> None:
    """One label, an empty one, or one of a few images: one line, before anything is fetched or computed."""
    done = convert("train", "--images", folders(**counts), "--model", "person", "-o", "mine.keras")
    assert reason in the_error(done)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--images", "nowhere", "--model", "person", "-o", "a.keras"), "nowhere: no such folder"),
        (("--images", ".", "--model", "person", "-o", "a.h5"), "ends with .keras"),
        (("--images", ".", "--model", "person", "-o", "."), "is a folder"),
        (("--images", ".", "--model", "person", "-o", "nowhere/a.keras"), "mkdir -p nowhere"),
        (("--images", ".", "--model", "nothing.keras", "-o", "a.keras"), "no such file"),
        (("--images", ".", "--model", "person", "-o", "a.keras", "--validation", "0.9"), "between 0.05 and 0.5"),
        (("--images", ".", "--model", "mobilenet_v3_huge", "-o", "a.keras"), "did you mean"),
    ],
)
def test_what_cannot_be_trained(arguments: tuple[str, ...], reason: str, convert, the_error, left_behind) -> None:
    """One line with the value, the reason and the remedy, and no file."""
    done = convert("train", *arguments)
    assert reason in (the_error(done) if "--validation" not in arguments else done.stderr)
    assert left_behind() == []


def test_a_tflite_cannot_be_trained_on(networks: Path, convert, the_error) -> None:
    """What has no trainable layers any more is refused by its name."""
    done = convert("train", "--images", ".", "--model", networks / "colours.tflite", "-o", "mine.keras")
    assert "only a .keras or .h5 file" in the_error(done)


def test_a_text_that_is_not_its_labels_is_spared(tmp_path: Path, convert, the_error) -> None:
    """notes.txt is not overwritten by the labels of notes.keras."""
    (tmp_path / "work" / "notes.txt").write_text("buy film")
    done = convert("train", "--images", ".", "--model", "person", "-o", "notes.keras")
    assert "notes.txt" in the_error(done)
    assert (tmp_path / "work" / "notes.txt").read_text() == "buy film"


def test_copies_and_unreadable_images_are_left_out(folders) -> None:
    """A picture that is there twice counts once, a damaged one not at all, and both are told."""
    folder = folders(cat=12, dog=12)
    (folder / "cat" / "again.png").write_bytes((folder / "cat" / "0.png").read_bytes())
    (folder / "dog" / "broken.jpg").write_bytes(b"\xff\xd8 no")
    found = gather(folder, 0.25, 0)
    assert (found.copies, found.unreadable) == (1, 1)
    assert [len(files) for files in found.learned] == [9, 9]
    assert [len(files) for files in found.judged] == [3, 3]
    assert found.labels == ("cat", "dog")


def test_train_and_val_name_no_label(folders, tmp_path: Path) -> None:
    """A data set that comes divided is read as a whole: set/train/cat and set/val/cat are both cat."""
    whole = folders(cat=20, dog=20)
    for part, ends in (("train", range(12)), ("val", range(12, 20))):
        for label in ("cat", "dog"):
            (tmp_path / "parts" / part / label).mkdir(parents=True)
            for number in ends:
                (whole / label / f"{number}.png").rename(tmp_path / "parts" / part / label / f"{number}.png")
    found = gather(tmp_path / "parts", 0.2, 0)
    assert found.labels == ("cat", "dog")
    assert [len(files) for files in found.learned] == [16, 16]


def test_a_name_that_is_no_label(folders) -> None:
    """A folder's name that a line of text cannot hold is refused before training."""
    folder = folders(cat=9, dog=9)
    for name in (b" dog", b"d\xf6g"):  # the second is Latin-1, which UTF-8 cannot write
        no_label = folder / os.fsdecode(name)
        (folder / "dog").rename(no_label)
        with pytest.raises(ImageError, match="no name for a label"):
            gather(folder, 0.2, 0)
        no_label.rename(folder / "dog")


def test_no_scene_is_on_both_sides() -> None:
    """Scenes go to one side whole; the same seed divides the same way; every image is on one side exactly."""
    scenes = [[Path(f"{scene}_{number}.png") for number in range(1 + scene % 4)] for scene in range(20)]
    left, chosen = divide(scenes, 10, np.random.default_rng(1))
    assert (left, chosen) == divide(scenes, 10, np.random.default_rng(1))
    assert sorted(left + chosen) == sorted(path for scene in scenes for path in scene)
    assert 5 <= len(chosen) <= 10
    assert all(set(scene) <= set(left) or set(scene) <= set(chosen) for scene in scenes)


def test_a_camera_that_never_moves() -> None:
    """Where all pictures are one scene, the last ones by name judge, so that neighbours in time stay together."""
    scene = [Path(f"{number:02}.png") for number in range(20)]
    left, chosen = divide([scene], 4, np.random.default_rng(0))
    assert chosen == tuple(scene[-4:])
    assert left == tuple(scene[:-4])


def test_few_images_say_little() -> None:
    """Ten right of ten may be a network that is wrong a quarter of the time; a hundred of a hundred may not."""
    assert Share(10, 10).as_json()["low"] < 0.75
    assert Share(100, 100).as_json()["low"] > 0.95
