# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""What our pages have in common: one file that asks no network for anything, and a policy that runs only what is ours.

A page is its sections, with places such as `<!--facts-->`, its own style and its own script. Every sheet brings the
frame around them (sheet.html), uPlot, the family's style (sheet.css) and, for the scripts, `sheet` (sheet.js): the
figures, colours, axes and plots.
"""

import base64
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from importlib.resources import files

from . import uplot_script, uplot_style

_PLACE = re.compile(r"<!--(\w+)-->")


def sheet(sections: str, parts: Mapping[str, str], figures: object, style: str, script: str) -> str:
    """Return the page: `parts` are HTML already, `figures` become the JSON that `sheet.figures` is in the scripts.

    Beside what the sections ask for, parts are the `command` that made the page, what it is `about`, and in its head
    `title`, `scheme` and `verdict`. Raises KeyError for a place that nobody fills, and ValueError for a figure that is
    no number.
    """
    styles = (uplot_style(), _file("sheet.css"), style)
    scripts = (uplot_script(), _file("sheet.js"), script)
    ours = {
        "policy": f"default-src 'none'; img-src data:; style-src {_hashes(styles)}; script-src {_hashes(scripts)}; "
        "base-uri 'none'; form-action 'none'",
        "styles": "".join(f"<style>{text}</style>" for text in styles),
        "data": f'<script type="application/json" id="figures">{_inert(figures)}</script>',
        "scripts": "".join(f"<script>{text}</script>" for text in scripts),
    }
    filled = {**parts, **ours}
    page = _file("sheet.html").replace("<!--content-->\n", sections)
    # In one pass: what is filled in may say anything, also <!--scripts-->.
    return _PLACE.sub(lambda place: filled[place[1]], page)


def _inert(figures: object) -> str:
    """JSON that ends no script element and begins no comment, whatever a label or a file is called."""
    text = json.dumps(figures, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _hashes(texts: Sequence[str]) -> str:
    # https://www.w3.org/TR/CSP3/#grammardef-hash-source: of exactly what stands between the tags
    digests = (base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in texts)
    return " ".join(f"'sha256-{digest}'" for digest in digests)


def _file(name: str) -> str:
    return (files(__package__) / name).read_text(encoding="utf-8")
