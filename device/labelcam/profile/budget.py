# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The configuration to use within a budget of time or energy for one inference."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..errors import GateFailed, UsageError
from .figures import Run

_FORM = re.compile(r"([0-9]*\.?[0-9]+) *(us|ms|s|uJ|mJ|J)")
_TO_MS, _TO_MJ = {"us": 1e-3, "ms": 1.0, "s": 1e3}, {"uJ": 1e-3, "mJ": 1.0, "J": 1e3}


@dataclass(frozen=True, slots=True)
class Budget:
    """The most that one inference may take."""

    most: float
    """In milliseconds or millijoules."""

    energy: bool

    def __str__(self) -> str:
        return f"{self.most:g}{'mJ' if self.energy else 'ms'}"


def parse_budget(text: str) -> Budget:
    """Return the budget that '50mJ' or '30ms' means. Raises UsageError for what is neither."""
    found = _FORM.fullmatch(text.strip())
    most = float(found[1]) * (_TO_MS | _TO_MJ)[found[2]] if found else 0.0
    if not found or most <= 0:
        raise UsageError(f"--budget {text}: is no time or energy above 0; write 30ms or 50mJ")
    return Budget(most, found[2] in _TO_MJ)


def choose(found: Sequence[Run], budget: Budget) -> Run:
    """Return the valid run within the budget that is best in the other quantity.

    Within a time (of 95 in 100 inferences), the one that takes the least energy of the whole board, or without a
    meter the fewest threads; within an energy, the quickest. What has to fit is the upper end of the interval. Raises
    GateFailed if none does.
    """
    valid = [run for run in found if run.valid]
    if not valid:
        raise GateFailed("no configuration is valid, see above; none was written into the settings")
    if budget.energy and not any(run.energy for run in valid):
        raise GateFailed(f"a budget of {budget} needs energy, and there is none: {valid[0].no_energy}")
    costs = {id(run): cost for run in valid if (cost := _cost(run, budget)) is not None}
    fitting = [run for run in valid if costs.get(id(run), budget.most + 1) <= budget.most]
    if not fitting:
        least = min(costs.values())
        raise GateFailed(f"nothing fits {budget}: the least is {least:.3g}{'mJ' if budget.energy else 'ms'}; raise it")
    return min(fitting, key=_other_cost(budget))


def _cost(run: Run, budget: Budget) -> float | None:
    interval = run.latency_ms["p95"] if not budget.energy else run.energy.whole_mj if run.energy else None
    if interval is None:
        return None
    return interval.value if interval.high is None else interval.high


def _other_cost(budget: Budget) -> Callable[[Run], tuple[float, float]]:
    if budget.energy:
        return lambda run: (run.latency_ms["p50"].value, 0.0)
    return lambda run: (
        run.energy.whole_mj.value if run.energy else float(run.configuration.threads),
        run.latency_ms["p50"].value,
    )
