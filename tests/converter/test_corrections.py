# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""What stands behind ranges and corrections: each piece against what it is defined by."""

from pathlib import Path

import numpy as np
import pytest

from labelcam.preprocess import Preprocess
from labelcam_converter.flatbuffer import Operation, Tensor
from labelcam_converter.pictures import Picture
from labelcam_converter.quantization.moments import Gatherer
from labelcam_converter.quantization.ranges import Range, Values, estimate
from labelcam_converter.quantization.rounding import by_covariance, nearest
from labelcam_converter.quantization.taps import taps
from labelcam_converter.quantization.trial import best, halves
from labelcam_converter.quantization.weighted import Layer

SAME, VALID = 0, 1


def tensor(*shape: int) -> Tensor:
    return Tensor("t", shape, "float32", (), (), None)


def layer(kind: str, fed: tuple[int, ...], weights: tuple[int, ...], **options: int) -> Layer:
    usual = {"strideH": 1, "strideW": 1, "dilationHFactor": 1, "dilationWFactor": 1, "padding": SAME}
    step = Operation(kind, (0, 1, 2), (3,), options={**usual, **options})
    return Layer(step, tensor(*fed), tensor(*weights), tensor(weights[0]))


@pytest.mark.parametrize("side", [6, 7])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("padding", [SAME, VALID])
def test_taps_are_what_a_convolution_multiplies(side: int, stride: int, padding: int) -> None:
    """Gathered inputs times weights are the convolution, computed here by sliding windows over a padded picture."""
    rng = np.random.default_rng(0)
    picture = rng.normal(size=(1, side, side, 2)).astype(np.float32)
    one = layer("CONV_2D", picture.shape, (4, 3, 3, 2), strideH=stride, strideW=stride, padding=padding)
    weights = rng.normal(size=(18, 4))
    found = taps(one, picture, 1000, rng).reshape(-1, 18) @ weights
    missing = max((-(-side // stride) - 1) * stride + 3 - side, 0) if padding == SAME else 0
    around = (missing // 2, missing - missing // 2)
    padded = np.pad(picture[0], (around, around, (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(0, 1))[::stride, ::stride]
    wanted = windows.transpose(0, 1, 3, 4, 2).reshape(-1, 18) @ weights
    assert found == pytest.approx(wanted, abs=1e-5)


@pytest.mark.parametrize("depthwise", [False, True])
def test_moments_are_numpys(depthwise: bool) -> None:
    """However the rows come in, mean and covariance are those of all rows together."""
    rows = np.random.default_rng(0).normal(2, 1, (1500, 9, 3)).astype(np.float32)
    gatherers = [Gatherer(depthwise), Gatherer(depthwise)]
    for part in np.array_split(rows, 13):
        gatherers[len(part) % 2].add(part)
    found = gatherers[0].moments().joined(gatherers[1].moments())
    if depthwise:
        wanted = [np.cov(rows[:, :, channel].T, bias=True) for channel in range(3)]
        assert found.mean == pytest.approx(rows.mean(axis=0).T, abs=1e-4)
    else:
        wanted = np.cov(rows.reshape(1500, 27).T, bias=True)
        assert found.mean == pytest.approx(rows.reshape(1500, 27).mean(axis=0), abs=1e-4)
    assert found.covariance == pytest.approx(np.array(wanted), abs=1e-3)


@pytest.mark.parametrize("depthwise", [False, True])
def test_rounding_by_covariance_misses_less(depthwise: bool) -> None:
    """On inputs that vary together the answers lie nearer to the float ones than with each weight at its nearest."""
    rng = np.random.default_rng(0)
    rows = (rng.normal(size=(2000, 1, 8)) + 0.3 * rng.normal(size=(2000, 9, 8))).astype(np.float32)
    gatherer = Gatherer(depthwise)
    gatherer.add(rows)
    weights = rng.normal(size=(9, 8)) if depthwise else rng.normal(size=(72, 5))
    scales = np.abs(weights).max(axis=0) / 15  # coarse, so that it shows
    cancelled = by_covariance(weights, scales, gatherer.moments(), depthwise)
    assert cancelled == pytest.approx(nearest(cancelled, scales))
    missed = [_missed(rows, weights - each, depthwise) for each in (cancelled, nearest(weights, scales))]
    assert missed[0] < 0.5 * missed[1]


def _missed(rows: np.ndarray, error: np.ndarray, depthwise: bool) -> float:
    answers = np.einsum("rtc,tc->rc", rows, error) if depthwise else rows.reshape(len(rows), -1) @ error
    return float(answers.var(axis=0).mean())


def test_estimators_differ_by_what_they_leave_out() -> None:
    """Min-max covers every value, percentile all but a few, and mse gives up a lone one that costs all others codes."""
    rng = np.random.default_rng(0)
    values = rng.normal(size=1_000_000).astype(np.float32)
    values[0] = 20
    seen = {"x": Values(Range(float(values.min()), 20.0), values), "in": Values(Range(0, 1), values)}
    found = {each: estimate(seen, each, "in", Preprocess()) for each in ("minmax", "percentile", "mse")}
    assert found["minmax"]["x"].high == 20
    assert found["minmax"]["x"].outside(values) == 0
    assert found["percentile"]["x"].outside(values) == pytest.approx(1e-4, rel=0.2)
    assert 3 < found["mse"]["x"].high < 15
    assert all(each["in"] == Range(-1, 1) for each in found.values())


@pytest.mark.parametrize("estimator", ["minmax", "percentile", "mse"])
def test_a_tensor_of_one_value_has_a_range(estimator: str) -> None:
    """A dead layer, all zero, is no reason to fail."""
    values = Values(Range(0, 0), np.zeros(100, np.float32))
    found = estimate({"x": values, "in": values}, estimator, "in", Preprocess())  # type: ignore[arg-type]
    assert found["x"] == Range(0, 0)


def test_halves_keep_a_photograph_together() -> None:
    """No photograph has crops in both halves, and too few photographs stay in one."""
    pixels = np.zeros((2, 2, 3), np.uint8)
    pictures = [Picture(Path(f"{number % 5}.png"), pixels, whole=False) for number in range(20)]
    first, second = halves(pictures, 0)
    assert len(first) + len(second) == 20
    assert {picture.path for picture in first}.isdisjoint(picture.path for picture in second)
    assert halves(pictures[:3], 0) == [pictures[:3]]


def test_only_a_clear_gain_replaces_the_favourite() -> None:
    """A later choice wins by more than the standard error of its gain, not by luck on one picture."""
    rng = np.random.default_rng(0)
    noise = rng.normal(size=50)
    measured = {"first": np.full(50, 1.0), "lucky": 1 - 0.01 + noise - noise.mean(), "better": np.full(50, 0.9)}
    assert best(["first", "lucky"], measured.__getitem__)[0] == "first"
    assert best(["first", "lucky", "better"], measured.__getitem__)[0] == "better"


@pytest.mark.parametrize("depthwise", [False, True])
def test_rounding_survives_inputs_that_never_vary(depthwise: bool) -> None:
    """Where all that is left of a covariance is noise, every weight is rounded by itself, or nearly so."""
    rng = np.random.default_rng(3)
    rows = np.repeat(rng.uniform(5, 6, (1, 9, 40)), 700, axis=0).astype(np.float32)
    gatherer = Gatherer(depthwise)
    gatherer.add(rows)
    taps, channels = (9, 40) if depthwise else (360, 8)
    weights = rng.normal(size=(taps, channels))
    scales = np.abs(weights).max(axis=0) / 127
    rounded = by_covariance(weights, scales, gatherer.moments(), depthwise)
    assert np.all(np.abs(rounded - weights) <= 3 * scales)
