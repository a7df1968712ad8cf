# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from labelcam_flash import ctrl_c
from labelcam_flash.wheelhouse import alone

if TYPE_CHECKING:
    from conftest import StandIn

FLASHING = """
import sys
from pathlib import Path
from labelcam_flash import flash, payload, target
from labelcam_flash.cli import main
here = sys.version_info[:2]
target.TARGETS[here] = target.Target("bookworm", here, 36)
wheels = [Path(wheel) for wheel in sys.argv.pop(1).split(":")]
flash.wheelhouse = lambda target, cache: wheels
flash.WATCH_S = 0.1
payload.checked_model = lambda asked, cache: Path(asked)
sys.exit(main())
"""
"""The command among stand-ins, in a process that can be sent signals."""

KEPT = "what has arrived stays there for the next run, and what runs is as it was"


@contextmanager
def flashing(stand_in: "StandIn", hosts: str) -> Iterator["subprocess.Popen[str]"]:
    """Flash in a process of its own."""
    model = stand_in.folder / "asked.tflite"
    model.write_bytes(b"good")
    wheels = ":".join(map(str, stand_in.wheels()))
    command = [sys.executable, "-c", FLASHING, wheels, "flash", "--pi", hosts, "--model", str(model)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True) as process:
        try:
            yield process
        finally:
            process.kill()


def until(true: Callable[[], bool]) -> None:
    """Wait for it."""
    last = time.monotonic() + 60.0
    while not true():
        assert time.monotonic() < last, "it never came"
        time.sleep(0.05)


def arrived(stand_in: "StandIn") -> bool:
    """Whether a part of a file is there."""
    return any(path.stat().st_size for path in (stand_in.base / "opt/labelcam/store").glob("*.part"))


@pytest.fixture
def stalled(stand_in: "StandIn") -> Iterator["StandIn"]:
    """A Pi that hears no more after three megabytes."""
    stalls = stand_in.folder / "stalls-after"
    stalls.write_text("3000000")
    yield stand_in
    stalls.unlink()


@pytest.mark.parametrize("hosts", ["pi@one", "pi@one pi@two"])
@pytest.mark.parametrize("send", [os.kill, os.killpg], ids=["to us alone", "as a terminal does"])
def test_ctrl_c_ends_a_copy_at_once(stalled: "StandIn", hosts: str, send: Callable[[int, int], None]) -> None:
    """Of one Pi and of several: nothing is tried again, nothing goes live, and the last line says what is kept."""
    with flashing(stalled, hosts) as process:
        until(lambda: arrived(stalled))
        send(process.pid, signal.SIGINT)
        _, err = process.communicate(timeout=30.0)
        assert process.returncode == 130, err
        assert "trying to go on" not in err
        assert "labelcam-flash: " not in err.rpartition("labelcam-flash: stopped")[0]
        assert re.search(f"labelcam-flash: stopped; (.*; )?pi@(one|two): {KEPT}", err.splitlines()[-1])
    assert not [call for call in stalled.calls() if call.startswith("restart")]


def test_a_switch_that_has_begun_comes_to_its_end(stand_in: "StandIn") -> None:
    """Ctrl-C leaves the Pi to bring it there by itself, and the last line says so."""
    waits = stand_in.folder / "restart-waits"
    waits.touch()
    try:
        with flashing(stand_in, "pi@one") as process:
            until((stand_in.folder / "restarting").exists)
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=30.0)
        assert process.returncode == 130
        assert err.splitlines()[-1] == (
            "labelcam-flash: stopped; pi@one: it brings the switch to its end by itself, or goes back; see make status"
        )
    finally:
        waits.unlink()
    until(lambda: "active" in _service(stand_in))
    assert (stand_in.base / "opt/labelcam/current/model.tflite").read_bytes() == b"good"


def test_who_waits_for_another_flash_hears_ctrl_c(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a thread as well: one fetches wheels for minutes, and the others wait for it."""
    monkeypatch.setattr(ctrl_c, "_stopped", threading.Event())
    with ThreadPoolExecutor(1) as pool, alone(tmp_path):
        waiting = pool.submit(lambda: alone(tmp_path).__enter__())
        with pytest.raises(TimeoutError):
            waiting.result(0.3)
        ctrl_c.stop()
        with pytest.raises(ctrl_c.Stopped):
            waiting.result(30.0)


def _service(stand_in: "StandIn") -> str:
    path = stand_in.folder / "service"
    return path.read_text() if path.exists() else ""
