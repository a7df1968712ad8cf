# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""What the page on troubleshooting quotes is what the programs say."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = ("device/labelcam", "converter/labelcam_converter", "systemd/labelcam_flash")

QUOTED = re.findall(r"^\| `([^`]+)` \|", (ROOT / "docs/troubleshooting.md").read_text(), re.MULTILINE)
"""The first column of every table."""


def said(tree: ast.AST) -> Iterator[str]:
    """Every text of a module, with … for what is put into it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield re.sub(r"%\w", "…", node.value)


@cache
def texts() -> str:
    """Everything that the programs may say, a line each."""
    paths = [path for source in SOURCES for path in sorted((ROOT / source).rglob("*.py"))]
    return "\n".join(text for path in paths for text in said(ast.parse(path.read_text())) if "\n" not in text)


@pytest.mark.parametrize("quoted", QUOTED)
def test_what_is_quoted_is_said(quoted: str) -> None:
    """To the letter, but for what … stands for."""
    parts = [re.escape(part) for part in quoted.split("…")]
    assert any(len(part) > 8 for part in parts), "that would be found anywhere"
    assert re.search(".*".join(parts), texts()), "nobody says so"


def test_something_is_quoted() -> None:
    """Of each program."""
    assert len(QUOTED) > 30
