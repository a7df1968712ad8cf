# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0

import csv
import json
from collections.abc import Callable
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest

from labelcam.errors import GateFailed, SettingsError, UsageError
from labelcam.profile.budget import choose, parse_budget
from labelcam.profile.comparison import compare, warnings
from labelcam.profile.data import Measurement, Point, from_json
from labelcam.profile.figures import as_good, best, document, method_line, runs, verdict
from labelcam.profile.interval import Interval, places
from labelcam.profile.plan import Plan
from labelcam.profile.recorded import with_recording
from labelcam.profile.telling import show, to_csv
from synthetic_profile import IDLE_W, KINDS, synthetic, without_meter


@pytest.fixture(scope="module")
def measured() -> Measurement:
    return synthetic()


def test_known_energies_lie_within_their_intervals(measured: Measurement) -> None:
    """Whole board and marginal, of every configuration, on a board whose power is known."""
    for run, kind in zip(runs(measured), KINDS, strict=True):
        assert run.valid
        assert run.energy
        # The windows' own time for an inference, which scatters, is what its energy is reckoned by.
        scale = sum(window.inference_s for window in run.windows) / len(run.windows) * 1e3 / kind.ms
        for told, truth in ((run.energy.whole_mj, kind.whole_mj), (run.energy.marginal_mj, kind.marginal_mj)):
            assert told.low is not None
            assert told.high is not None
            assert told.low <= truth * scale <= told.high
            assert told.high - told.low < 0.3 * told.value


def test_marginal_is_whole_less_idle(measured: Measurement) -> None:
    """By the idle power that was measured before and after."""
    idle = document(measured)["idle"]
    assert idle["watts"] == pytest.approx(IDLE_W, abs=0.02)
    for run in runs(measured):
        assert run.energy
        inference_s = sum(window.inference_s for window in run.windows) / len(run.windows)
        apart = run.energy.whole_mj.value - run.energy.marginal_mj.value
        assert apart == pytest.approx(idle["watts"] * inference_s * 1e3, rel=0.01)


def test_a_longer_measurement_knows_more() -> None:
    """Twice as many windows, a smaller interval."""
    few, many = (runs(synthetic(windows=count))[0].energy for count in (3, 12))
    assert few
    assert many
    assert many.marginal_mj.half is not None
    assert few.marginal_mj.half is not None
    assert many.marginal_mj.half < few.marginal_mj.half


def test_without_a_meter_everything_but_energy_is_there(measured: Measurement) -> None:
    """Latencies, memory and the quickest; the reason for the rest."""
    found = runs(without_meter(measured))
    assert {run.energy for run in found} == {None}
    assert {run.no_energy for run in found} == {"there is no power meter"}
    chosen = best(found)
    assert chosen
    assert chosen.configuration.name == "mobilenet_v2 4t xnnpack"
    assert document(without_meter(measured))["idle"] is None


def test_a_winner_that_cannot_be_told_from_others_is_called_so(measured: Measurement) -> None:
    """Where intervals overlap, the names of those that are as good stand beside it; else it wins alone."""
    clear = runs(measured)
    chosen = best(clear)
    assert chosen is not None
    assert verdict(clear, chosen) == "takes the least energy"
    twin = replace(chosen, configuration=replace(chosen.configuration, model="twin.tflite"))
    said = f"takes the least energy, though not to be told from {twin.configuration.name}"
    assert verdict([*clear, twin], chosen) == said
    alone = [replace(run, windows=run.windows[:1], energy=None) for run in clear]
    unsure = [replace(run, latency_ms=dict.fromkeys(run.latency_ms, Interval(1.0, None))) for run in alone]
    assert len(as_good(unsure, unsure[0])) == len(unsure) - 1


def test_short_windows_give_latencies_but_no_energy() -> None:
    """And the reason, with the remedy."""
    found = runs(synthetic(seconds=5.0))
    assert all(run.latency_ms["p50"].value > 0 for run in found)
    assert {run.energy for run in found} == {None}
    assert "a window lasted 5.0 s; energy needs 10 s: raise --seconds" in found[0].no_energy


def test_one_window_has_no_interval() -> None:
    """One value cannot tell how far it may be off, and nothing is made up for it."""
    run = runs(synthetic(windows=1))[0]
    assert run.latency_ms["p50"].as_json()["low"] is None
    assert "±" not in str(run.latency_ms["p50"])


def between(begin: float, end: float, **changes: object) -> Callable[[Point], Point]:
    return lambda point: replace(point, **changes) if begin < point.at_s < end else point  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (between(20, 20.5, throttled=True), "the board throttled"),
        (between(20, 20.5, undervolted=True), "voltage was too low"),
        (between(0, 60, mhz=1500.0), "clock went from 1500 to 2400 MHz: set the governor"),
    ],
)
def test_what_held_the_board_back_makes_a_run_invalid(change: Callable[[Point], Point], why: str) -> None:
    """Only the configurations whose windows it fell into; an invalid one is never the best."""
    found = runs(synthetic(change=change))
    struck = [run for run in found if run.faults]
    assert struck
    assert all(why in run.faults[0] for run in struck)
    chosen = best(found)
    assert chosen is None or chosen.valid


def test_throttling_strikes_only_the_windows_it_fell_into(measured: Measurement) -> None:
    """Half a second in one window of one configuration."""
    window = measured.windows[1]
    middle = (window.begun_s + window.ended_s) / 2
    points = tuple(replace(point, throttled=abs(point.at_s - middle) < 0.5) for point in measured.points)
    found = runs(replace(measured, points=points))
    assert [bool(run.faults) for run in found] == [number == window.configuration for number in range(len(found))]


def test_warming_is_remarked() -> None:
    """Figures stand, but a reader should know."""
    found = runs(synthetic(change=lambda point: replace(point, celsius=40 + point.at_s / 10)))
    assert all(run.valid for run in found)
    assert "warm the board up" in found[0].remarks[0]


def test_no_energy_where_something_else_ran() -> None:
    """Idle before and after are two different things: no marginal figure can be trusted."""
    found = runs(synthetic(change=lambda point: between(0, 11.3, reading=3.4, watts=3.4)(point)))
    assert "idle took 3.40 W before and 2.60 W after" in found[0].no_energy


def test_no_energy_where_the_meter_was_silent() -> None:
    """Half of a window is missing."""
    found = runs(synthetic(change=between(14, 20, reading=None, watts=None)))
    assert any("the meter was silent for" in run.no_energy for run in found)
    assert any(run.energy for run in found)


def test_the_document_says_it_all_and_can_be_read_again(measured: Measurement) -> None:
    """JSON without a NaN; what was measured comes back the same, and so do the figures made of it."""
    text = json.dumps(document(measured), allow_nan=False)
    again = from_json(json.loads(text)["measured"])
    assert json.dumps(document(again), allow_nan=False) == text
    assert {"schema", "method", "host", "runs", "best"} <= json.loads(text).keys()
    assert again.points == measured.points


@pytest.mark.parametrize("broken", [{}, {"plate": {}}, {"host": 1}])
def test_another_document_is_refused(broken: dict[str, object]) -> None:
    """In words, not by a KeyError."""
    with pytest.raises(SettingsError, match="is no document of labelcam profile"):
        from_json(broken)


def test_the_method_is_in_every_output(measured: Measurement, tmp_path: Path) -> None:
    """Table, JSON, CSV and page."""
    from labelcam.profile.page import to_html

    found, method = runs(measured), method_line(measured)
    out = StringIO()
    show(measured, found, out)
    assert method in out.getvalue()
    assert document(measured)["method"] == method
    assert {row["method"] for row in csv.DictReader(StringIO(to_csv(measured)))} == {method}
    assert "trapezoids over randomly timed samples" in to_html(measured, found)


def test_the_csv_has_every_window(measured: Measurement) -> None:
    """With its own percentiles, joules and their error."""
    rows = list(csv.DictReader(StringIO(to_csv(measured))))
    assert len(rows) == 5 * len(KINDS)
    kind = KINDS[0]
    assert float(rows[0]["joules"]) == pytest.approx(kind.watts * 10.2, rel=0.02)
    assert float(rows[0]["error_joules"]) > 0
    assert float(rows[0]["p50_ms"]) == pytest.approx(kind.ms, rel=0.05)


def test_the_csv_leaves_out_what_cannot_be_known() -> None:
    """No joules of short windows, and none where there is no meter: empty, not zero."""
    for measurement in (synthetic(seconds=5.0), without_meter(synthetic())):
        rows = list(csv.DictReader(StringIO(to_csv(measurement))))
        assert {(row["joules"], row["error_joules"]) for row in rows} == {("", "")}


def test_windows_are_interleaved() -> None:
    """Each round has every configuration once, every other round the other way round."""
    configurations = synthetic().configurations[:3]
    assert list(Plan(configurations, windows=3).order()) == [0, 1, 2, 2, 1, 0, 0, 1, 2]


# Budgets


def test_a_time_budget_takes_the_most_frugal_that_is_quick_enough(measured: Measurement) -> None:
    """What has to fit is the upper end of the 95th percentile."""
    found = runs(measured)
    assert choose(found, parse_budget("20ms")).configuration.threads == 4
    slow = [run for run in found if run.configuration.threads == 1]
    assert choose(slow, parse_budget("0.1s")).configuration.delegate == "xnnpack"


def test_an_energy_budget_takes_the_quickest_that_is_frugal_enough(measured: Measurement) -> None:
    """Of the whole board's energy."""
    assert choose(runs(measured), parse_budget("40mJ")).configuration.threads == 4
    found = [run for run in runs(measured) if run.configuration.threads != 4]
    assert choose(found, parse_budget("60 mJ")).configuration.threads == 2


def test_without_a_meter_a_time_budget_takes_the_fewest_threads(measured: Measurement) -> None:
    """The coolest choice that is quick enough."""
    found = runs(without_meter(measured))
    assert choose(found, parse_budget("10ms")).configuration.threads == 2
    assert choose(found, parse_budget("20ms")).configuration.threads == 1


def test_what_does_not_fit_is_a_gate_that_fails(measured: Measurement) -> None:
    """With the least that there is; and nothing is chosen among invalid ones."""
    with pytest.raises(GateFailed, match=r"nothing fits 1ms: the least is 5\.\d+ms"):
        choose(runs(measured), parse_budget("1ms"))
    with pytest.raises(GateFailed, match="needs energy, and there is none: there is no power meter"):
        choose(runs(without_meter(measured)), parse_budget("40mJ"))
    throttled = runs(synthetic(change=lambda point: replace(point, throttled=True)))
    with pytest.raises(GateFailed, match="no configuration is valid"):
        choose(throttled, parse_budget("1s"))


@pytest.mark.parametrize("text", ["", "30", "ms", "-3ms", "0mJ", "30 watts", "nan ms", "1e3ms"])
def test_what_is_no_budget_is_a_usage_error(text: str) -> None:
    """The two forms are in the message."""
    with pytest.raises(UsageError, match="write 30ms or 50mJ"):
        parse_budget(text)


# Comparison


def test_the_same_board_twice_differs_by_noise_alone() -> None:
    """At 95% a few of many quantities may cross: not more than that."""
    differences = [found for seed in range(2, 12) for found in compare(synthetic(), synthetic(seed=seed))]
    assert sum(found.beyond_noise for found in differences) / len(differences) < 0.12


def test_what_is_slower_is_said_so() -> None:
    """A tenth more of every latency, and the energy with it."""
    differences = compare(synthetic(), synthetic(seed=2, slower=1.1))
    told = {(found.configuration, found.quantity): found for found in differences}
    p50 = told["mobilenet_v2 1t xnnpack", "p50 ms"]
    assert p50.beyond_noise
    assert p50.change == pytest.approx(0.1, abs=0.02)
    assert told["mobilenet_v2 2t xnnpack", "mJ whole board"].beyond_noise


def test_what_else_differs_is_told() -> None:
    """Another runtime, another meter, another file of the same name, an invalid side."""
    before, after = synthetic(), synthetic(seed=2, change=lambda point: replace(point, throttled=True))
    configurations = tuple(replace(one, sha256="cd" * 32) for one in after.configurations)
    plate = replace(after.plate, name="pmic")
    host = {**after.host, "runtime": "ai-edge-litert 2.4.0"}
    said = "\n".join(warnings(before, replace(after, host=host, plate=plate, configurations=configurations)))
    for part in ("runtime: ai-edge-litert 2.3.0, then ai-edge-litert 2.4.0", "not of the same thing",
                 "mobilenet_v2.tflite is another file now", "is invalid: the board throttled"):  # fmt: skip
        assert part in said


def test_two_that_share_nothing_cannot_be_compared() -> None:
    """Same file name, threads and delegate are what is compared."""
    with pytest.raises(SettingsError, match="share no configuration"):
        compare(synthetic(KINDS[:1]), synthetic(KINDS[1:]))


# A USB meter's recording


@pytest.mark.parametrize("hz", [10.0, 2.0])
def test_a_usb_meters_recording_gives_the_energy_that_was_missing(
    measured: Measurement, tmp_path: Path, hz: float
) -> None:
    """Started half a minute earlier, by a clock of its own: found by the load, and the figures are right."""
    powered = synthetic(hz=hz, seconds=12.0)
    lines = [f"{point.at_s + 31.7:.4f},{point.watts:.4f}" for point in powered.points if point.watts is not None]
    before = [f"{step / hz:.4f},2.6" for step in range(int(31 * hz))]
    path = tmp_path / "um25c.csv"
    path.write_text("Time(s),Power(W)\n" + "\n".join([*before, *lines]) + "\n")
    found = runs(with_recording(without_meter(powered), path))
    for run, kind in zip(found, KINDS, strict=True):
        assert run.energy, run.no_energy
        assert run.energy.whole_mj.value == pytest.approx(kind.whole_mj * 1.03, rel=0.05)
    assert "evenly timed samples" in method_line(with_recording(without_meter(powered), path))


def test_a_slow_recording_is_refused(tmp_path: Path) -> None:
    """One sample in five seconds knows nothing of a window of ten."""
    path = tmp_path / "slow.csv"
    path.write_text("Time(s),Power(W)\n" + "\n".join(f"{step * 5},3" for step in range(90)))
    with pytest.raises(SettingsError, match=r"one sample in 5\.0 s is too few"):
        with_recording(synthetic(), path)


@pytest.mark.parametrize(
    ("value", "half", "shown"),
    [
        (10.73, 0.49, "10.73 ± 0.49"),
        (0.2744, 0.0611, "0.274 ± 0.061"),
        (13.1, 15.7, "13 ± 16"),
        (3.0, 0.0, "3.0000 ± 0.0000"),
    ],
)
def test_an_interval_is_shown_by_its_error(value: float, half: float, shown: str) -> None:
    """Two digits of the error, and as many decimals of the value."""
    assert str(Interval(value, half)) == shown
    assert places(1234.0) == 0
