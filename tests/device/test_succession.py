# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0

import math
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from labelcam.errors import MemoryGrown
from labelcam.memory import MemoryLimit
from labelcam.records import Decision, Label, Reading, Stage
from labelcam.succession import ENOUGH, Succession

READING = Reading(
    0, datetime.now(UTC), None, Decision((Label("cat", 0.9),), "cat", None), 1.0, dict.fromkeys(Stage, 5.0), 0
)


def plan(health_seconds: float = 60.0, max_invoke_ms: float = 0.0) -> SimpleNamespace:
    """As much of a plan as a trial looks at."""
    model = SimpleNamespace(health_seconds=health_seconds, max_invoke_ms=max_invoke_ms)
    name = SimpleNamespace(model=SimpleNamespace(name="new"))
    return SimpleNamespace(settings=SimpleNamespace(model=model), classifier=name)


def trial(**settings: float) -> Succession:
    return Succession(plan(), plan(**settings), now_s=100.0)  # type: ignore[arg-type]


def test_a_model_that_answers_well_is_kept() -> None:
    """Nothing is said against it, and after its health window the trial is over."""
    succession = trial(health_seconds=30.0, max_invoke_ms=10.0)
    assert all(succession.complaint(READING) is None for _ in range(100))
    assert not succession.is_over(129.9)
    assert succession.is_over(130.0)


def test_scores_that_are_no_numbers_send_it_back() -> None:
    """At the first of them."""
    decision = Decision((Label("cat", math.nan),), "unknown", None)
    assert trial().complaint(replace(READING, decision=decision)) == "its scores are no numbers"


def test_a_slow_model_is_sent_back_a_slow_frame_is_not() -> None:
    """The median of twenty decides, against what the settings allow."""
    succession = trial(max_invoke_ms=10.0)
    slow = replace(READING, stages_ms=dict.fromkeys(Stage, 500.0))
    assert succession.complaint(slow) is None
    assert all(succession.complaint(READING) is None for _ in range(ENOUGH))
    complaints = [succession.complaint(slow) for _ in range(ENOUGH)]
    assert complaints[0] is None
    assert complaints[-1] == "an invoke takes 500.0 ms, 10 are allowed"


def test_memory_may_grow_by_so_much() -> None:
    """From what was taken after the first minute; 0 allows everything."""
    limit = MemoryLimit()
    for rss_mb in (100.0, 250.0, 90.0, 300.0):
        limit.check(rss_mb, 200.0)
    with pytest.raises(MemoryGrown, match=r"grown by 201 MB to 301 MB, limits\.max_growth_mb allows 200"):
        limit.check(301.0, 200.0)
    limit.check(5000.0, 0.0)


def test_what_runs_after_a_reload_may_take_more() -> None:
    """A page or a larger model is no leak: growth counts from what they settle at."""
    limit = MemoryLimit()
    limit.check(100.0, 200.0)
    limit.settle()
    limit.check(350.0, 200.0)
    with pytest.raises(MemoryGrown):
        limit.check(551.0, 200.0)
