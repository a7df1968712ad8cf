# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from absent import absent
from headless_chromium import Chromium
from labelcam.profile.figures import runs
from labelcam.profile.page import to_html
from synthetic_profile import KINDS, Kind, synthetic, without_meter
from ticks import overhear, ticks

PROGRAM = next(filter(None, map(shutil.which, ("chromium-headless-shell", "chromium", "google-chrome"))), None)
HOSTILE = Kind('</script><script>window.owned=1</script><img src=x onerror="window.owned=1">', 1, "xnnpack", 9.0, 4.0)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    if PROGRAM is None:
        absent("no Chromium is here: sudo apt-get install chromium-headless-shell")
    with Chromium(PROGRAM, tmp_path_factory.mktemp("profile")) as opened:
        overhear(opened)
        yield opened


def written(path: Path, kinds: tuple[Kind, ...] = KINDS, *, metered: bool = True) -> Path:
    measurement = synthetic(kinds, windows=3)
    if not metered:
        measurement = without_meter(measurement)
    path.write_text(to_html(measurement, runs(measurement)))
    return path


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [390, 1280])
def test_the_page_draws_everything_and_asks_nobody(browser: Chromium, tmp_path: Path, width: int, dark: bool) -> None:
    """Five plots with something on them, no error, no request, and nothing wider than the window."""
    page = written(tmp_path / "p.html")
    browser.open(page, width, dark)
    drawn = """[...document.querySelectorAll('canvas')].map((canvas) => {
      const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
      return new Set(data.filter((_, n) => n % 4 < 3)).size;
    })"""
    shades = browser.run(drawn)
    assert len(shades) == 5
    assert min(shades) > 8
    assert not browser.happened("Runtime.exceptionThrown", "Log.entryAdded")
    assert {event["request"]["url"] for event in browser.happened("Network.requestWillBeSent")} == {page.as_uri()}
    assert browser.run("document.documentElement.scrollWidth <= innerWidth")


def test_the_page_without_a_meter_has_no_empty_frames(browser: Chromium, tmp_path: Path) -> None:
    """No energy, no power: those parts are gone, and the reason is there."""
    browser.open(written(tmp_path / "p.html", metered=False), 1280)
    assert browser.run("document.querySelectorAll('canvas').length") == 3
    assert "there is no power meter" in browser.run("document.body.innerText")
    shown = "[...document.querySelectorAll('h2')].filter((one) => one.offsetHeight).map((one) => one.innerText)"
    assert browser.run(shown) == ["Figures", "Latency", "Over time", "How it was measured"]


def test_no_name_can_become_markup(browser: Chromium, tmp_path: Path) -> None:
    """A model file may be called anything."""
    browser.open(written(tmp_path / "p.html", (HOSTILE, *KINDS[:1])), 1280)
    assert browser.run("window.owned") is None
    assert not browser.happened("Runtime.exceptionThrown", "Log.entryAdded")
    assert "window.owned" in browser.run("document.querySelector('table').innerText")


def test_the_page_tells_what_is_wrong() -> None:
    """Invalid runs are marked in the table and in the list; those that failed are in it, too."""
    measurement = synthetic(windows=3, change=lambda point: replace(point, throttled=True))
    measurement = replace(measurement, failures={1: "no such delegate"})
    page = to_html(measurement, runs(measurement))
    assert page.count("<small>invalid</small>") == len(KINDS)
    assert "could not be run: no such delegate" in page
    assert "No configuration is valid" in page


def test_a_busy_machine_is_told_on_the_page_as_well() -> None:
    """Whoever is shown the page did not see the terminal."""
    quiet = synthetic(KINDS, windows=3)
    loaded = replace(quiet, host={**quiet.host, "load_before": 7.5, "cores": 2})
    assert "busy beforehand (load 7.5 on 2 cores)" in to_html(loaded, runs(loaded))
    assert "busy beforehand" not in to_html(quiet, runs(quiet))


@pytest.mark.parametrize("seconds", [10, 300, 86400, 30 * 86400])
def test_no_two_ticks_read_alike(browser: Chromium, tmp_path: Path, seconds: float) -> None:
    """However long it took, and where the meter said the same all the time: nothing, for instance."""
    measurement = synthetic(windows=3, change=lambda point: replace(point, watts=0.0, celsius=1e-4))
    points = [replace(point, at_s=point.at_s * seconds / measurement.points[-1].at_s) for point in measurement.points]
    page = tmp_path / "p.html"
    page.write_text(to_html(replace(measurement, points=tuple(points)), runs(measurement)))
    for width in (390, 1280):
        found = ticks(browser, page, width)
        for plot in ("watts", "celsius", "mhz"):
            for read in found[plot]:
                assert len(set(read)) == len(read) >= 1, (plot, width, read)
