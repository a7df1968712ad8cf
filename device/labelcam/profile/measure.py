# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Runs a plan: idle, window after window in children of their own, idle again, all of it sampled."""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from typing import Any

from ..console import progress
from ..errors import LabelcamError
from ..power import Nameplate
from ..sampler import Sample, Sampler
from .data import Configuration, Measurement, Point, Window
from .plan import Plan

SETTLE_S = 1.0
"""Left out at the beginning of every idle time: what ran before is still being tidied away."""


class ChildFailed(LabelcamError):
    """A configuration cannot be run on this machine."""


def measure(plan: Plan, sampler: Sampler, plate: Nameplate, host: Mapping[str, Any]) -> Measurement:
    """Return what was seen. Raises ChildFailed if no configuration at all could be run."""
    samples: list[Sample] = []
    sampler.listen(samples.append)
    zero_ns = time.monotonic_ns()
    windows: list[Window] = []
    failures: dict[int, str] = {}
    order = list(plan.order())
    with sampler, progress("windows, idle before and after", len(order) + 2) as advance:
        before = _idle(plan.seconds, zero_ns, advance)
        for number in order:
            if number not in failures:
                try:
                    windows.append(_window(plan, number, zero_ns))
                except ChildFailed as error:
                    failures[number] = str(error)
            advance()
        if not windows:
            raise ChildFailed(next(iter(failures.values())))
        after = _idle(plan.seconds, zero_ns, advance)
    points = tuple(_point(sample, zero_ns) for sample in samples)
    return Measurement(host, plate, sampler.hz, plan.configurations, (before, after), tuple(windows), failures, points)


def _idle(seconds: float, zero_ns: int, advance: Callable[[], None]) -> tuple[float, float]:
    time.sleep(SETTLE_S)
    begun = time.monotonic_ns()
    time.sleep(seconds)
    advance()
    return (begun - zero_ns) / 1e9, (time.monotonic_ns() - zero_ns) / 1e9


def _window(plan: Plan, number: int, zero_ns: int) -> Window:
    started = time.monotonic_ns()
    seen = _child(plan.configurations[number], plan.warm_up_s, plan.seconds)
    begun, ended, answered = (int(seen.pop(name)) for name in ("begun_ns", "ended_ns", "first_answer_ns"))
    quantiles, (taken, total) = tuple(seen.pop("quantiles_ms")), seen.pop("delegated_ops")
    return Window(
        configuration=number,
        begun_s=(begun - zero_ns) / 1e9,
        ended_s=(ended - zero_ns) / 1e9,
        start_ms=(answered - started) / 1e6,
        quantiles_ms=quantiles,
        delegated_ops=(taken, total),
        **seen,
    )


def _child(configuration: Configuration, warm_up_s: float, seconds: float) -> dict[str, Any]:
    """Run one child to its end. Its clock is ours: the monotonic clock is the machine's."""
    words = [configuration.model, configuration.threads, configuration.delegate, warm_up_s, seconds]
    command = [sys.executable, "-m", "labelcam.profile.child", *map(str, words)]
    with tempfile.TemporaryFile("w+") as errors:  # not a pipe: nobody has to read it meanwhile
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=errors, text=True, check=False)
        errors.seek(0)
        said = errors.read().strip().splitlines()
    if done.returncode:
        why = said[-1].removeprefix("labelcam: ") if said else f"ended with {done.returncode}"
        raise ChildFailed(f"{configuration.name}: {why}")
    return dict(json.loads(done.stdout))


def _point(sample: Sample, zero_ns: int) -> Point:
    vitals = sample.vitals
    at_s = round((sample.taken_ns - zero_ns) / 1e9, 6)
    return Point(at_s, sample.reading, vitals.watts, vitals.celsius, vitals.mhz, vitals.throttled, sample.undervolted)
