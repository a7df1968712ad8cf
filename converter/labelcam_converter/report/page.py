# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Renders a report as one HTML page that asks no network for anything, or as JSON.

Whatever the page holds of labels and file names is escaped; its policy (CSP) lets run only what is ours, by hash.
"""

import base64
import hashlib
import json
from dataclasses import asdict
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from labelcam.web import uplot_script, uplot_style

from . import figures, wording
from .data import Report
from .place import MARK, write_text

SCHEMA = 1
"""Counts up when a reader of the JSON could misread it."""


def document(report: Report) -> dict[str, Any]:
    """Return the report in its public form: the fields of `data.Report`, without the pictures."""
    whole = {"schema": SCHEMA, **asdict(report)}
    if whole["fidelity"]:
        for worst in whole["fidelity"]["worst"]:
            del worst["thumbnail"]
    return whole


def to_json(report: Report) -> str:
    """Return the report as JSON; a figure that is no number is a mistake of ours, and raises ValueError."""
    return json.dumps(document(report), indent=2, allow_nan=False) + "\n"


def to_html(report: Report) -> str:
    """Return the report as one page."""
    styles = [Markup(uplot_style()), Markup(_file("style.css"))]  # noqa: S704, our own files
    scripts = [Markup(uplot_script()), Markup(_file("plots.js"))]  # noqa: S704
    policy = (
        f"default-src 'none'; img-src data:; style-src {_hashes(styles)}; script-src {_hashes(scripts)}; "
        "base-uri 'none'; form-action 'none'"
    )
    page = _environment().get_template("page.html")
    return page.render(
        report=report,
        document=document(report),
        mark=Markup(MARK),  # noqa: S704
        policy=policy,
        styles=styles,
        scripts=scripts,
    )


def write_report(report: Report, path: Path) -> None:
    """Write the page, whole or not at all. Raises LabelcamError where the disk refuses."""
    write_text(path, to_html(report))


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader(__package__, "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.policies["json.dumps_kwargs"] = {"allow_nan": False}
    environment.filters.update(
        percent=wording.percent,
        percent0=lambda share: f"{share:.0%}",
        si=wording.si,
        size=wording.size,
        grouped=wording.grouped,
    )
    environment.globals.update(figures=figures, headlines=wording.headlines)
    return environment


def _file(name: str) -> str:
    return (files(__package__) / "templates" / name).read_text(encoding="utf-8")


def _hashes(texts: list[Markup]) -> str:
    # https://www.w3.org/TR/CSP3/#grammardef-hash-source: of exactly what stands between the tags
    digests = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in texts]
    return " ".join(f"'sha256-{digest}'" for digest in digests)
