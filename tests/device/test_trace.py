# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0

import json
import logging
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from labelcam.errors import UsageError
from labelcam.pipeline import Pipeline, Prepared
from labelcam.records import Decision, Label, Reading, Stage, Vitals
from labelcam.sampler import Sample
from labelcam.trace import Trace
from recorded_board import INA219, hwmon, write

TESTS = Path(__file__).parents[1]
Labelcam = Callable[..., SimpleNamespace]
MS = 1_000_000


def events(path: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(path.read_text())["traceEvents"]
    return found


def tracks(found: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """The steps of each thread, by its name."""
    names = {event["tid"]: event["args"]["name"] for event in found if event["name"] == "thread_name"}
    by_name = defaultdict(list)
    for event in found:
        if event["ph"] == "X":
            by_name[names[event["tid"]]].append(event)
    return by_name


def test_a_run_traced_shows_every_step_of_every_frame(
    colours: Path, tmp_path: Path, environment: dict[str, str]
) -> None:
    """Capture, preprocess, invoke, decide and publish on their threads, publishers beside them, and the counters."""
    root, trace = tmp_path / "root", tmp_path / "trace.json"
    write(root / "sys/class/thermal/thermal_zone0", {"type": "cpu-thermal", "temp": 51000})
    hwmon(root, 1, INA219)
    source = ("--model", colours, "--camera", "synthetic:64x48@50", "--seconds", "3", "--json")
    command = [sys.executable, TESTS / "on_a_recorded_board.py", root, "run", *source]
    done = subprocess.run(
        [*map(str, command), "--trace", "1.5", "--trace-file", str(trace)],
        capture_output=True, text=True, timeout=60, env=environment, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = events(trace)
    steps = tracks(found)
    assert set(steps) >= {"capture", "pipeline", "publish-jsonl", "publish-log"}
    assert {step["name"] for step in steps["capture"]} == {"capture", "preprocess"}
    assert {step["name"] for step in steps["pipeline"]} == {"invoke", "decide", "publish"}
    for lane in steps.values():
        for before, after in pairwise(lane):
            assert after["ts"] >= before["ts"] + before["dur"] - 0.002, "steps of one thread lie one after the other"
    frames = {step["args"]["frame"] for step in steps["pipeline"]}
    assert len(frames) > 20
    begun = [event["id"] for event in found if event["ph"] == "b"]
    assert sorted(begun) == sorted(frames) == sorted(event["id"] for event in found if event["ph"] == "e")
    values = {event["name"]: event["args"] for event in found if event["ph"] == "C"}
    assert values["watts"] == {"watts": pytest.approx(1.784)}
    assert values["celsius"] == {"celsius": 51.0}
    span = [event["ts"] for event in found if "ts" in event]
    assert (max(span) - min(span)) / 1e6 < 3.0
    readings = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(readings) > len(frames), "the run goes on after its trace"


def test_a_run_that_ends_before_its_trace_keeps_what_there_is(
    labelcam: Labelcam, colours: Path, photographs: Path, tmp_path: Path
) -> None:
    """Three photographs are three frames, in labelcam-trace.json of this folder; without --trace there is no file."""
    source = ("run", "--model", colours, "--camera", f"photos:{photographs}")
    assert labelcam(*source, cwd=tmp_path).returncode == 0
    assert list(tmp_path.iterdir()) == []
    assert labelcam(*source, "--trace", 60, cwd=tmp_path).returncode == 0
    steps = tracks(events(tmp_path / "labelcam-trace.json"))
    assert [step["args"]["frame"] for step in steps["pipeline"] if step["name"] == "invoke"] == [0, 1, 2]
    assert [path.name for path in tmp_path.iterdir()] == ["labelcam-trace.json"]


def test_a_trace_that_cannot_be_written_is_said(
    labelcam: Labelcam, colours: Path, photographs: Path, tmp_path: Path, the_error: Callable[[str], str]
) -> None:
    """No length, no folder: at once. A full disk: when it is written, and the run itself is none the worse for it."""
    source = ("run", "--model", colours, "--camera", f"photos:{photographs}", "--trace", 60)
    done = labelcam(*source[:-2], "--trace-file", tmp_path / "trace.json")
    assert done.returncode == 2
    assert "nothing is traced" in the_error(done.stderr)
    done = labelcam(*source, "--trace-file", tmp_path / "no" / "trace.json")
    assert done.returncode == 2
    assert "make it first" in the_error(done.stderr)
    done = labelcam(*source, "--trace-file", "/dev/full", "--json")
    assert done.returncode == 1
    assert len(done.stdout.splitlines()) == 3
    assert "labelcam: --trace-file /dev/full: cannot be written (No space left on device)" in done.stderr
    assert not Path("/dev/full").is_file()


def frame(seq: int, taken_ms: int, dropped: int = 0) -> tuple[Reading, Prepared]:
    nothing = cast("Pipeline", None)
    prepared = Prepared(nothing, seq, dropped, taken_ms * MS, None, 20.0, 5.0, np.zeros((1, 1, 3), np.uint8))
    stages = {Stage.CAPTURE: 20.0, Stage.PREPROCESS: 5.0, Stage.INVOKE: 10.0, Stage.DECIDE: 1.0}
    decision = Decision((Label("cat", 0.9),), "cat", None)
    return Reading(seq, datetime.now(UTC), None, decision, 40.0, stages, dropped), prepared


@pytest.fixture
def stopped(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The monotonic clock, which stands still unless it is set."""
    now = [100 * MS]
    monkeypatch.setattr(time, "monotonic_ns", lambda: now[0])
    return now


def test_a_sensor_that_is_ahead_of_us_is_no_step_within_a_step(tmp_path: Path, stopped: list[int]) -> None:
    """A frame is exposed while the one before is prepared: its age is the whole time, its step only ours."""
    with Trace(tmp_path / "trace.json", 10) as trace:
        for seq in range(4):
            reading, prepared = frame(seq, 100 + 8 * seq, dropped=2 * (seq == 3))
            trace.prepared(prepared)
            stopped[0] = (141 + 8 * seq) * MS
            trace.read(reading, prepared)
    found = events(tmp_path / "trace.json")
    lane = tracks(found)["capture"]
    assert all(after["ts"] >= before["ts"] + before["dur"] - 0.002 for before, after in pairwise(lane))
    assert all(step["dur"] >= 0 for step in lane)
    ages = {event["id"]: event["ts"] for event in found if event["ph"] == "b"}
    ends = {event["id"]: event["ts"] for event in found if event["ph"] == "e"}
    assert [ends[seq] - ages[seq] for seq in range(4)] == [40_000] * 4
    assert [event["args"] for event in found if event["ph"] == "C"] == [{"frames": 2}]


def test_a_trace_is_bounded(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Too many events end it before its time, and it says so; later ones are not recorded."""
    path = tmp_path / "trace.json"
    with Trace(path, 1000, most=50) as trace:
        for seq in range(1000):
            reading, prepared = frame(seq, 100 + 40 * seq)
            trace.prepared(prepared)
            trace.read(reading, prepared)
            trace.published("mqtt", "reading", 0)
        assert not trace.on
        trace.sampled(Sample(0, 1.0, Vitals(1.0), None))
    assert 50 <= len([event for event in events(path) if event["ph"] != "M"]) < 80
    warnings = [record.message for record in caplog.records if record.levelno >= logging.WARNING]
    assert ["trace-full" in message for message in warnings] == [True]


def test_many_threads_may_tell_at_once(tmp_path: Path) -> None:
    """Nothing of what four publishers tell at the same time is lost."""
    path = tmp_path / "trace.json"
    with Trace(path, 1000) as trace:
        tell = [
            threading.Thread(target=lambda n=n: [trace.published(f"p{n}", "reading", 0) for _ in range(500)])
            for n in range(4)
        ]
        for thread in tell:
            thread.start()
        for thread in tell:
            thread.join()
    assert {name: len(steps) for name, steps in tracks(events(path)).items()} == {
        f"publish-p{n}": 500 for n in range(4)
    }


def test_a_trace_needs_a_folder(tmp_path: Path) -> None:
    """That is refused before anything is opened."""
    with pytest.raises(UsageError, match="does not exist"):
        Trace(tmp_path / "no" / "trace.json", 1)
