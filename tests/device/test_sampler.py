# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0

import logging
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from math import cos, pi, sin
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labelcam.board import Board
from labelcam.energy import Energy, EnergyAccount
from labelcam.firmware import Firmware
from labelcam.power import MeterLost, Nameplate, open_meter
from labelcam.power.rapl import growth
from labelcam.records import NO_VITALS, Vitals
from labelcam.sampler import Sample, Sampler
from labelcam.student import student_95
from recorded_board import pi5

PLATE = Nameplate("synthetic", "all", "nothing", "watts", 1000.0, 0.002)
COUNTER = replace(PLATE, unit="joules", resolution=1e-6)


@dataclass(frozen=True)
class Wave:
    """A power over time, in watts and seconds, with its integral from 0."""

    watts: Callable[[float], float]
    joules: Callable[[float], float]


def sine(hz: float) -> Wave:
    """3 W, swinging by 2 W to either side."""
    turn = 2 * pi * hz
    return Wave(lambda t: 3 + 2 * sin(turn * t), lambda t: 3 * t + 2 * (1 - cos(turn * t)) / turn)


def pulses(hz: float, share: float, base: float, height: float) -> Wave:
    """A base with pulses on it that fill a share of the time."""
    period = 1 / hz

    def joules(t: float) -> float:
        whole, rest = divmod(t, period)
        return base * t + height * (whole * share * period + min(rest, share * period))

    return Wave(lambda t: base + height * (t % period < share * period), joules)


WAVES = {
    "steady": pulses(1, 1.0, 2.0, 1.0),
    "slow sine": sine(0.11),
    "a sine in step with 10 Hz": sine(10.0),
    "a sine in step with 1 Hz": sine(1.0),
    "a square of inferences": pulses(13.7, 0.5, 2.5, 3.0),
    "a square in step with 100 Hz": pulses(100.0, 0.5, 2.5, 3.0),
    "short bursts": pulses(1.0, 0.03, 2.0, 4.0),
    "rare bursts": pulses(0.23, 0.01, 2.0, 3.0),
}


@dataclass
class World:
    """A machine whose time passes only where somebody waits, with a meter that reads a wave."""

    wave: Wave
    plate: Nameplate = PLATE
    now_ns: int = 5_000_000_000
    reading_s: float = 0.0005
    end_ns: int = 0
    stops: list[tuple[float, float]] = field(default_factory=list)
    """At these seconds the whole process stands still for so many seconds."""

    lost: Callable[[float], bool] = lambda _: False
    samples: list[Sample] = field(default_factory=list)

    def clock(self) -> int:
        return self.now_ns

    def read(self) -> float:
        self.now_ns += int(self.reading_s / 2 * 1e9)
        t = self.now_ns / 1e9
        value = self.wave.watts(t) if self.plate.unit == "watts" else self.wave.joules(t)
        self.now_ns += int(self.reading_s / 2 * 1e9)
        if self.lost(t):
            raise MeterLost("it is not there")
        return value if self.plate.unit == "joules" else round(value / 0.002) * 0.002

    def wait(self, seconds: float) -> bool:
        self.now_ns += int(seconds * 1e9)
        while self.stops and self.now_ns >= self.stops[0][0] * 1e9:
            self.now_ns += int(self.stops.pop(0)[1] * 1e9)
        return self.now_ns >= self.end_ns

    def run(self, hz: float, seconds: float, seed: int, board: Board | None = None) -> Sampler:
        self.end_ns = self.now_ns + int(seconds * 1e9)
        nowhere = Board(Path("/nonexistent"))
        sampler = Sampler(self, board or nowhere, hz, clock=self.clock, chance=random.Random(seed).random)
        sampler.listen(self.samples.append)
        sampler.sample(self.wait)
        return sampler

    def truth(self) -> float:
        """The joules between the first and the last sample."""
        first, last = self.samples[0].taken_ns / 1e9, self.samples[-1].taken_ns / 1e9
        return self.wave.joules(last) - self.wave.joules(first)


def energy_of(sampler: Sampler) -> Energy:
    energy = sampler.energy()
    assert energy
    return energy


@pytest.mark.parametrize("hz", [1.0, 10.0, 100.0])
@pytest.mark.parametrize("name", WAVES)
def test_a_known_wave_is_integrated_within_the_error_that_is_claimed(name: str, hz: float) -> None:
    """In 95 of 100 runs, as a 95% interval says: fast waves, bursts and those in step with the sampling included."""
    right = 0
    for seed in range(100):
        world = World(WAVES[name], now_ns=5_000_000_000 + seed * 137_000_000)
        energy = energy_of(world.run(hz, 20.0 if hz < 100 else 5.0, seed))
        right += abs(energy.joules - world.truth()) <= energy.error_joules
        assert energy.gaps == 0
    assert right >= 95


@pytest.mark.parametrize(("hz", "most"), [(1.0, 0.45), (10.0, 0.05), (100.0, 0.005)])
def test_the_claimed_error_shrinks_with_the_rate(hz: float, most: float) -> None:
    """A minute of a steady load: what a rate cannot know is told as large as it is, and no larger."""
    energy = energy_of(World(WAVES["steady"]).run(hz, 60.0, 1))
    assert energy.error_joules / energy.joules < most


def test_even_samples_would_miss_what_ours_do_not() -> None:
    """Sampled at equal distances in step with the wave, every sample is the same, and the error claimed a lie."""
    account = EnergyAccount(PLATE, 10)
    wave = sine(10.0)
    for step in range(200):
        t = 0.025 + step / 10
        account.add(int(t * 1e9), wave.watts(t))
    even = account.energy()
    truth = wave.joules(19.925) - wave.joules(0.025)
    assert abs(even.joules - truth) > 2 * even.error_joules
    world = World(wave)
    ours = energy_of(world.run(10, 20, 1))
    assert abs(ours.joules - world.truth()) <= ours.error_joules


@pytest.mark.parametrize("hz", [1.0, 10.0, 100.0])
def test_a_counter_is_right_at_any_rate(hz: float) -> None:
    """Its differences hold what lies between the samples; the error is a step and an update at both ends."""
    world = World(WAVES["short bursts"], COUNTER)
    energy = energy_of(world.run(hz, 30, 1))
    assert energy.joules == pytest.approx(world.truth(), abs=energy.error_joules)
    assert energy.error_joules < 0.02


@given(st.lists(st.integers(0, 500), min_size=2, max_size=60), st.integers(1000, 2000))
def test_a_counter_that_wraps_loses_nothing(grown: list[int], reaches: int) -> None:
    """Whatever its steps, as long as it comes round no more than once between two samples."""
    account, stand, total = EnergyAccount(COUNTER, 10), 0, 0
    account.add(0, 0.0)
    for number, more in enumerate(grown, 1):
        stand, before = (stand + more) % (reaches + 1), stand
        total += growth(before, stand, reaches)
        account.add(number * 100_000_000, float(total))
    assert account.energy().joules == sum(grown)


def test_a_stopped_process_is_a_gap_not_energy() -> None:
    """SIGSTOP for a minute: nothing is made up for it, and the account says how long nobody looked."""
    world = World(WAVES["steady"], stops=[(15.0, 60.0)])
    energy = energy_of(world.run(10, 90, 1))
    assert energy.gaps == 1
    assert energy.gap_seconds == pytest.approx(60, abs=0.4)
    assert energy.watts == pytest.approx(3.0)
    assert energy.seconds == pytest.approx(30, abs=0.5)
    assert "silent for 60" in energy.refusal


def test_the_samples_that_a_stop_cost_are_not_made_up_for() -> None:
    """After it the rate is the same as before: no burst of readings for the intervals that went by."""
    world = World(WAVES["steady"], stops=[(10.0, 20.0)])
    world.run(10, 40, 1)
    after = [sample.taken_ns for sample in world.samples if sample.taken_ns > 30e9]
    assert len(after) == pytest.approx(15 * 10, abs=3)


def test_a_reading_that_hangs_is_a_gap() -> None:
    """An I2C bus that stretches its clock for seconds: its value belongs to no moment."""
    world = World(WAVES["steady"])

    def hang(t: float) -> bool:
        world.reading_s = 3.0 if 10 < t < 10.2 else 0.0005
        return False

    world.lost = hang
    energy = energy_of(world.run(10, 30, 1))
    assert energy.gaps in (1, 2)
    assert energy.watts == pytest.approx(3.0)
    assert energy.seconds + energy.gap_seconds == pytest.approx(30, abs=0.5)


def test_a_clock_that_steps_makes_no_energy() -> None:
    """Back or to where it was already: the monotonic clock never does, and if it did, nothing would be counted."""
    account = EnergyAccount(PLATE, 10)
    for moment in (0, 100_000_000, 50_000_000, 50_000_000, 150_000_000):
        account.add(moment, 2.0)
    energy = account.energy()
    assert energy.joules == pytest.approx(0.4)
    assert (energy.gaps, energy.gap_seconds) == (2, 0.0)


def test_the_wall_clock_plays_no_part(monkeypatch: pytest.MonkeyPatch) -> None:
    """NTP sets it by years when a Pi has found the network."""
    monkeypatch.setattr(time, "time", lambda: 0.0)
    monkeypatch.setattr(time, "time_ns", lambda: 0)
    assert energy_of(World(WAVES["steady"]).run(10, 20, 1)).watts == pytest.approx(3.0)


def test_a_lost_meter_is_told_once_and_asked_again(caplog: pytest.LogCaptureFixture) -> None:
    """Meanwhile there is no power, never the last one; the gap is counted while it lasts."""
    caplog.set_level(logging.INFO)
    asked: list[float] = []

    def lost(t: float) -> bool:
        asked.append(t)
        return 10 < t < 15

    world = World(WAVES["steady"], lost=lost)
    energy = energy_of(world.run(10, 20, 1))
    assert [record.message.split()[0] for record in caplog.records] == ["meter-lost", "meter-back"]
    silent = [sample for sample in world.samples if 10.2 < sample.taken_ns / 1e9 < 15]
    assert silent
    assert {sample.vitals.watts for sample in silent} == {None}
    assert sum(10 < t < 15 for t in asked) <= 6
    assert energy.gaps == 1
    assert energy.gap_seconds == pytest.approx(5.5, abs=0.7)
    assert energy.joules == pytest.approx(3.0 * energy.seconds)


def test_a_meter_that_is_never_there_again_is_a_gap_too() -> None:
    """The account does not wait for the end of the silence to tell of it."""
    energy = energy_of(World(WAVES["steady"], lost=lambda t: t > 10).run(10, 20, 1))
    assert (energy.gaps, energy.gap_seconds) == (1, pytest.approx(15, abs=0.5))


@given(st.lists(st.tuples(st.integers(-50, 500), st.none() | st.floats(0, 50)), max_size=60))
@settings(max_examples=200)
def test_time_is_either_covered_or_a_gap(steps: list[tuple[int, float | None]]) -> None:
    """Whatever readings come and whenever: no second is counted twice, none is lost, and no energy comes from a gap."""
    account, now, forward = EnergyAccount(PLATE, 10), 0, 0
    for number, (step, value) in enumerate(steps):
        now += step * 1_000_000
        forward += max(0, step) * 1_000_000 if number else 0
        account.add(now, value)
    energy = account.energy()
    assert energy.seconds + energy.gap_seconds == pytest.approx(forward / 1e9, abs=1e-6)
    values = [value for _, value in steps if value is not None]
    assert 0 <= energy.joules <= max(values, default=0) * energy.seconds * (1 + 1e-9)
    assert energy.samples == len(values)


@pytest.mark.parametrize(("hz", "seconds", "why"), [(10, 5, "only [45]"), (1, 15, "only 1[56] samples"), (10, 20, "")])
def test_too_short_a_measurement_gives_no_figure(hz: float, seconds: float, why: str) -> None:
    """Its public form has nulls and the reason; a whole one has figures and none."""
    energy = energy_of(World(WAVES["steady"]).run(hz, seconds, 1))
    public = energy.as_json(fps=10.0)
    if why:
        assert public["joules"] is public["watts"] is public["mj_per_inference"] is public["error_joules"] is None
        assert public["refusal"].startswith("only")
    else:
        assert public["refusal"] is None
        assert public["watts"] == pytest.approx(3.0, abs=0.01)
        assert public["mj_per_inference"] == pytest.approx(300.0, abs=1)


def test_a_meter_is_never_asked_more_often_than_it_can_answer() -> None:
    """1000 Hz of a chip that averages for 36 ms would count every reading many times."""
    world = World(WAVES["steady"], replace(PLATE, max_hz=27.8))
    assert world.run(1000, 10, 1).hz == 27.8
    assert len(world.samples) == pytest.approx(278, abs=3)


def test_without_a_meter_the_board_is_watched_every_second(tmp_path: Path) -> None:
    """Temperature, clock and throttling are there, power and energy are not; nothing is asked that has no answer."""
    world = World(WAVES["steady"])
    board = Board(tmp_path, Firmware(tmp_path, pi5(tmp_path)))
    world.end_ns = world.now_ns + 10_000_000_000
    sampler = Sampler(open_meter("none"), board, 10.0, clock=world.clock)
    sampler.listen(world.samples.append)
    sampler.sample(world.wait)
    assert len(world.samples) == pytest.approx(10, abs=1)
    assert sampler.energy() is None
    assert sampler.latest(world.now_ns) == Vitals(None, pytest.approx(48.25), False, pytest.approx(2400))
    assert sampler.method.startswith("no power meter")


def test_the_board_is_asked_once_a_second(tmp_path: Path) -> None:
    """Ten questions a second to the firmware about its temperature would warm it."""
    tape = pi5(tmp_path)
    World(WAVES["steady"]).run(10, 30, 1, Board(tmp_path, Firmware(tmp_path, tape)))
    assert tape.asked.count("get_throttled") == pytest.approx(30, abs=3)


def test_what_is_old_is_not_told(tmp_path: Path) -> None:
    """A sensor that hangs for good gives nothing, not the power of this morning."""
    world = World(WAVES["steady"])
    sampler = world.run(10, 5, 1)
    latest = world.samples[-1].taken_ns
    assert sampler.latest(latest + 900_000_000).watts == pytest.approx(3.0)
    assert sampler.latest(latest + 1_200_000_000) == NO_VITALS


def test_a_counters_power_is_the_mean_since_the_sample_before() -> None:
    """Its first reading says nothing yet."""
    world = World(WAVES["steady"], COUNTER)
    world.run(10, 5, 1)
    assert world.samples[0].vitals.watts is None
    assert all(sample.vitals.watts == pytest.approx(3.0, abs=0.01) for sample in world.samples[1:])


def test_the_thread_samples_until_the_block_ends() -> None:
    """In real time; there is a value from the very start, and none of our threads stays."""
    world = World(WAVES["steady"])
    enough = threading.Event()
    with Sampler(world, Board(Path("/nonexistent")), 200) as sampler:
        assert sampler.latest(time.monotonic_ns()).watts == pytest.approx(3.0)
        sampler.listen(lambda _: enough.set() if energy_of(sampler).samples > 20 else None)
        assert enough.wait(20)
    assert not [thread for thread in threading.enumerate() if thread.name == "sampler"]
    count = energy_of(sampler).samples
    assert energy_of(sampler).samples == count


def test_the_method_says_what_is_in_the_figures(tmp_path: Path) -> None:
    """Meter, rate, step, how it was added up, what it includes and misses: one line."""
    meter = open_meter("pmic", root=tmp_path, firmware=Firmware(tmp_path, pi5(tmp_path)))
    said = Sampler(meter, Board(tmp_path), 100).method
    assert said.startswith("pmic at 10 Hz, steps of 13.5 mW: trapezoids over randomly timed samples; it includes")
    assert "misses what is taken from 5 V directly: USB devices" in said
    assert "\n" not in said


@pytest.mark.parametrize(
    ("freedom", "factor"), [(1, 12.706), (2, 4.303), (3, 3.182), (4, 2.776), (9, 2.262), (30, 2.042), (1e9, 1.960)]
)
def test_students_factor_is_the_one_in_the_tables(freedom: float, factor: float) -> None:
    """Within 0.3%."""
    assert student_95(freedom) == pytest.approx(factor, rel=3e-3)
