# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0

from datetime import UTC, datetime

import cv2
import numpy as np
import pytest

from labelcam.pictures import KEPT, KEPT_BYTES, Pictures
from labelcam.records import Decision, Label, Reading, Stage


def reading(seq: int) -> Reading:
    decision = Decision((Label("cat", 0.9),), "cat", None)
    return Reading(seq, datetime.now(UTC), None, decision, 1.0, dict.fromkeys(Stage, 1.0), 0)


def test_only_the_newest_few_are_remembered() -> None:
    """The newest is at hand, and those just before it by their number."""
    pictures = Pictures()
    assert pictures.newest() is None
    for seq in range(10):
        pictures.show(reading(seq), np.full((4, 4, 3), seq, np.uint8))
    newest = pictures.newest()
    assert newest is not None
    assert (newest.reading.seq, newest.pixels.max()) == (9, 9)
    assert [seq for seq in range(10) if pictures.of(seq)] == list(range(10 - KEPT, 10))


@pytest.mark.parametrize(("height", "kept"), [(480, 4), (1080, 1), (4000, 1)])
def test_large_pictures_are_fewer(height: int, kept: int) -> None:
    """Memory is bounded by bytes, but for the newest, whatever its size."""
    pictures = Pictures()
    for seq in range(6):
        pictures.show(reading(seq), np.zeros((height, height * 4 // 3, 3), np.uint8))
    found = [picture for seq in range(6) if (picture := pictures.of(seq))]
    assert len(found) == kept
    assert kept == 1 or sum(picture.pixels.nbytes for picture in found) <= KEPT_BYTES


def test_a_jpeg_has_the_right_colours_and_size() -> None:
    """Red stays red; the longer side is what was asked for, and small pictures are not enlarged."""
    pictures = Pictures()
    pictures.show(reading(0), np.full((60, 80, 3), (250, 20, 10), np.uint8))
    newest = pictures.newest()
    assert newest is not None
    for longest, shape in ((40, (30, 40, 3)), (500, (60, 80, 3)), (None, (60, 80, 3))):
        decoded = cv2.imdecode(np.frombuffer(newest.jpeg(longest), np.uint8), cv2.IMREAD_COLOR)
        assert decoded.shape == shape
        assert abs(decoded[5, 5].astype(int) - [10, 20, 250]).max() < 8  # OpenCV has blue first
