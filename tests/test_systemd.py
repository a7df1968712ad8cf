# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The unit file is one that systemd understands, and that leaves the service little to do harm with."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from labelcam.settings import CameraSettings

UNIT = Path(__file__).parents[1] / "systemd/labelcam.service"


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit with a program that exists here in place of the one that only an installed Pi has."""
    copy = tmp_path / UNIT.name
    copy.write_text(re.sub(r"(?m)^ExecStart=\S+", "ExecStart=/bin/true", UNIT.read_text()))
    return copy


def test_systemd_has_nothing_to_say_about_the_unit(unit: Path, need_tool: Callable[..., str]) -> None:
    """`systemd-analyze verify` is silent: no unknown key, no misspelt value."""
    analyze = need_tool("systemd-analyze", "systemd")
    done = subprocess.run([analyze, "verify", unit], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_service_is_well_shut_in(unit: Path, need_tool: Callable[..., str]) -> None:
    """Of ten points of exposure at most two are left."""
    analyze = need_tool("systemd-analyze", "systemd")
    command = [analyze, "security", "--offline=true", "--threshold=20", unit]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout


def test_errors_that_a_restart_cannot_mend_are_not_restarted() -> None:
    """Usage, gates and bad settings end the service for good; a lost camera (74) starts it afresh."""
    assert "RestartPreventExitStatus=2 3 78\n" in UNIT.read_text()


def test_a_camera_that_is_away_never_uses_up_the_starts() -> None:
    """A camera that stalls at once costs its time-out a start, a missing one its minute: neither reaches the limit."""
    limits = dict(re.findall(r"(?m)^(StartLimitIntervalSec|StartLimitBurst|RestartSec)=(\d+)$", UNIT.read_text()))
    shortest_s = CameraSettings().timeout_seconds + int(limits["RestartSec"])
    assert int(limits["RestartSec"]) == 2
    assert int(limits["StartLimitIntervalSec"]) / shortest_s < int(limits["StartLimitBurst"])
    assert CameraSettings().start_seconds < int(re.findall(r"(?m)^TimeoutStartSec=(\d+)$", UNIT.read_text())[0])


def test_a_reload_is_one_reload() -> None:
    """Two lines of ExecReload would be two signals, and everything would be loaded twice."""
    assert UNIT.read_text().count("ExecReload=") == 1
