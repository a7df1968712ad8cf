# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""A USB meter's recording in place of a meter of ours: its samples by our clock, found by the load that they show."""

from dataclasses import replace
from pathlib import Path

from ..errors import SettingsError
from ..power import Nameplate
from ..power.alignment import align
from ..power.recording import Recording, read_recording
from .data import Measurement, Point

_IDLE = -2


def with_recording(measurement: Measurement, path: Path) -> Measurement:
    """Return the measurement with the recording's power. Raises SettingsError if it is of something else."""
    recording = read_recording(path)
    loads = [(window.begun_s, window.ended_s, window.configuration) for window in measurement.windows]
    first, last = ((begin, end, _IDLE) for begin, end in measurement.idles)
    if recording.interval_s > 1.5:
        raise SettingsError(
            f"{path}: one sample in {recording.interval_s:.1f} s is too few; record one a second or more"
        )
    offset = align(recording, [first, *loads, last])
    plate = Nameplate(
        name=f"recording {path.name}",
        includes="all that the USB meter feeds",
        misses="what the meter's own averaging and clock leave out; timing by the load is good to half an interval",
        unit="watts",
        max_hz=1 / recording.interval_s,
        resolution=None,
        even=True,
    )
    return replace(measurement, plate=plate, hz=plate.max_hz, points=_points(measurement, recording, offset))


def _points(measurement: Measurement, recording: Recording, offset_s: float) -> tuple[Point, ...]:
    """The recording's samples by our clock, each with what the board said last."""
    begin, end = measurement.idles[0][0], measurement.idles[-1][1]
    board = list(measurement.points)
    points = []
    for at, watts in zip(recording.seconds - offset_s, recording.watts, strict=True):
        if begin <= at <= end:
            while len(board) > 1 and board[1].at_s <= at:
                board.pop(0)
            said = replace(board[0], at_s=float(at), reading=float(watts), watts=float(watts)) if board else None
            points.append(said or Point(float(at), float(watts), float(watts), None, None, None, None))
    return tuple(points)
