# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Power readings of a chip that the kernel's hwmon driver reads over I2C, from inside the service's sandbox."""

import json
from queue import Queue
from typing import Any

import pytest

from eventually import PATIENCE_S
from flashed import Flashed
from power_meter import Ina219


def test_what_an_ina219_measures_is_published(pi: Flashed) -> None:
    """The service finds the chip by itself; a broker hears its watts beside the labels, and the journal keeps them."""
    meter = Ina219(pi.machine)
    meter.attach(volts=5.1, amperes=0.5)
    pi.machine.run("systemctl", "restart", "labelcam")
    with pi.states() as states:
        _wait_for(states, 2.55)
        meter.supply(volts=5.0, amperes=1.2)
        _wait_for(states, 6.0)
    pi.machine.run("systemctl", "stop", "labelcam")
    written = pi.machine.run("/opt/labelcam/current/venv/bin/labelcam", "journal", "--since", "all", "--json")
    last = json.loads(written.splitlines()[-1])
    assert last["watts"] == pytest.approx({"min": 2.55, "max": 6.0}, rel=0.01)


def _wait_for(states: "Queue[dict[str, Any]]", watts: float) -> None:
    seen: list[float | None] = []
    while len(seen) < 60:
        seen.append(states.get(timeout=PATIENCE_S)["watts"])
        if seen[-1] == pytest.approx(watts, rel=0.01):
            return
    pytest.fail(f"{watts} W were never heard of, but {seen}")
