# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Copies are recognised, different photographs are not taken for copies."""

from itertools import combinations

import cv2
import numpy as np
import pytest

from labelcam.images import Pixels, read_image
from labelcam_converter.pictures.near_duplicates import Gallery, look
from labelcam_converter.pictures.photographs import photographs

PHOTOGRAPHS = {path.stem: read_image(path) for path in photographs()}


def kept(first: Pixels, second: Pixels) -> bool:
    gallery = Gallery()
    gallery.add(look(first))
    return gallery.add(look(second))


def encoded(pixels: Pixels, ending: str, quality: int) -> Pixels:
    option = {".jpg": cv2.IMWRITE_JPEG_QUALITY, ".webp": cv2.IMWRITE_WEBP_QUALITY}[ending]
    return cv2.imdecode(cv2.imencode(ending, pixels, [option, quality])[1], cv2.IMREAD_COLOR)


def pasted(pixels: Pixels, other: Pixels) -> Pixels:
    """Another thing over a tenth of the same scene, in its middle."""
    changed = pixels.copy()
    side = int(min(pixels.shape[:2]) * 0.4)
    top, left = (pixels.shape[0] - side) // 2, (pixels.shape[1] - side) // 2
    changed[top : top + side, left : left + side] = cv2.resize(other, (side, side), interpolation=cv2.INTER_AREA)
    return changed


COPIES = {
    "jpeg": lambda pixels: encoded(pixels, ".jpg", 40),
    "webp": lambda pixels: encoded(pixels, ".webp", 50),
    "half": lambda pixels: cv2.resize(pixels, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA),
    "square": lambda pixels: cv2.resize(pixels, (224, 224), interpolation=cv2.INTER_AREA),
    "brighter": lambda pixels: np.clip(pixels * 1.15, 0, 255).astype(np.uint8),
    "darker": lambda pixels: (pixels * 0.7).astype(np.uint8),
}


@pytest.mark.parametrize("change", COPIES)
def test_a_copy_is_recognised(change: str) -> None:
    """Encoded again, resized, brighter or darker: it is the same photograph, for at least nine of ten."""
    found = [name for name, pixels in PHOTOGRAPHS.items() if not kept(pixels, COPIES[change](pixels))]
    assert len(found) >= 9, sorted(set(PHOTOGRAPHS) - set(found))


def test_different_photographs_are_kept() -> None:
    """No two of the ten are taken for one another, nor for two frames of one scene."""
    gallery = Gallery()
    assert all(gallery.add(look(pixels)) for pixels in PHOTOGRAPHS.values())
    assert [gallery.scene_mates(number) for number in range(10)] == [[]] * 10
    assert all(kept(one, other) for one, other in combinations(PHOTOGRAPHS.values(), 2))


def test_another_thing_before_the_same_background_is_kept() -> None:
    """A fixed camera sees the same scene all day: what is new in it makes it another picture, though of one scene."""
    coffee = PHOTOGRAPHS["coffee"]
    others = [pasted(coffee, PHOTOGRAPHS[name]) for name in ("chelsea", "rocket", "astronaut")]
    assert all(kept(coffee, other) for other in others)


def test_plain_pictures_are_never_copies() -> None:
    """Where there is no structure there is nothing to recognise a picture by."""
    assert kept(np.full((32, 32, 3), 90, np.uint8), np.full((32, 32, 3), 91, np.uint8))


def test_colours_tell_pictures_apart() -> None:
    """The same pattern in other colours is another picture."""
    ramp = np.linspace(0, 200, 64).astype(np.uint8)[None, :, None].repeat(64, axis=0)
    red, blue = np.pad(ramp, ((0, 0), (0, 0), (0, 2))), np.pad(ramp, ((0, 0), (0, 0), (2, 0)))
    assert kept(red, blue)


def test_a_moved_camera_shows_the_same_scene() -> None:
    """A frame that is shifted by 2% is of the same scene, for most photographs, copy or not."""
    found = 0
    for pixels in PHOTOGRAPHS.values():
        height, width = pixels.shape[:2]
        moved = pixels[height // 50 :, width // 50 :]
        gallery = Gallery()
        gallery.add(look(pixels))
        found += not gallery.add(look(moved)) or gallery.scene_mates(0) == [1]
    assert found >= 8
