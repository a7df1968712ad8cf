# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from labelcam.scores import Scores, UnknownThresholds, entropy, margin, scaled

LOGITS = st.lists(st.floats(-8, 8), min_size=2, max_size=50).map(np.array)


def softmax(logits: np.ndarray) -> Scores:
    powers = np.exp(logits - logits.max())
    return (powers / powers.sum()).astype(np.float32)


def as_byte(scores: Scores) -> Scores:
    """What a full-integer network's output says of them."""
    return (np.clip(np.round(scores * 256), 0, 255) / 256).astype(np.float32)


@hypothesis_settings(deadline=None)
@given(logits=LOGITS, temperature=st.floats(0.5, 3))
def test_scaling_divides_the_logits(logits: np.ndarray, temperature: float) -> None:
    """Powers of 1 / T, normalised, are the softmax of the logits divided by T: no logits are needed."""
    assert scaled(softmax(logits), temperature) == pytest.approx(softmax(logits / temperature), abs=1e-4)


@hypothesis_settings(deadline=None)
@given(logits=LOGITS, temperature=st.floats(0.25, 4).filter(lambda hot: hot != 1))
def test_scaling_keeps_the_order_and_sums_to_one(logits: np.ndarray, temperature: float) -> None:
    """The best label stays the best, whatever the temperature, also of scores that went through a byte."""
    scores = as_byte(softmax(logits))
    result = scaled(scores, temperature)
    assert result.dtype == np.float32
    assert result.sum() == pytest.approx(1, abs=1e-4)
    assert np.all(np.diff(result[np.argsort(scores, kind="stable")]) >= -1e-7)


def test_a_temperature_of_one_costs_nothing() -> None:
    """The very same array comes back."""
    scores = softmax(np.arange(5.0))
    assert scaled(scores, 1.0) is scores


def test_a_temperature_near_one_changes_little() -> None:
    """A thousand labels that a byte tells as 0 hold a tenth of all: that tenth does not jump onto the others."""
    scores = np.zeros(1000, np.float32)
    scores[:2] = 0.6, 0.3
    assert scaled(scores, 1.001)[:2] == pytest.approx([0.6, 0.3], abs=0.002)
    assert scaled(scores, 0.999)[:2] == pytest.approx([0.6, 0.3], abs=0.002)


@pytest.mark.parametrize("scores", [[0.0, 0.0], [1.0, 1.0], [-3.0, -1.0], [1.0, 0.0], [0.0] * 1000])
@pytest.mark.parametrize("temperature", [0.5, 1.7])
def test_scores_that_are_no_probabilities_give_finite_ones(scores: list[float], temperature: float) -> None:
    """A network without a softmax is not helped, but neither does it end in nan."""
    result = scaled(np.array(scores, np.float32), temperature)
    assert np.all((result >= 0) & (result <= 1))


@pytest.mark.parametrize(
    ("scores", "wanted"), [([1.0, 0.0, 0.0], 0.0), ([1 / 3] * 3, 1.0), ([0.5, 0.5, 0.0, 0.0], 0.5), ([0.7], 0.0)]
)
def test_entropy_is_a_share(scores: list[float], wanted: float) -> None:
    """0 where one label has all, 1 where all are equal, a half where two of four share."""
    assert entropy(np.array(scores, np.float32)) == pytest.approx(wanted, abs=1e-5)


@hypothesis_settings(deadline=None)
@given(logits=LOGITS)
def test_a_byte_is_enough_for_the_entropy(logits: np.ndarray) -> None:
    """What a byte rounds away changes the entropy by less than a tenth."""
    scores = softmax(logits)
    assert entropy(as_byte(scores)) == pytest.approx(entropy(scores), abs=0.1)


def test_the_margin_is_to_the_best_of_the_others() -> None:
    """Wherever the others stand; alone, a score is its own margin."""
    scores = np.array([0.1, 0.6, 0.25, 0.05], np.float32)
    assert margin(scores, 1) == pytest.approx(0.35)
    assert margin(scores, 2) == pytest.approx(-0.35)
    assert margin(scores[:1], 0) == pytest.approx(0.1)


@pytest.mark.parametrize("wrong", [{"score": -0.1}, {"margin": 1.1}, {"entropy": float("nan")}])
def test_thresholds_are_shares(wrong: dict[str, float]) -> None:
    """Each is from 0 to 1, or no thresholds."""
    with pytest.raises(ValueError, match="each is from 0 to 1"):
        UnknownThresholds(**wrong)
