# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""What our pages are drawn with: one file of uPlot 1.6.32 and its style sheet, as npm has them (MIT; see the LICENSE).

They travel with the package, because no page of ours may ask the network for anything.
"""

from importlib.resources import files


def uplot_script() -> str:
    """Return the script that defines `uPlot`, with its author's licence in front; no `</script>` is in it."""
    return f"/*\n{_text('uPlot.LICENSE.txt')}*/\n{_text('uPlot.iife.min.js')}"


def uplot_style() -> str:
    """Return the style sheet that uPlot's charts need."""
    return _text("uPlot.min.css")


def _text(name: str) -> str:
    return (files(__name__) / name).read_text(encoding="utf-8")
