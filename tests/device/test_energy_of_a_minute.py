# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The energy of a part of a run is the difference of two accounts, and as sure as an account of that part alone."""

import random
from math import inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labelcam.energy import Energy, EnergyAccount
from labelcam.extremes import LastMinute, Range
from labelcam.power import Nameplate
from labelcam.records import Vitals

PLATE = Nameplate("synthetic", "all", "nothing", "watts", 1000.0, 0.002)
COUNTER = Nameplate("counter", "all", "nothing", "joules", 1000.0, 1e-6)
TENTH_NS = 100_000_000


def samples(seed: int, count: int, first: int = 0) -> list[tuple[int, float | None]]:
    """Ten a second at a random moment of their turn; now and then the meter is silent for two seconds."""
    chance = random.Random(seed)
    silent = chance.randrange(count)
    return [
        (int((first + n + chance.random()) * TENTH_NS), None if 0 <= n - silent < 20 else 3 + 2 * chance.random())
        for n in range(count)
    ]


def account(taken: list[tuple[int, float | None]], plate: Nameplate = PLATE) -> EnergyAccount:
    made = EnergyAccount(plate, 10.0)
    for ns, value in taken:
        made.add(ns, value)
    return made


@given(seed=st.integers(0, 10_000), before=st.integers(2, 300), after=st.integers(30, 600))
@settings(deadline=None, max_examples=60)
def test_a_difference_says_what_an_account_of_that_time_alone_says(seed: int, before: int, after: int) -> None:
    """Joules, covered seconds, gaps and error: from the last sample of the first part to the last of all."""
    early, late = samples(seed, before), samples(seed + 1, after, before)
    whole = account(early)
    first = whole.energy()
    for ns, value in late:
        whole.add(ns, value)
    values = [value for _, value in [early[-1], *late] if value is not None]
    part = whole.energy().since(first, max(values) - min(values))
    alone = account([early[-1], *late]).energy()
    for name in ("joules", "seconds", "gap_seconds"):
        assert getattr(part, name) == pytest.approx(getattr(alone, name), abs=1e-6)
    assert part.error_joules == pytest.approx(alone.error_joules, rel=1e-6)
    assert part.hz == alone.hz
    assert (part.refusal == "") == (alone.refusal == "")


def test_without_a_range_the_error_is_no_smaller() -> None:
    """Who does not know how far power ranged in a part takes the range of the whole: a peak counts for ever."""
    whole = account([(n * TENTH_NS, 9.0 if n == 3 else 3.0 + n % 2 / 10) for n in range(300)])
    first = whole.energy()
    for n in range(300, 900):
        whole.add(n * TENTH_NS, 3.0 + n % 2 / 10)
    assert whole.energy().since(first).error_joules > 1.5 * whole.energy().since(first, 0.1).error_joules > 0


def test_another_meter_is_another_account() -> None:
    """After the meter was changed while we run, the new one's account is all there is."""
    old, new = account(samples(1, 100)).energy(), account(samples(2, 100, 100)).energy()
    assert new.since(old) == new
    assert new.since(None) == new


def test_a_counters_minute_is_exact_but_for_its_ends() -> None:
    """A counter's error does not grow with what it has counted before."""
    counting = account([(n * TENTH_NS, n * 0.4) for n in range(10_000)], COUNTER)
    first = counting.energy()
    for n in range(10_000, 10_600):
        counting.add(n * TENTH_NS, n * 0.4)
    minute = counting.energy().since(first)
    assert minute.joules == pytest.approx(240.0)
    assert minute.error_joules == pytest.approx(2 * (1e-6 + 4.0 / 1000))


def test_a_silent_minute_gives_no_figure() -> None:
    """The figures of a run may be good and those of its last minute missing: the meter was lost in it."""
    whole = account(samples(3, 1000))
    first = whole.energy()
    for n in range(1000, 1600):
        whole.add(n * TENTH_NS, None)
    minute = whole.energy().since(first)
    assert minute.error_joules == inf
    told = minute.as_json(10.0)
    assert (told["joules"], told["mj_per_inference"], told["error_mj_per_inference"]) == (None, None, None)
    assert told["refusal"]


def test_an_inferences_share_has_the_error_of_the_power() -> None:
    """Whole-board: the mean power by the frames a second, and its interval likewise."""
    energy = Energy("m", 300.0, 3.0, 60.0, 600, 10.0, 0, 0.0)
    told = energy.as_json(10.0)
    assert (told["mj_per_inference"], told["error_mj_per_inference"]) == (500.0, 5.0)


def test_extremes_are_forgotten_after_a_minute() -> None:
    """What happened 65 seconds ago is still told, what happened 80 seconds ago is not."""
    minute = LastMinute()
    minute.add(0, Vitals(9.0, 85.0, True, 600.0), True)
    for second in range(1, 66):
        minute.add(second * 1_000_000_000, Vitals(3.0, None, False, 1500.0 + second), False)
    extremes = minute.extremes()
    assert (extremes.watts, extremes.celsius, extremes.mhz) == (
        Range(3.0, 9.0),
        Range(85.0, 85.0),
        Range(600.0, 1565.0),
    )
    assert (extremes.throttled, extremes.undervolted) == (True, True)
    for second in range(66, 82):
        minute.add(second * 1_000_000_000, Vitals(3.0, None, False, 1500.0), None)
    extremes = minute.extremes()
    assert (extremes.watts, extremes.celsius, extremes.throttled) == (Range(3.0, 3.0), None, False)
