# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0

import base64
import hashlib
import json
import re

import pytest

from labelcam.web.sheet import sheet

SECTIONS = "<p><!--seen--></p>"
HEAD = {"command": "look", "about": "What is seen", "title": "Seen", "scheme": "", "verdict": ""}


def test_every_page_begins_alike() -> None:
    """It says what it is about and what made it, before it says anything else."""
    page = sheet(SECTIONS, HEAD | {"seen": "a cat"}, 1, "", "")
    assert "<title>What is seen: labelcam look</title>" in page
    assert "<h1>Seen</h1>" in page.split("</header>")[0]
    assert "<main>\n<p>a cat</p></main>" in page


def test_the_policy_allows_just_the_scripts_and_styles_that_are_ours() -> None:
    """Every inline script and style is allowed by its hash; the figures are no script."""
    page = sheet("", HEAD, {"n": 1}, "h1 { color: red }", "sheet.short(1)")
    policy = page.split('"Content-Security-Policy" content="')[1].split('"')[0]
    assert policy.startswith("default-src 'none'; ")
    for kind in ("script", "style"):
        allowed = set(re.findall(r"'sha256-([^']+)'", policy.split(f"{kind}-src ")[1].split(";")[0]))
        texts = re.findall(rf"<{kind}>(.*?)</{kind}>", page, re.DOTALL)
        assert {base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in texts} == allowed
        assert len(texts) == 3


def test_what_is_shown_cannot_become_a_part_of_the_page() -> None:
    """A title that names a place is no place, and figures end no element, whatever they are called."""
    hostile = {"</script><script>alert(1)</script><!--": "<!--scripts-->"}
    page = sheet("", HEAD | {"title": "<!--scripts-->"}, hostile, "", "")
    assert "<h1><!--scripts--></h1>" in page
    assert "alert(1)</script>" not in page
    (figures,) = re.findall(r'<script type="application/json" id="figures">(.*?)</script>', page)
    assert json.loads(figures) == hostile


def test_a_figure_that_is_no_number_is_a_mistake_of_ours() -> None:
    """JSON has no NaN, and neither has a page; a place that nobody fills is found out as well."""
    with pytest.raises(ValueError, match="JSON"):
        sheet("", HEAD, float("nan"), "", "")
    with pytest.raises(KeyError, match="seen"):
        sheet(SECTIONS, HEAD, 1, "", "")
