# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The report as a person meets it: in Chromium, light and dark, wide and narrow, on paper and by the keyboard."""

import base64
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from headless_chromium import Chromium
from hostile_report import HOSTILE, hostile_report
from labelcam_converter.report.page import to_html
from labelcam_converter.report.place import write_text


@pytest.fixture(scope="module")
def chromium(need_tool: Callable[..., str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    shell = shutil.which("chromium-headless-shell")  # a browser without its windows: half the size
    program = shell or need_tool("chromium", "chromium-headless-shell")
    with Chromium(program, tmp_path_factory.mktemp("profile")) as browser:
        yield browser


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "report.html"
    write_text(path, to_html(hostile_report()))
    return path


COLOURED = """[...document.querySelectorAll('.plot canvas')].map(canvas => {
    const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
    let coloured = 0;
    for (let n = 0; n < pixels.length; n += 4) {
        const [red, green, blue, opaque] = pixels.slice(n, n + 4);
        coloured += opaque > 100 && Math.max(red, green, blue) - Math.min(red, green, blue) > 60;
    }
    return coloured; })"""
"""How many pixels of each plot are neither grey nor empty: axes are grey, what was measured is not."""


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_a_browser_draws_every_plot_and_asks_for_nothing(chromium: Chromium, page: Path, dark: bool) -> None:
    """No error in the console, no request but the page itself, and the figures on every canvas."""
    chromium.open(page, 1200, dark)
    assert chromium.happened("Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded") == []
    assert [sent["request"]["url"] for sent in chromium.happened("Network.requestWillBeSent")] == [page.as_uri()]
    assert chromium.run("document.title").startswith(HOSTILE[0])
    coloured = chromium.run(COLOURED)
    assert len(coloured) == 5
    assert min(coloured) > 200, coloured


@pytest.mark.parametrize("width", [320, 400, 768, 1200])
def test_the_page_is_as_wide_as_the_screen(chromium: Chromium, page: Path, width: int) -> None:
    """Nobody has to scroll sideways, not even on a small phone."""
    chromium.open(page, width)
    assert chromium.run("document.documentElement.scrollWidth") <= width


def test_the_plots_answer_the_keyboard(chromium: Chromium, page: Path) -> None:
    """Whoever uses no mouse hears each point by the arrow keys, and Escape ends it."""
    chromium.open(page, 1200)
    said = []
    chromium.run("document.querySelector('[data-plot=noise]').focus()")
    for key in ("ArrowRight", "ArrowRight", "ArrowLeft", "Escape"):
        chromium.ask("Input.dispatchKeyEvent", type="keyDown", key=key)
        said.append(chromium.run("document.querySelector('[data-plot=noise] output').textContent"))
    first, second, again, ended = said
    assert first == f"{HOSTILE[0]} 0\n38.0 dB in the median channel, 40.0 dB in all\n5.0 dB lost here"
    assert second == f"{HOSTILE[1]} 1\n33.0 dB in the median channel, 35.0 dB in all\n5.0 dB lost here"
    assert (again, ended) == (first, "")


def test_what_is_read_in_the_dark_is_printed_in_black_on_white(chromium: Chromium, page: Path) -> None:
    """A printer's ink is dark whatever the screen was, and the screen comes back as it was."""
    chromium.open(page, 1200, dark=True)
    colour = "getComputedStyle(document.documentElement).getPropertyValue('--ink').trim()"
    dark = chromium.run(colour)
    chromium.run("addEventListener('beforeprint', () => { window.printed = " + colour + "; })")
    printed: dict[str, Any] = chromium.ask("Page.printToPDF", printBackground=True)
    assert base64.b64decode(printed["data"]).startswith(b"%PDF")
    assert chromium.run("window.printed") == "#1b1d20"
    assert chromium.run(colour) == dark != "#1b1d20"
