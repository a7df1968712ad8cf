# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The controller against boards that are reckoned: heat follows power in one or two steps, quickly and slowly."""

import random
from dataclasses import dataclass
from math import exp, inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labelcam.restraint import HOLD_S, Bounds, Restraint

QUANTUM_C = 0.55
"""As a Pi 4 tells its temperature."""


@dataclass
class Oven:
    """A board: so much hotter at full load, a share of it within `quick_s`, the rest within `slow_s` seconds."""

    bounds: Bounds
    kelvin: float
    quick: float
    quick_s: float
    slow_s: float
    ambient: float = 35.0
    idle: float = 0.3
    noise: float = 0.3
    seed: int = 0

    def __post_init__(self) -> None:
        self.restraint = Restraint(self.bounds)
        self.now_s, self._parts = 0.0, [self.idle, self.idle]
        self._chance = random.Random(self.seed)
        self.rates: list[float] = []
        self.celsius: list[float] = []

    def run(self, seconds: int, throttled: bool = False) -> None:
        ceiling = self.bounds.ceiling
        for _ in range(seconds):
            load = self.idle + (1 - self.idle) * min(1.0, self.restraint.fps / ceiling)
            for n, over_s in enumerate((self.quick_s, self.slow_s)):
                self._parts[n] += (load - self._parts[n]) * (1 - exp(-1 / over_s))
            share = self.quick * self._parts[0] + (1 - self.quick) * self._parts[1]
            celsius = self.ambient + self.kelvin * share
            told = round((celsius + self._chance.gauss(0, self.noise)) / QUANTUM_C) * QUANTUM_C
            self.restraint.sample(self.now_s, told, None, throttled, min(self.restraint.fps, ceiling))
            self.now_s += 1
            self.rates.append(self.restraint.fps)
            self.celsius.append(celsius)


BOARDS = {
    "kelvin": st.floats(8, 60),
    "quick": st.floats(0, 0.7),
    "quick_s": st.floats(2, 20),
    "slow_s": st.floats(30, 900),
    "seed": st.integers(0, 1000),
    "fps": st.sampled_from([1.0, 10.0, 60.0]),
}


@given(limit=st.floats(0.1, 0.95), **BOARDS)
@settings(deadline=None, max_examples=20)
def test_it_settles_below_the_limit_without_swinging(
    limit: float, kelvin: float, quick: float, quick_s: float, slow_s: float, seed: int, fps: float
) -> None:
    """Whatever the board and its cooling: never above max_fps or below the lowest, and steady in the end.

    `limit` is where the limit lies between the temperatures at rest and at full load.
    """
    rest, full = 35 + 0.3 * kelvin, 35 + kelvin
    bounds = Bounds(max_celsius=rest + limit * (full - rest), ceiling=fps, lowest=fps / 30)
    oven = Oven(bounds, kelvin, quick, quick_s, slow_s, seed=seed)
    oven.run(5400)
    assert all(bounds.lowest * 0.999 <= rate <= fps for rate in oven.rates)
    end, rates = oven.celsius[-900:], oven.rates[-900:]
    assert max(end) < bounds.max_celsius + 0.7
    assert max(end) - min(end) < 1.5
    if min(rates) > bounds.lowest * 1.01:
        assert max(rates) / min(rates) < 1.35
        assert min(end) > bounds.max_celsius - 3.5 or min(rates) == fps


@given(limit=st.floats(0.4, 0.95), **BOARDS)
@settings(deadline=None, max_examples=25)
def test_it_never_gets_far_above_the_limit_on_the_way(
    limit: float, kelvin: float, quick: float, quick_s: float, slow_s: float, seed: int, fps: float
) -> None:
    """From cold at full load: what is above the limit is a small part of what the board heats up by."""
    rest, full = 35 + 0.3 * kelvin, 35 + kelvin
    bounds = Bounds(max_celsius=rest + limit * (full - rest), ceiling=fps, lowest=fps / 30)
    oven = Oven(bounds, kelvin, quick, quick_s, slow_s, seed=seed)
    oven.run(1800)
    assert max(oven.celsius) - bounds.max_celsius < 1.5 + 0.1 * kelvin


def test_a_board_that_stays_cool_is_never_held_back() -> None:
    """Not a single frame, not even while it warms up quickly."""
    oven = Oven(Bounds(max_celsius=80, ceiling=10), kelvin=38, quick=0.6, quick_s=5, slow_s=200)
    oven.run(3600)
    assert set(oven.rates) == {10.0}
    assert not oven.restraint.limited


def test_it_recovers_when_the_room_cools() -> None:
    """The whole rate comes back by itself, and the restraint is over then."""
    oven = Oven(Bounds(max_celsius=60, ceiling=10, lowest=0.3), kelvin=40, quick=0.5, quick_s=5, slow_s=120)
    oven.run(1800)
    assert oven.rates[-1] < 8
    oven.ambient = 15
    oven.run(1800)
    assert oven.rates[-1] == 10.0
    assert not oven.restraint.limited


def test_firmware_that_holds_the_board_back_is_a_reason_of_its_own() -> None:
    """However cool the sensor: halved within a minute, not raised for another after it has ended, then raised."""
    oven = Oven(Bounds(max_celsius=85, ceiling=10, lowest=0.3), kelvin=20, quick=0.5, quick_s=5, slow_s=120)
    oven.run(60)
    assert oven.rates[-1] == 10
    oven.run(60, throttled=True)
    low = oven.rates[-1]
    assert low < 5
    assert oven.restraint.limited
    oven.run(int(HOLD_S) - 2)
    assert oven.rates[-1] == pytest.approx(low)
    oven.run(1200)
    assert oven.rates[-1] == 10


def test_without_a_limit_of_heat_firmware_is_left_to_itself() -> None:
    """Who set no max_celsius did not ask for it."""
    restraint = Restraint(Bounds(max_watts=5, ceiling=10))
    for second in range(100):
        restraint.sample(float(second), 70.0, 3.0, True, 10.0)
    assert restraint.fps == 10.0


@given(idle=st.floats(0.5, 4), share=st.floats(0.5, 3), limit=st.floats(0.25, 0.9), seed=st.integers(0, 1000))
@settings(deadline=None, max_examples=15)
def test_power_settles_below_its_limit(idle: float, share: float, limit: float, seed: int) -> None:
    """Single samples jump by a quarter; their mean stays below max_watts, and the rate is as steady as it can be.

    At full rate inference takes at least half as much as the idle board.
    """
    chance, dynamic = random.Random(seed), idle * share
    restraint = Restraint(Bounds(max_watts=idle + limit * dynamic, ceiling=10, lowest=0.3))
    watts, rates = [], []
    for tenth in range(6000):
        now = idle + dynamic * min(1.0, restraint.fps / 10)
        restraint.sample(tenth / 10, None, now * chance.uniform(0.75, 1.25), None, min(10.0, restraint.fps))
        watts.append(now)
        rates.append(restraint.fps)
    end = watts[-3000:]
    assert sum(end) / len(end) < restraint.bounds.max_watts
    assert max(end) < restraint.bounds.max_watts * 1.1
    if min(rates) > 0.31:
        assert max(rates[-3000:]) / min(rates[-3000:]) < 2


def test_a_network_that_is_slower_than_its_camera_is_eased_from_what_it_reaches() -> None:
    """Lowering ten frames a second to five would change nothing where only four are reached."""
    restraint = Restraint(Bounds(max_celsius=70, ceiling=10, lowest=0.3))
    for second in range(5):
        restraint.sample(float(second), 75.0, None, False, 4.0)
    assert restraint.limited
    assert restraint.full == 4.0
    assert restraint.fps < 4.0


def test_a_source_without_a_rate_is_eased_once_its_own_is_known() -> None:
    """Photographs go as fast as they can; what that is must have been seen."""
    restraint = Restraint(Bounds(max_celsius=70))
    restraint.sample(0.0, 75.0, None, False, None)
    assert restraint.fps == inf
    for second in range(1, 30):
        restraint.sample(float(second), 75.0, None, False, 200.0)
    assert 100 < restraint.fps < 200
    for second in range(30, 400):
        restraint.sample(float(second), 50.0, None, False, restraint.fps)
    assert restraint.fps == inf


def test_the_stricter_limit_counts() -> None:
    """Hot and frugal, or cool and greedy: either is enough."""
    for celsius, watts in ((80.0, 3.0), (50.0, 6.0)):
        restraint = Restraint(Bounds(max_celsius=70, max_watts=5, ceiling=10, lowest=0.3))
        for second in range(300):
            restraint.sample(float(second), celsius, watts, False, 10.0)
        assert restraint.fps == pytest.approx(0.3)


def test_a_sensor_that_is_silent_changes_nothing() -> None:
    """A rate that was lowered stays until somebody knows better."""
    restraint = Restraint(Bounds(max_celsius=70, ceiling=10, lowest=0.3))
    for second in range(60):
        restraint.sample(float(second), 75.0, None, False, 10.0)
    before = restraint.fps
    assert before < 10
    for second in range(60, 600):
        restraint.sample(float(second), None, None, None, before)
    assert restraint.fps == before


@given(steps=st.lists(st.tuples(st.floats(0, 50), st.floats(-20, 120), st.booleans()), max_size=80))
@settings(deadline=None, max_examples=60)
def test_it_stays_within_its_bounds_whatever_it_is_told(steps: list[tuple[float, float, bool]]) -> None:
    """Clocks that stand still or jump, sensors that lie."""
    restraint, now_s = Restraint(Bounds(max_celsius=60, ceiling=10, lowest=0.3)), 0.0
    for passed_s, celsius, throttled in steps:
        now_s += passed_s
        restraint.sample(now_s, celsius, None, throttled, 10.0)
        assert restraint.fps * 1.000001 >= 0.3
        assert restraint.fps <= 10
