# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0

import numpy as np
import pytest

from labelcam.glance import Darkness, Freeze, glance
from labelcam.images import Pixels

RNG = np.random.default_rng(4)


def noisy(mean: float, deviation: float) -> Pixels:
    """A frame of that brightness, with noise or contrast."""
    pixels: Pixels = np.clip(RNG.normal(mean, deviation, (480, 640, 3)), 0, 255).astype(np.uint8)
    return pixels


@pytest.mark.parametrize(
    ("pixels", "dark"),
    [
        (noisy(0, 0), True),
        (noisy(5, 3), True),  # night, with the sensor's noise
        (noisy(60, 30), False),
        (noisy(12, 40), False),  # little light, but something to see: a lamp, a window
        (noisy(40, 2), False),  # no contrast, but light: fog, a wall
        (noisy(250, 1), False),
    ],
)
def test_dark_is_what_has_neither_light_nor_contrast(pixels: Pixels, dark: bool) -> None:
    """Both must be missing: a night scene with a lamp can be classified."""
    assert Darkness(16, 8).covers(pixels, 0) is dark


def test_dusk_does_not_flicker() -> None:
    """Dark is left at more light than it is entered at."""
    darkness = Darkness(16, 8)
    seen = [darkness.covers(noisy(mean, 1), 0) for mean in (18, 15, 17, 15, 18, 22, 18, 15)]
    assert seen == [False, True, True, True, True, False, False, True]


def test_frames_in_quick_succession_are_looked_at_once() -> None:
    """Within a tenth of a second a camera's frames are taken to be alike; then it is looked at again."""
    darkness = Darkness(16, 8, every_s=0.1)
    light, dark = noisy(90, 20), noisy(2, 1)
    times = ((dark, 0), (light, 50), (light, 99), (light, 100), (dark, 150), (dark, 200))
    seen = [darkness.covers(pixels, ms * 1_000_000) for pixels, ms in times]
    assert seen == [True, True, True, False, False, True]


def test_darkness_can_be_switched_off() -> None:
    """dark_mean = 0 calls nothing dark."""
    assert not Darkness(0, 8).covers(noisy(0, 0), 0)


def test_a_glance_is_of_the_whole_picture_at_any_size() -> None:
    """Frames of every size, and parts of frames, give 32x24 pixels of their own."""
    for pixels in (noisy(90, 20), noisy(90, 20)[:66, :88], np.full((6, 8, 3), 7, np.uint8), noisy(9, 9)[100:300, 7:99]):
        assert glance(pixels).shape == (24, 32, 3)
    assert glance(np.full((6, 8, 3), 7, np.uint8)).max() == 7


def test_noise_is_life() -> None:
    """A scene in which nothing moves never freezes as long as its sensor has noise."""
    freeze = Freeze(1.0)
    assert not any(freeze.holds(noisy(90, 1), number * 100_000_000) for number in range(40))


@pytest.mark.parametrize("period", [1, 2, 7, 50])
def test_a_circle_of_old_pictures_is_a_freeze(period: int) -> None:
    """However many buffers a driver goes round in; the time counts from the last picture that was new."""
    freeze = Freeze(10.0)
    pictures = [noisy(90, 20) for _ in range(period)]
    held = [freeze.holds(pictures[number % period], number * 100_000_000) for number in range(300)]
    assert held.index(True) == period - 1 + 100
    assert all(held[period - 1 + 100 :])
    assert not freeze.holds(noisy(90, 20), 31_000_000_000)


def test_an_interruption_is_not_a_freeze_but_ends_none() -> None:
    """After a minute unplugged, the same picture begins anew; a camera that froze is frozen until it shows another."""
    freeze, same = Freeze(1.0), noisy(90, 20)
    assert not freeze.holds(same, 0)
    freeze.interrupted()
    assert not freeze.holds(same, 60_000_000_000)
    assert freeze.holds(same, 61_000_000_000)
    freeze.interrupted()
    assert freeze.holds(same, 62_000_000_000)


def test_what_is_remembered_is_bounded() -> None:
    """Months of pictures take no more memory than minutes."""
    freeze = Freeze(1.0)
    for number in range(5000):
        noise = RNG.integers(0, 25, (24, 32, 3), np.uint8)
        freeze.holds(30 + number % 200 + noise, number * 100_000_000)
    assert len(freeze._seen) == 2048
