# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labelcam.view import Region, View

FRAME = np.random.default_rng(2).integers(0, 256, (48, 64, 3), np.uint8)


def upright(rotate: int, mirror: bool) -> np.ndarray:
    """The picture as numpy turns it."""
    turned = np.rot90(FRAME, -rotate // 90)
    return turned[:, ::-1] if mirror else turned


@pytest.mark.parametrize("rotate", [0, 90, 180, 270])
@pytest.mark.parametrize("mirror", [False, True])
def test_a_camera_may_hang_any_way_up(rotate: int, mirror: bool) -> None:
    """Turned clockwise, then mirrored: all eight ways give what a person expects."""
    assert np.array_equal(View(rotate=rotate, mirror=mirror).of(FRAME), upright(rotate, mirror))


@pytest.mark.parametrize("rotate", [0, 90, 180, 270])
@pytest.mark.parametrize("mirror", [False, True])
def test_a_region_is_of_the_picture_as_a_person_sees_it(rotate: int, mirror: bool) -> None:
    """What is cut out is the same whether the frame is turned before or after."""
    picture = upright(rotate, mirror)
    height, width = picture.shape[:2]
    part = View(Region(0.25, 0.5, 0.5, 0.25), rotate, mirror).of(FRAME)
    wanted = picture[height // 2 : height * 3 // 4, width // 4 : width * 3 // 4]
    assert np.array_equal(part, wanted)


def test_nothing_is_copied_where_nothing_is_turned() -> None:
    """The whole picture and a part of it are views of the camera's memory."""
    assert View().of(FRAME) is FRAME
    assert np.shares_memory(View(Region(0.5, 0.5, 0.5, 0.5)).of(FRAME), FRAME)


@given(
    x=st.floats(0, 0.999),
    y=st.floats(0, 0.999),
    width=st.floats(1e-9, 1),
    height=st.floats(1e-9, 1),
    rotate=st.sampled_from([0, 90, 180, 270]),
    mirror=st.booleans(),
    size=st.tuples(st.integers(1, 40), st.integers(1, 40)),
)
def test_every_region_of_every_frame_has_pixels(
    x: float, y: float, width: float, height: float, rotate: int, mirror: bool, size: tuple[int, int]
) -> None:
    """However small, a region is at least one pixel, and never more than the frame."""
    region = Region(x, y, min(width, 1 - x), min(height, 1 - y))
    part = View(region, rotate, mirror).of(np.zeros((*size, 3), np.uint8))
    assert 1 <= part.shape[0] * part.shape[1] <= size[0] * size[1]
