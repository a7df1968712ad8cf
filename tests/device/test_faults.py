# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0

import json
import os
import random
import signal
import subprocess
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

Start = Callable[..., "subprocess.Popen[str]"]
Labelcam = Callable[..., SimpleNamespace]

A_YEAR_S = 365 * 86_400

STAND_INS = Path(__file__).parents[1] / "stand_ins"


@pytest.fixture
def steppable_clock(need_tool: Callable[..., str], tmp_path: Path) -> tuple[dict[str, str], Path]:
    """An environment whose wall clock is off by the seconds in a file, and that file."""
    library, offset = tmp_path / "wall_clock.so", tmp_path / "offset"
    compile_ = [need_tool("gcc", "gcc"), "-shared", "-fPIC", "-o", library, STAND_INS / "wall_clock.c", "-ldl"]
    subprocess.run(compile_, check=True)
    offset.write_text("0")
    return {"LD_PRELOAD": str(library), "WALL_CLOCK_OFFSET": str(offset)}, offset


def read(process: "subprocess.Popen[str]") -> dict[str, Any]:
    assert process.stdout
    line = process.stdout.readline()
    assert line, process.communicate()
    return dict(json.loads(line))


@pytest.mark.parametrize("step_s", [A_YEAR_S, -A_YEAR_S])
def test_a_clock_that_is_stepped_by_a_year_disturbs_nothing(
    step_s: int, steppable_clock: tuple[dict[str, str], Path], start: Start, colours: Path
) -> None:
    """Ages, durations and the frame rate go by the monotonic clock; only `time` follows the wall."""
    env, offset = steppable_clock
    process = start("run", "--model", colours, "--camera", "synthetic:64x48@10", "--json", env=env)
    found = [read(process) for _ in range(5)]
    offset.write_text(str(step_s))
    found += [read(process) for _ in range(15)]
    years = [reading["time"][:4] for reading in found]
    assert len(set(years)) == 2, "the clock was not stepped"
    assert all(0 <= reading["age_ms"] < 5000 for reading in found)
    for before, now in pairwise(found):
        assert now["seq"] - before["seq"] == now["dropped"] + 1
    assert sum(reading["event"] is not None for reading in found) <= 4, "a year passed for what is held to be there"
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=10) == 0


def test_sigkill_at_any_moment_leaves_whole_lines_and_no_half_files(
    start: Start, person_model: Path, tmp_path: Path
) -> None:
    """What was written before is readable, and the next start goes on: nothing has to be repaired by hand."""
    kept, lines = tmp_path / "kept", tmp_path / "readings.jsonl"
    settings = tmp_path / "labelcam.toml"
    settings.write_text(
        f'[model]\npath = "{person_model}"\n[camera]\nsource = "synthetic:320x240@30"\n[jsonl]\npath = "{lines}"\n'
        f'[reservoir]\nenabled = true\nfolder = "{kept}"\nmargin = 1.0\nevery_seconds = 0\n'
        f'[journal]\nfolder = "{tmp_path / "journal"}"\n'
    )
    chance = random.Random(1)
    for _ in range(4):
        process = start("run", "--settings", settings, "--json")
        read(process)
        time.sleep(chance.uniform(0.0, 0.5))
        process.kill()
        process.communicate()
    process = start("run", "--settings", settings, "--json", "--frames", "5")
    assert process.wait(timeout=30) == 0
    torn = 0
    for line in lines.read_text().splitlines():
        try:
            json.loads(line)
        except ValueError:
            torn += 1
    assert torn <= 4, "a kill may tear one line, never two"
    assert json.loads(lines.read_text().splitlines()[-1])["label"]
    for picture in kept.glob("hard-*.jpg"):
        assert picture.read_bytes().endswith(b"\xff\xd9"), "half a picture"
        assert json.loads(picture.with_suffix(".json").read_text())["kept_for"]


def test_twenty_thousand_frames_leave_memory_as_it_was(labelcam: Labelcam, person_model: Path, tmp_path: Path) -> None:
    """With readings, journal, meter and pictures on, what is resident settles and stays (`make soak` takes 200,000)."""
    summary, settings = tmp_path / "summary.json", tmp_path / "labelcam.toml"
    settings.write_text(f'[jsonl]\npath = "{tmp_path / "readings.jsonl"}"\nmax_mb = 1.0\nkeep = 1\n')
    resident = {}
    for frames in (2_000, 20_000):
        arguments = ("--model", person_model, "--camera", "synthetic:640x480", "--frames", str(frames))
        with Path(os.devnull).open("w") as nowhere:
            done = labelcam(
                *("run", "--settings", settings, *arguments, "--json", "--summary", summary),
                stdout=nowhere,
                stderr=subprocess.PIPE,
                capture_output=False,
                timeout=240,
            )
        assert done.returncode == 0, done.stderr
        resident[frames] = json.loads(summary.read_text())["rss_mb"]
    assert resident[20_000] < 120
    assert resident[20_000] - resident[2_000] <= 3.0, resident
