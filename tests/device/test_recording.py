# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labelcam.errors import SettingsError
from labelcam.power.alignment import align
from labelcam.power.recording import Recording, read_recording

EXPORTS = {
    "power": "Time(s),Voltage(V),Current(A),Power(W)\n0,5,0.4,2\n1,5,0.6,3\n2,5,0.8,4\n",
    "milli": "Elapsed Time [ms]\tVoltage [mV]\tCurrent [mA]\n0\t5000\t400\n1000\t5000\t600\n2000\t5000\t800\n",
    "a preamble, and a summary": "UM25C log\nid 7\n\ntime,V,A\n0.0,5,0.4\n1.0,5,0.6\n2.0,5,0.8\nmean,,0.6\n",
    "decimal commas": "Zeit;Leistung(W)\n0,0;2,0\n1,0;3,0\n2,0;4,0\n",
    "midnight": "Time,Power(mW)\n23:59:58,2000\n23:59:59,3000\n00:00:00,4000\n",
    "dates": "DateTime,Power(W)\n2026/11/05 10:00:00.5,2\n2026/11/05 10:00:01.5,3\n2026/11/05 10:00:02.5,4\n",
    "a byte order mark": "\ufefftimestamp,power_w\n1762000000,2\n1762000001,3\n1762000002,4\n",
}


@pytest.mark.parametrize("name", EXPORTS)
def test_every_export_is_read_alike(tmp_path: Path, name: str) -> None:
    """Headings, units, separators and clocks differ from meter to meter; the power over time does not."""
    path = tmp_path / "meter.csv"
    path.write_text(EXPORTS[name], encoding="utf-8")
    recording = read_recording(path)
    assert recording.seconds == pytest.approx([0, 1, 2])
    assert recording.watts == pytest.approx([2, 3, 4])
    assert recording.interval_s == pytest.approx(1)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no line with headings"),
        ("Time,Temperature\n1,2\n", "no line with headings for time, and power or voltage and current"),
        ("Time,Voltage(V)\n1,2\n", "no line with headings"),
        ("Time(s),Power(W)\n1,2\n2,2\n", "2 samples"),
        ("Time(s),Power(W)\n1,2\n2,2\n2,2\n3,3\n", "time does not grow"),
    ],
)
def test_what_is_no_recording_is_refused(tmp_path: Path, text: str, why: str) -> None:
    """The error says what is missing and names the file."""
    path = tmp_path / "meter.csv"
    path.write_text(text)
    with pytest.raises(SettingsError, match=why):
        read_recording(path)


def test_a_recording_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    """One line with the path."""
    with pytest.raises(SettingsError, match=r"none\.csv: cannot be read"):
        read_recording(tmp_path / "none.csv")


STAGES = [
    (90.0, 100.0, 9),
    (103.0, 113.0, 0),
    (115.0, 125.0, 1),
    (127.0, 137.0, 1),
    (139.0, 149.0, 0),
    (150.0, 160.0, 9),
]
WATTS = {9: 2.5, 0: 3.1, 1: 5.5}


def recorded(began: float, interval: float, noise: float) -> Recording:
    """What a meter shows of STAGES that was started at `began` by our clock."""
    ours = np.arange(began, 200.0, interval)
    watts = np.full(len(ours), 2.9)
    for start, stop, kind in STAGES:
        watts[(ours >= start) & (ours < stop)] = WATTS[kind]
    watts[ours < STAGES[0][0]] = watts[ours > STAGES[-1][1]] = WATTS[9]
    return Recording(ours - began, watts + np.random.default_rng(3).normal(0, noise, len(ours)))


@given(st.floats(10.0, 88.0), st.sampled_from([0.1, 0.5, 1.0]), st.floats(0.0, 0.3))
def test_the_load_itself_says_where_it_lies(began: float, interval: float, noise: float) -> None:
    """Whenever the meter was started, and however much each stage takes: found within one of its intervals."""
    offset = align(recorded(began, interval, noise), STAGES)
    assert offset == pytest.approx(-began, abs=interval)


def test_a_recording_of_something_else_is_refused() -> None:
    """Power that does not follow our load is not taken for ours, noise and slow drift neither."""
    chance = np.random.default_rng(1)
    for watts in (3 + chance.normal(0, 0.5, 300), 3 + np.cumsum(chance.normal(0, 0.02, 300)), np.full(300, 3.0)):
        with pytest.raises(SettingsError, match="follows the run nowhere"):
            align(Recording(np.arange(0, 150, 0.5), watts), STAGES)


def test_a_recording_must_hold_the_whole_run() -> None:
    """Who stopped the meter too early is told so."""
    with pytest.raises(SettingsError, match="start the meter before the run"):
        align(Recording(np.arange(0, 30, 0.5), np.ones(60)), STAGES)
