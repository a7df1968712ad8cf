# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0

import csv
import json
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from labelcam.board import Board
from labelcam.energy import LEAST_SAMPLES
from labelcam.power import Nameplate
from labelcam.profile.data import SHARES
from labelcam.profile.figures import runs
from labelcam.profile.measure import ChildFailed, measure
from labelcam.profile.plan import Plan, combinations
from labelcam.sampler import Sampler
from labelcam.settings import settings_from_toml
from recorded_board import pi5

QUICK = ("--seconds", 0.2, "--windows", 2)


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("profile")


def test_the_command_measures_every_combination(
    labelcam: Callable[..., SimpleNamespace], colours: Path, tmp_path: Path
) -> None:
    """JSON on stdout, a table on stderr, CSV and page where they were asked for; latency only without a meter."""
    page, sheet = tmp_path / "p.html", tmp_path / "p.csv"
    settings = tmp_path / "labelcam.toml"
    settings.write_text('[power]\nmeter = "none"\n')
    done = labelcam("profile", colours, "--threads", "1,2", *QUICK, "--settings", settings,
                    "--html", page, "--csv", sheet, "--json", timeout=300)  # fmt: skip
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["schema"] == 1
    assert [(run["threads"], run["windows"], run["valid"]) for run in document["runs"]] == [(1, 2, True), (2, 2, True)]
    run = document["runs"][0]
    assert 0 < run["latency_ms"]["p50"]["value"] <= run["latency_ms"]["p99"]["value"]
    assert run["first_ms"]["value"] > 0
    assert run["start_ms"]["value"] > run["load_ms"]["value"]
    assert 30 < run["peak_rss_mb"] < 200
    assert run["no_energy"] == "there is no power meter"
    assert document["best"] in {one["name"] for one in document["runs"]}
    assert len(document["measured"]["windows"][0]["quantiles_ms"]) == len(SHARES)
    assert "Method: 2 interleaved windows" in done.stderr
    assert len(list(csv.DictReader(sheet.open()))) == 4
    assert "labelcam profile" in page.read_text()

    saved = tmp_path / "p.json"
    saved.write_text(done.stdout)
    compared = labelcam("profile", "--compare", saved, saved)
    assert compared.returncode == 0, compared.stderr
    assert "beyond noise" in compared.stdout
    same = json.loads(labelcam("profile", "--compare", saved, saved, "--json").stdout)
    assert {found["beyond_noise"] for found in same["differences"]} == {False}


def test_a_budget_is_written_into_the_settings(
    labelcam: Callable[..., SimpleNamespace], colours: Path, tmp_path: Path
) -> None:
    """What else stands there stays; one that nothing fits changes nothing and ends with 3."""
    settings = tmp_path / "mine.toml"
    settings.write_text('# mine\n[power]\nmeter = "none"\n[runtime]\nthreads = 3 # three\n')
    arguments = ("profile", colours, "--delegate", "none", *QUICK, "--settings", settings)
    done = labelcam(*arguments, "--budget", "10s", timeout=300)
    assert done.returncode == 0, done.stderr
    text = settings.read_text()
    assert text.startswith('# mine\n[power]\nmeter = "none"\n')
    assert "threads = 1 # three" in text
    found = settings_from_toml(text)
    assert (found.model.path, found.runtime.threads, found.runtime.delegate) == (str(colours), 1, "none")
    tight = labelcam(*arguments, "--budget", "0.0001us", timeout=300)
    assert tight.returncode == 3
    assert "nothing fits" in tight.stderr
    assert settings.read_text() == text


@pytest.mark.parametrize(
    ("arguments", "code", "why"),
    [
        ((), 2, "profile wants model files"),
        (("MODEL", "--compare", "a", "b"), 2, "profile wants model files, or --compare"),
        (("MODEL", "--threads", "0"), 2, "'0' is not a whole number"),
        (("MODEL", "--delegate", "gpu"), 2, "--delegate gpu: is unknown; use xnnpack"),
        (("MODEL", "--seconds", "0"), 2, "is not a number above 0"),
        (("MODEL", "--budget", "30"), 2, "write 30ms or 50mJ"),
        (("MODEL", "--budget", "30mJ", "--settings", "NONE"), 2, "this machine has no power meter"),
        (("MODEL", "--html", "/nonexistent/x.html"), 2, "cannot be written there"),
        (("MODEL", "--csv", "MODEL"), 2, "is to end with .csv"),
        (("MODEL", "MODEL"), 2, "two models are called"),
        (("nothing.tflite",), 78, "nothing.tflite"),
        (("MODEL", "--settings", "PMIC"), 78, "meter 'pmic'"),
        (("--compare", "a.json", "b.json"), 78, "a.json: cannot be read"),
        (("--recording", "m.csv", "BROKEN"), 78, "is no document of labelcam profile"),
    ],
)
def test_what_makes_no_sense_is_told_before_anything_is_measured(
    labelcam: Callable[..., SimpleNamespace],
    the_error: Callable[[str], str],
    colours: Path,
    tmp_path: Path,
    arguments: tuple[str, ...],
    code: int,
    why: str,
) -> None:
    """One line, and the exit code that scripts expect."""
    for kind in ("none", "pmic"):
        (tmp_path / f"{kind}.toml").write_text(f'[power]\nmeter = "{kind}"\n')
    (tmp_path / "broken.json").write_text("{}")
    words = {"MODEL": colours, "NONE": tmp_path / "none.toml", "PMIC": tmp_path / "pmic.toml",
             "BROKEN": tmp_path / "broken.json"}  # fmt: skip
    done = labelcam("profile", *(words.get(word, word) for word in arguments), cwd=tmp_path)
    assert done.returncode == code, done.stderr
    assert why in the_error(done.stderr)


class Busy:
    """A meter that sees whether a child of ours is at work: 2 W, and 1 W more."""

    plate = Nameplate("busy", "all", "nothing", "watts", 1000.0, 0.001)

    def read(self) -> float:
        children = "".join(path.read_text() for path in Path("/proc/self/task").glob("*/children"))
        return 3.0 if children.strip() else 2.0


def test_power_is_sampled_while_children_run(colours: Path, tmp_path: Path) -> None:
    """The child's clock and ours are one: its window's samples are those of its load, idle's those of none."""
    plan = Plan(combinations([colours], [1], ["xnnpack"]), windows=2, seconds=0.5)
    board = Board(tmp_path)
    measurement = measure(plan, Sampler(Busy(), board, 100.0), Busy.plate, {})
    for window in measurement.windows:
        assert window.seconds >= 0.5
        inside = [point.watts for point in measurement.points if window.begun_s <= point.at_s <= window.ended_s]
        assert len(inside) >= LEAST_SAMPLES
        assert set(inside) == {3.0}
    for begin, end in measurement.idles:
        assert {point.watts for point in measurement.points if begin <= point.at_s <= end} == {2.0}
    assert "energy needs 10 s" in runs(measurement)[0].no_energy


def test_a_configuration_that_cannot_be_run_leaves_the_others_their_figures(colours: Path, tmp_path: Path) -> None:
    """It stands in the document with the reason; if none can be run, that is the error."""
    good, gone = combinations([colours], [1], ["xnnpack"])[0], tmp_path / "gone.tflite"
    gone.write_bytes(colours.read_bytes())
    bad = combinations([gone], [1], ["xnnpack"])[0]
    gone.unlink()
    sampler = lambda: Sampler(Busy(), Board(tmp_path), 10.0)  # noqa: E731, one for each measurement
    measurement = measure(Plan((good, bad), windows=2, seconds=0.2), sampler(), Busy.plate, {})
    assert list(measurement.failures) == [1]
    assert "gone.tflite" in measurement.failures[1]
    assert len(runs(measurement)) == 1
    tpu = combinations([colours], [1], ["edgetpu"])[0]
    with pytest.raises(ChildFailed, match=r"edgetpu: .*is not compiled for the Edge TPU"):
        measure(Plan((tpu,), windows=2, seconds=0.2), sampler(), Busy.plate, {})
    begun = time.monotonic()
    with pytest.raises(ChildFailed, match="gone"):
        measure(Plan((bad,), windows=9, seconds=0.2), sampler(), Busy.plate, {})
    assert time.monotonic() - begun < 60


def test_a_pi_without_a_meter_still_knows_when_it_throttles(colours: Path, tmp_path: Path) -> None:
    """The board is watched whatever the meter."""
    from labelcam.firmware import Firmware
    from labelcam.power import open_meter

    tape = pi5(tmp_path)
    tape.answers["get_throttled"] = "throttled=0x4"
    meter = open_meter("none")
    plan = Plan(combinations([colours], [1], ["xnnpack"]), windows=1, seconds=1.5)
    sampler = Sampler(meter, Board(tmp_path, Firmware(tmp_path, tape)), 10.0)
    assert "throttled" in runs(measure(plan, sampler, meter.plate, {}))[0].faults[0]
