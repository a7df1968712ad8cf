# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Folders are matched with labels as people name them, and never by guessing."""

import pytest

from labelcam_converter.fidelity.folder_labels import meant
from labelcam_converter.labels import imagenet_labels

LABELS = ("tabby, tabby cat", "Great White Shark", "hot-dog", "crane", "crane", "7")


@pytest.mark.parametrize(
    ("folder", "output"),
    [
        ("great_white_shark", 1),
        ("Great White  Shark", 1),
        ("002_great-white-shark", 1),
        ("n01484850-great_white_shark", 1),
        ("hot_dog", 2),
        ("tabby cat", 0),
        ("Tabby", 0),
        ("7", 5),
    ],
)
def test_a_folder_means_a_label(folder: str, output: int) -> None:
    """Case, hyphens, underscores and numbers in front do not count; a synonym between commas does."""
    assert meant([folder], LABELS).outputs == {folder: output}


@pytest.mark.parametrize("folder", ["crane", "shark", "3", "cat"])
def test_what_is_not_sure_is_not_matched(folder: str) -> None:
    """Two labels of one name, a part of a name, a bare number: no label, and the note says why."""
    found = meant([folder], LABELS)
    assert (found.outputs, folder in (found.note or "")) == ({}, True)


def test_imagenet_s_own_folder_names() -> None:
    """WordNet's numbers mean ImageNet's classes, where the network has their names."""
    assert meant(["n02123045", "n01440764"], imagenet_labels()).outputs == {"n02123045": 281, "n01440764": 0}
    assert meant(["n02123045"], ("tabby", "fox")).outputs == {"n02123045": 0}
    assert meant(["n02123045"], ("wolf", "fox")).outputs == {}


def test_the_note_names_the_strangers() -> None:
    """Some folders without a label leave the accuracy to the others; none at all means no accuracy."""
    assert meant(["tabby", "unicorn"], LABELS).note == "no label is called unicorn: not in the accuracy"
    assert meant(["hot dog"], LABELS).note is None
    assert "one folder a label" in (meant([], LABELS).note or "")
