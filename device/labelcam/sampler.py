# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""One thread that keeps asking the meter and the board, so that a frame only has to look at what they last said."""

import logging
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from .board import Board, BoardState
from .energy import GAP_INTERVALS, Energy, EnergyAccount, method
from .extremes import Extremes, LastMinute
from .power import Meter, MeterLost
from .records import NO_VITALS, Vitals

log = logging.getLogger(__name__)

_SECOND_NS = 1_000_000_000
BOARD_NS = _SECOND_NS
"""The board is asked so often, and so is a meter that is lost."""

_LATE_NS = 300_000_000
"""On a busy board our thread may wait so long for its turn."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What meter and board said at one moment."""

    taken_ns: int
    """Monotonic clock, nanoseconds: the middle of the reading."""

    reading: float | None
    """As the meter gave it: watts, or the stand of its counter in joules; None while it is lost."""

    vitals: Vitals
    undervolted: bool | None


Listener = Callable[[Sample], None]
"""Called with every sample on the sampler's thread; must return within milliseconds."""


class Sampler:
    """Samples while its `with` block lasts. `latest` is for every frame, `energy` for whoever reports."""

    def __init__(
        self,
        meter: Meter,
        board: Board,
        hz: float = 10.0,
        *,
        clock: Callable[[], int] = time.monotonic_ns,
        chance: Callable[[], float] = random.random,
    ) -> None:
        """Ask `hz` times a second, or as often as the meter has something new to say; with no meter, every second."""
        self._meter, self._board, self._clock, self._chance = meter, board, clock, chance
        self.metered = meter.plate.max_hz > 0
        self.hz = min(hz, meter.plate.max_hz) if self.metered else 1.0
        self._interval_ns = int(_SECOND_NS / self.hz)
        self._fresh_ns = int(GAP_INTERVALS * max(self._interval_ns, _LATE_NS))
        self._account = EnergyAccount(meter.plate, self.hz)
        self._last_minute = LastMinute()
        self._lock = threading.Lock()
        self._listeners: tuple[Listener, ...] = ()
        self._latest = Sample(-self._fresh_ns, None, NO_VITALS, None)
        self._state, self._state_ns = BoardState(), -BOARD_NS
        self._lost_ns: int | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sampler", daemon=True)

    @property
    def method(self) -> str:
        """How the figures come about, in one line."""
        return method(self._meter.plate, self.hz)

    def latest(self, now_ns: int) -> Vitals:
        """Return how the board was just now; nothing of what is older than a few intervals, should a sensor hang."""
        latest = self._latest
        return latest.vitals if now_ns - latest.taken_ns <= self._fresh_ns else NO_VITALS

    def energy(self) -> Energy | None:
        """Return what was taken since the start, or None without a meter."""
        with self._lock:
            return self._account.energy() if self.metered else None

    def last_minute(self) -> Extremes:
        """Return how far everything ranged over the last 65 to 75 seconds."""
        with self._lock:
            return self._last_minute.extremes()

    def listen(self, listener: Listener) -> None:
        """Have every sample from now on."""
        self._listeners = (*self._listeners, listener)

    def __enter__(self) -> Self:
        self.take()  # so that the first frame already has something to look at
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(timeout=0.2)  # a hanging driver must not keep us

    def _run(self) -> None:
        self.sample(self._stop.wait)

    def sample(self, wait: Callable[[float], bool]) -> None:
        """Take samples until `wait`, which waits for so many seconds, returns True.

        Every interval has one, at a random moment: even samples would see nothing, or nothing else, of a load that
        swings with their own rate.
        """
        begun, turn = self._clock(), 0
        while True:
            due = begun + int((turn + self._chance()) * self._interval_ns)
            if wait(max(0, due - self._clock()) / 1e9):
                return
            self.take()
            # Intervals that went by while a reading hung or we were stopped are lost, not made up for.
            turn = max(turn + 1, (self._clock() - begun) // self._interval_ns)

    def take(self) -> None:
        """Ask meter and board once."""
        begun = self._clock()
        reading = self._read(begun) if self.metered else None
        done = self._clock()
        taken = (begun + done) // 2
        if done - self._state_ns >= BOARD_NS:
            self._state, self._state_ns = self._board.state(), done
        state = self._state
        vitals = Vitals(self._watts(taken, reading), state.celsius, state.throttled, state.mhz)
        with self._lock:
            if self.metered:
                self._account.add(taken, reading)
            self._last_minute.add(taken, vitals, state.undervolted)
        self._latest = sample = Sample(taken, reading, vitals, state.undervolted)
        for listener in self._listeners:
            listener(sample)

    def _watts(self, taken_ns: int, reading: float | None) -> float | None:
        """Of a counter, the mean power since the sample before; its first reading says nothing yet."""
        if reading is None or self._meter.plate.unit == "watts":
            return reading
        before = self._latest
        seconds = (taken_ns - before.taken_ns) / 1e9
        return None if before.reading is None or seconds <= 0 else (reading - before.reading) / seconds

    def _read(self, now_ns: int) -> float | None:
        if self._lost_ns is not None and now_ns - self._lost_ns < BOARD_NS:
            return None
        try:
            reading = self._meter.read()
        except MeterLost as error:
            if self._lost_ns is None:
                log.warning("meter-lost meter=%s reason=%s", self._meter.plate.name, error)
            self._lost_ns = now_ns
            return None
        if self._lost_ns is not None:
            log.info("meter-back meter=%s", self._meter.plate.name)
            self._lost_ns = None
        return reading
