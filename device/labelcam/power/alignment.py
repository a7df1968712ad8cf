# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Where in a USB meter's recording our own load lies.

Such a meter hangs on a telephone or another computer, whose clock is not ours: the load itself is the marker.
"""

from collections.abc import Sequence

import numpy as np

from ..errors import SettingsError
from .recording import Column, Recording

SURE = 0.8
"""The least correlation between our load and the recorded power that says where one lies in the other."""


def align(recording: Recording, loads: Sequence[tuple[float, float]]) -> float:
    """Return what to add to our times, in seconds, to have the recording's: where its power follows our load best.

    `loads` are the periods, by our clock, in which the machine was busy; between them and around them it was idle, and
    the recording has to hold all of them. Half of its sampling interval is what the answer may be off. Raises
    SettingsError where power does not follow load.
    """
    step = max(recording.interval_s / 4, 0.02)
    begin, end = loads[0][0], loads[-1][1]
    grid = np.arange(recording.seconds[0], recording.seconds[-1], step)
    power = np.interp(grid, recording.seconds, recording.watts)
    ours = np.arange(begin, end + step, step)
    busy = np.zeros(len(ours))
    for start, stop in loads:
        busy[(ours >= start) & (ours < stop)] = 1.0
    if len(power) < len(busy):
        lasts = f"{recording.seconds[-1]:.0f} s, but the run {end - begin:.0f} s"
        raise SettingsError(f"the recording lasts {lasts}; start the meter before the run, and stop it after")
    likeness = _correlation(power, busy)
    best = int(np.argmax(likeness))
    if not likeness[best] >= SURE:
        raise SettingsError(
            f"the recording follows the run's load nowhere (correlation {likeness[best]:.2f}, {SURE} is needed); "
            "is it of the same run, and does the meter feed the board?"
        )
    return float(grid[best] - begin)


def _correlation(power: Column, pattern: Column) -> Column:
    """Pearson's coefficient between the pattern and the power from every place on."""
    count = len(pattern)
    centred = pattern - pattern.mean()
    norm = np.sqrt((centred**2).sum())
    size = 1 << (len(power) + count - 1).bit_length()
    level = power - power.mean()
    spectrum = np.fft.rfft(level, size) * np.conj(np.fft.rfft(centred, size))
    products = np.fft.irfft(spectrum, size)[: len(power) - count + 1]
    sums, squares = (np.concatenate(([0.0], np.cumsum(values))) for values in (level, level**2))
    spread = (squares[count:] - squares[:-count]) - (sums[count:] - sums[:-count]) ** 2 / count
    return np.asarray(products / (norm * np.sqrt(np.maximum(spread, 1e-12))), np.float64)
