# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0

import numpy as np
import pytest

from labelcam.decision import Decider
from labelcam.records import UNKNOWN
from labelcam.scores import DecisionConstants, scaled
from labelcam.settings import DecisionSettings
from labelcam_converter.decision_constants import FEWEST, KNOWN_ANSWERS, fit
from labelcam_converter.fidelity.divergence import Distribution, kl, softmax


def as_bytes(scores: Distribution) -> Distribution:
    """What a full-integer network's output says of them."""
    return np.clip(np.round(scores * 256), 0, 255) / 256


def drawn(images: int, labels: int, too_sure: float, seed: int = 0) -> tuple[Distribution, list[int | None]]:
    """Logits of a network that is `too_sure` times too sure of itself, and labels drawn by what is really likely."""
    rng = np.random.default_rng(seed)
    likely = rng.normal(size=(images, labels)) * 1.3
    likely[np.arange(images), rng.integers(labels, size=images)] += rng.uniform(0, 5 + 1.2 * np.log(labels), images)
    truth = (softmax(likely).cumsum(axis=1) > rng.random((images, 1))).argmax(axis=1)
    return likely * too_sure, [int(index) for index in truth]


def rescaled(scores: Distribution, constants: DecisionConstants) -> Distribution:
    """The scores as a device shows them."""
    return np.array([scaled(row.astype(np.float32), constants.temperature) for row in scores])


@pytest.mark.parametrize("labels", [2, 10, 1000])
@pytest.mark.parametrize("too_sure", [0.7, 1.0, 1.6])
def test_a_score_is_the_chance_of_being_right(labels: int, too_sure: float) -> None:
    """Fitted on 400 images, the best scores of 2000 others are right as often as they say, bytes or not."""
    logits, truth = drawn(400, labels, too_sure)
    got = as_bytes(softmax(logits))
    constants = fit(got, softmax(logits), truth)
    assert constants.temperature == pytest.approx(too_sure, rel=0.25)
    others, right = drawn(2000, labels, too_sure, seed=1)
    shown = rescaled(as_bytes(softmax(others)), constants)
    hits = np.mean(shown.argmax(axis=1) == right)
    assert shown.max(axis=1).mean() == pytest.approx(hits, abs=0.03)
    assert "labels of 400 images" in constants.method


def test_without_known_answers_the_float_network_is_followed() -> None:
    """An int8 network that is surer than the float one is brought back to it, and the method says no more than that."""
    logits, truth = drawn(200, 10, 1.0)
    wanted, got = softmax(logits), as_bytes(softmax(logits * 1.25))
    constants = fit(got, wanted, [*truth[: KNOWN_ANSWERS - 1], *[None] * (200 - KNOWN_ANSWERS + 1)])
    assert constants.temperature == pytest.approx(1.25, abs=0.1)
    apart = [np.mean([kl(p, q) for p, q in zip(wanted, each, strict=True)]) for each in (got, rescaled(got, constants))]
    assert apart[1] < apart[0] / 4
    assert "divergence from the float network on 200 images, whether it is right or not" in constants.method


def test_a_network_that_follows_the_float_one_is_left_alone() -> None:
    """What bytes round away is no reason to scale every frame's scores."""
    logits, _ = drawn(200, 10, 1.0)
    assert fit(as_bytes(softmax(logits)), softmax(logits)).temperature == 1.0


def test_a_network_that_made_no_mistake_is_not_taken_to_make_none() -> None:
    """Fifty right answers at 0.9 are no reason to show 1.00."""
    got = np.full((KNOWN_ANSWERS, 10), 0.1 / 9)
    got[:, 3] = 0.9
    constants = fit(got, got, [3] * KNOWN_ANSWERS)
    assert 0.5 < constants.temperature < 1
    assert rescaled(got, constants).max() < 0.995


def test_nearly_all_that_is_known_passes_the_thresholds() -> None:
    """Of the rightly answered images, between 85 and 95 in a hundred may enter; of noise far fewer."""
    logits, truth = drawn(500, 20, 1.0)
    got = as_bytes(softmax(logits))
    constants = fit(got, softmax(logits), truth)
    decided = DecisionSettings(threshold=0.01)
    names = [f"label {number}" for number in range(20)]

    def share(rows: Distribution) -> float:
        states = [Decider(decided, names, constants).decide(row.astype(np.float32), 0).state for row in rows]
        return sum(state != UNKNOWN for state in states) / len(states)

    right = got[got.argmax(axis=1) == truth]
    assert 0.85 <= share(right) <= 0.95
    assert share(as_bytes(softmax(np.random.default_rng(3).normal(size=(200, 20)) * 0.7))) < 0.3
    assert "no image of anything unknown was seen" in constants.method


@pytest.mark.parametrize(
    ("count", "labels", "wanted"),
    [(FEWEST - 1, 5, "19 images held out, 20 are needed"), (1, 5, "1 image held out"), (0, 5, "0 images held out")],
)
def test_too_few_images_fit_nothing(count: int, labels: int, wanted: str) -> None:
    """Then the constants are those that change nothing, and the reason stands beside them."""
    logits, truth = drawn(count, labels, 1.5)
    constants = fit(softmax(logits) if count else logits, softmax(logits) if count else logits, truth)
    assert (constants.temperature, constants.unknown) == (1.0, None)
    assert wanted in constants.method


def test_logits_fit_nothing() -> None:
    """Where the network has no softmax, a score is no chance."""
    logits, truth = drawn(100, 5, 1.5)
    constants = fit(logits, logits, truth)
    assert (constants.temperature, constants.unknown) == (1.0, None)
    assert "no probabilities" in constants.method


def test_a_network_that_is_nearly_always_wrong_gets_no_thresholds() -> None:
    """Thresholds are taken from right answers; a dozen of them are not enough."""
    logits, _ = drawn(60, 5, 1.0)
    best = softmax(logits).argmax(axis=1)
    wrong = [int(index) if number < 12 else (int(index) + 1) % 5 for number, index in enumerate(best)]
    constants = fit(softmax(logits), softmax(logits), wrong)
    assert constants.unknown is None
    assert constants.temperature > 1.5
    assert "12 images answered rightly by their labels" in constants.method


def test_the_same_scores_give_the_same_constants() -> None:
    """To the last digit: a file can be built again."""
    logits, truth = drawn(80, 30, 1.2)
    assert fit(as_bytes(softmax(logits)), softmax(logits), truth) == fit(
        as_bytes(softmax(logits)), softmax(logits), truth
    )
