# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0

import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labelcam.histogram import Histogram
from labelcam.metrics import resident_bytes


@given(
    seed=st.integers(0, 1000),
    count=st.integers(1, 5000),
    middle=st.floats(-3, 6),
    spread=st.floats(0, 2),
    share=st.sampled_from([0.01, 0.5, 0.95, 0.99, 1.0]),
)
@settings(deadline=None, max_examples=100)
def test_every_percentile_is_right_within_one_percent(
    seed: int, count: int, middle: float, spread: float, share: float
) -> None:
    """Whatever the distribution, from microseconds to minutes, a percentile is what numpy says, give or take 1%."""
    values = np.random.default_rng(seed).lognormal(middle, spread, count)
    histogram = Histogram()
    for value in values:
        histogram.add(float(value))
    exact = np.quantile(values, share, method="inverted_cdf")
    assert histogram.quantile(share) == pytest.approx(exact, rel=0.0101)
    assert histogram.percentiles().max == values.max()


def test_a_histogram_never_grows() -> None:
    """A week of frames takes the memory of one thousand."""
    histogram = Histogram()
    for _ in range(2000):
        histogram.add(1.0)
    early = sys.getsizeof(histogram._pending) + histogram._counts.nbytes
    for number in range(50_000):
        histogram.add(float(number))
    assert sys.getsizeof(histogram._pending) + histogram._counts.nbytes <= early * 1.5
    assert len(histogram._pending) <= 1024


@pytest.mark.parametrize("value", [0.0, 1e-9, 1e12, -1.0])
def test_impossible_durations_do_not_stop_the_count(value: float) -> None:
    """A clock that jumps or a laptop that slept gives odd durations; they count, at the histogram's ends."""
    histogram = Histogram()
    histogram.add(value)
    assert histogram.quantile(0.5) <= max(value, 0.0) * 1.01


def test_nothing_counted_is_zero() -> None:
    """A run without frames reports zeros, not an error."""
    assert Histogram().percentiles().p99 == 0.0


def test_resident_memory_is_what_the_kernel_says() -> None:
    """A Python with numpy takes between 10 MB and 10 GB."""
    assert 10e6 < resident_bytes() < 10e9
