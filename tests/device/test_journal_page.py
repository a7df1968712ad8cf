# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The journal's page in Chromium, light and dark, wide and narrow."""

import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from headless_chromium import Chromium
from labelcam.account import Percentiles
from labelcam.extremes import Range
from labelcam.journal.entry import Entry, News
from labelcam.journal.page import to_html
from ticks import overhear, ticks

HOSTILE = "</script><script>document.title = 'taken'</script><img src=x onerror=\"document.title = 'taken'\">"

COLOURED = """[...document.querySelectorAll('.plot canvas')].map(canvas => {
    const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
    let coloured = 0;
    for (let n = 0; n < pixels.length; n += 4) {
        const [red, green, blue, opaque] = pixels.slice(n, n + 4);
        coloured += opaque > 100 && Math.max(red, green, blue) - Math.min(red, green, blue) > 60;
    }
    return coloured; })"""
"""How many pixels of each plot are neither grey nor empty: axes are grey, what was recorded is not."""

PLOTS = ["latency", "frames", "dropped", "mj", "watts", "celsius", "mhz", "rss"]


def hour(metered: bool = True) -> list[Entry]:
    """An hour with a hole in it, a warm half and a hostile remark."""
    found = []
    for minute in (*range(20), *range(25, 60)):
        spread, warm = Percentiles(38 + minute % 3, 42, 45 + minute % 7, 80), minute > 30
        energy = {
            **dict.fromkeys(("joules", "error_joules"), 250.0),
            "meter": "m",
            "seconds": 60.0,
            "watts": 4 + minute / 60,
            "mj_per_inference": 400.0 + minute,
            "error_mj_per_inference": 12.0,
        }
        found.append(
            Entry(
                time=datetime(2026, 11, 25, 12, tzinfo=UTC) + timedelta(minutes=minute), clock="synced", boot="b",
                monotonic_s=60.0 * minute, seconds=60.0, frames=600, dropped={"stale": minute % 4},
                stages_ms={"invoke": spread}, age_ms=spread, energy=energy if metered else None,
                watts=None, celsius=Range(60, 61 + minute / 4) if metered else None,
                mhz=Range(1500, 2400) if metered else None, throttled=minute == 40, undervolted=False,
                model=HOSTILE, delegate="xnnpack", camera="ok", fps_limit=8.0 if warm else None, rss_mb=80 + minute / 9,
                lost={}, changed=0, changes=(), remarks={"rate": HOSTILE} if warm else {},
                news=[News(datetime(2026, 11, 25, 12, tzinfo=UTC), "rate", HOSTILE)],
            )
        )  # fmt: skip
    return found


@pytest.fixture(scope="module")
def chromium(need_tool: Callable[..., str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    shell = shutil.which("chromium-headless-shell")
    program = shell or need_tool("chromium", "chromium-headless-shell")
    with Chromium(program, tmp_path_factory.mktemp("profile")) as browser:
        overhear(browser)
        yield browser


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "journal.html"
    path.write_text(to_html(hour()), encoding="utf-8")
    return path


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_a_browser_draws_every_plot_and_asks_for_nothing(chromium: Chromium, page: Path, dark: bool) -> None:
    """No error, no request but the page itself, no remark that runs, and something on every canvas."""
    chromium.open(page, 1200, dark)
    assert chromium.happened("Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded") == []
    assert [sent["request"]["url"] for sent in chromium.happened("Network.requestWillBeSent")] == [page.as_uri()]
    assert chromium.run("document.title") == "The record of every minute: labelcam journal"
    assert chromium.run("[...document.querySelectorAll('.plot')].map(plot => plot.dataset.plot)") == PLOTS
    coloured = chromium.run(COLOURED)
    assert len(coloured) == len(PLOTS)
    assert min(coloured) > 150, coloured


@pytest.mark.parametrize("width", [320, 768])
def test_the_page_is_as_wide_as_the_screen(chromium: Chromium, page: Path, width: int) -> None:
    """Nobody has to scroll sideways."""
    chromium.open(page, width)
    assert chromium.run("document.documentElement.scrollWidth") <= width


def test_what_nobody_measured_has_no_plot(chromium: Chromium, tmp_path: Path) -> None:
    """Without a meter and a board that tells there is neither energy nor heat, and no empty frame for it."""
    path = tmp_path / "journal.html"
    path.write_text(to_html(hour(metered=False)), encoding="utf-8")
    chromium.open(path, 900)
    assert chromium.happened("Runtime.exceptionThrown", "Log.entryAdded") == []
    shown = "[...document.querySelectorAll('section')].filter(part => part.offsetHeight).map(part => part.innerText)"
    titles = [text.split("\n")[0] for text in chromium.run(shown)]
    assert titles == ["In all", "Latency", "Frames", "Memory", "Remarks"]


def test_the_pointer_is_told_what_a_minute_was(chromium: Chromium, page: Path) -> None:
    """Beside it stand the time, every line's figure, and that the board was held back."""
    chromium.open(page, 1200)
    told = chromium.run("""(() => {
        const over = document.querySelector('[data-plot=celsius] .u-over'), box = over.getBoundingClientRect();
        const x = box.left + box.width * 40 / 59;
        over.dispatchEvent(new MouseEvent('mousemove', { clientX: x, clientY: box.top + 5, bubbles: true }));
        return over.querySelector('output').textContent; })()""")
    assert "71 °C  highest" in told
    assert "throttled" in told


MINUTE, HOUR, DAY = 60, 3600, 86400
SPANS = [10, 30, 60, 120, 300, 20 * MINUTE, HOUR, 6 * HOUR, DAY, 30 * HOUR, 3 * DAY, 7 * DAY, 30 * DAY, 900 * DAY]


def lasting(seconds: float) -> list[Entry]:
    """Eleven records over so long."""
    first, step = hour()[0], seconds / 10
    return [replace(first, time=first.time + timedelta(seconds=n * step), seconds=step) for n in range(11)]


def test_no_two_ticks_read_alike(chromium: Chromium, tmp_path: Path) -> None:
    """Whether the record is of ten seconds or of years, each tick is another moment; so are the figures beside it."""
    path = tmp_path / "journal.html"
    for seconds in SPANS:
        path.write_text(to_html(lasting(seconds)), encoding="utf-8")
        for width in (390, 1280):
            for plot, (along, beside) in ticks(chromium, path, width).items():
                assert len(along) >= 2, (seconds, width, plot, along)
                assert len(set(along)) == len(along), (seconds, width, plot, along)
                assert len(set(beside)) == len(beside) >= 1, (seconds, width, plot, beside)


def test_ticks_of_seconds_say_the_second_and_ticks_of_days_the_day(chromium: Chromium, tmp_path: Path) -> None:
    """The day stands where it begins, or where an hour comes again."""
    path = tmp_path / "journal.html"
    path.write_text(to_html(lasting(10)), encoding="utf-8")
    along, _ = ticks(chromium, path, 1280)["frames"]
    assert re.fullmatch(r"\d\d:\d\d:\d\d \d+ \w{3}", along[0])
    assert all(re.fullmatch(r"\d\d:\d\d:\d\d", tick) for tick in along[1:])
    path.write_text(to_html(lasting(2 * DAY)), encoding="utf-8")
    along, _ = ticks(chromium, path, 1280)["frames"]
    assert all(re.fullmatch(r"\d\d:\d\d \d+ \w{3}", tick) for tick in along)
    path.write_text(to_html(lasting(7 * DAY)), encoding="utf-8")
    along, _ = ticks(chromium, path, 1280)["frames"]
    assert along[:2] == ["26 Nov", "27 Nov"]


def test_a_single_record_stands_in_its_own_minute(chromium: Chromium, tmp_path: Path) -> None:
    """It is no day with a point at its edge."""
    path = tmp_path / "journal.html"
    path.write_text(to_html(hour()[:1]), encoding="utf-8")
    along, _ = ticks(chromium, path, 1280)["frames"]
    assert len(set(along)) == len(along) >= 3
    near = [hour()[0].time.astimezone() + timedelta(seconds=seconds) for seconds in (-60, 0)]
    assert {tick[:5] for tick in along} <= {f"{time:%H:%M}" for time in near}
