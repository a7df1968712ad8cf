# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Where in a USB meter's recording our own load lies.

Such a meter hangs on a telephone or another computer, whose clock is not ours: the load itself is the marker.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..errors import SettingsError
from .recording import Column, Recording

SURE = 0.7
"""The least share of the power's variance that our stages must explain where the recording is said to be of them."""

Stage = tuple[float, float, int]
"""Begin and end in seconds by our clock, and what ran: equal numbers take equal power."""

_REST = -1


def align(recording: Recording, stages: Sequence[Stage]) -> float:
    """Return what to add to our times, in seconds, to have the recording's: where our stages explain its power best.

    The recording has to hold all of them, from the first one's begin to the last one's end. Half of its sampling
    interval is what the answer may be off. Raises SettingsError where they explain it nowhere.
    """
    step = max(recording.interval_s / 4, 0.02)
    begin, end = stages[0][0], stages[-1][1]
    grid = np.arange(recording.seconds[0], recording.seconds[-1], step)
    power = np.interp(grid, recording.seconds, recording.watts)
    ours = np.arange(begin, end, step)
    kinds = np.full(len(ours), _REST)
    for start, stop, kind in stages:
        kinds[(ours >= start) & (ours < stop)] = kind
    if len(power) < len(kinds):
        lasts = f"{recording.seconds[-1]:.0f} s, but the run {end - begin:.0f} s"
        raise SettingsError(f"the recording lasts {lasts}; start the meter before the run, and stop it after")
    explained = _explained(power, kinds)
    best = int(np.argmax(explained))
    if not explained[best] >= SURE:
        raise SettingsError(
            f"the recording follows the run nowhere ({explained[best]:.0%} of its power's variance, {SURE:.0%} are "
            "needed); is it of the same run, and does the meter feed the board?"
        )
    return float(grid[best] - begin)


def _explained(power: Column, kinds: NDArray[np.int_]) -> Column:
    """The share of the power's variance that lies between the stages, from every place in the recording on.

    One-way analysis of variance: the sums over each kind of stage, at all places at once by Fourier transforms.
    """
    count = len(kinds)
    size = 1 << (len(power) + count - 1).bit_length()
    level = power - power.mean()
    spectrum = np.fft.rfft(level, size)
    between = np.zeros(len(power) - count + 1)
    for kind in np.unique(kinds):
        mask = (kinds == kind).astype(np.float64)
        sums = np.fft.irfft(spectrum * np.conj(np.fft.rfft(mask, size)), size)[: len(between)]
        between += sums**2 / mask.sum()
    total, squares = (np.concatenate(([0.0], np.cumsum(values))) for values in (level, level**2))
    mean_part = (total[count:] - total[:-count]) ** 2 / count
    whole = (squares[count:] - squares[:-count]) - mean_part
    # Where nothing happens there is nothing to explain, and what rounding leaves of it would divide zero by zero.
    least = max(0.1 * whole.max(), 1e-9 * count)
    return np.where(whole > least, (between - mean_part) / np.maximum(whole, least), 0.0)
