# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""What stands at the axes of our pages' plots. They are on a canvas: the browser is asked what it wrote, and where."""

from collections import defaultdict
from pathlib import Path

from headless_chromium import Chromium

_OVERHEAR = """(() => {
  const draw = CanvasRenderingContext2D.prototype.fillText;
  window.drawn = {};
  CanvasRenderingContext2D.prototype.fillText = function (text, x, y, ...more) {
    const plot = this.canvas.closest("[data-plot]").dataset.plot, place = this.getTransform().transformPoint({ x, y });
    (window.drawn[plot] ??= {})[[place.x, place.y]] = [text, place.x, place.y, this.textAlign];
    return draw.call(this, text, x, y, ...more);
  };
})()"""


def overhear(browser: Chromium) -> None:
    """Have every page that is opened from now on remember what its plots write."""
    browser.ask("Page.addScriptToEvaluateOnNewDocument", source=_OVERHEAR)


def ticks(browser: Chromium, page: Path, width: int) -> dict[str, tuple[list[str], list[str]]]:
    """Open a page and return what the ticks of every plot read: those along it, from the left, and those beside it."""
    browser.open(page, width)
    return {name: _axes(written.values()) for name, written in browser.run("window.drawn").items()}


def _axes(written: "list[tuple[str, float, float, str]]") -> tuple[list[str], list[str]]:
    along, beside = defaultdict(list), []
    for text, x, y, align in written:
        if align == "center":
            along[x].append((y, text))
        else:
            beside.append(text)
    return [" ".join(text for _, text in sorted(along[x])) for x in sorted(along)], beside
