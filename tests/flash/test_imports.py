# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""What the flash may lean on, read off its source: imports inside functions count as well."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import labelcam_flash

HOST = Path(labelcam_flash.__file__).parent
ON_PI = HOST / "on_pi"

SHARED = {"console", "errors", "settings", "model_file", "golden", "classifier"}
"""Of the device: what checks a model file and settings, and how errors are said."""


def imported(path: Path) -> Iterator[str]:
    """Every absolute module that a file imports."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            yield node.module


def foreign(files: list[Path]) -> set[str]:
    """Every module that does not come with Python."""
    assert files
    names = {name for path in files for name in imported(path)}
    return {name for name in names if name.partition(".")[0] not in sys.stdlib_module_names}


def test_a_pi_needs_nothing_but_its_python() -> None:
    """What runs there before anything is installed imports the standard library, and itself."""
    assert foreign(sorted(ON_PI.glob("*.py"))) == set()
    for path in ON_PI.glob("*.py"):
        nodes = ast.walk(ast.parse(path.read_text()))
        assert not [node for node in nodes if isinstance(node, ast.ImportFrom) and node.level > 1], path


def test_the_host_side_shares_little_with_the_device() -> None:
    """Neither the daemon nor the converter: a network of the zoo is built by its command."""
    files = sorted({*HOST.rglob("*.py")} - {*ON_PI.rglob("*.py")})
    assert foreign(files) <= {"labelcam"} | {f"labelcam.{name}" for name in SHARED}


def test_old_pythons_can_read_what_runs_on_the_pi() -> None:
    """If only to be told that their system is too old: its syntax is that of 3.9."""
    for path in ON_PI.glob("*.py"):
        ast.parse(path.read_text(), feature_version=(3, 9))
