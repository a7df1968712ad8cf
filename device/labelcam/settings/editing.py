# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Changes single settings in a file's text, and leaves everything else in it as it stands, comments most of all."""

import json
import os
import re
import tomllib
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from ..errors import SettingsError

Value = str | int

_SECTION = re.compile(r"\s*\[([^\[\]]+)\]\s*(#.*)?")


def edited(text: str, changes: Mapping[str, Mapping[str, Value]]) -> str:
    """Return the text with other values under some keys, by section.

    Raises SettingsError if that cannot be done without touching more: where a section is written as an inline table,
    say.
    """
    lines = text.splitlines(keepends=True)
    for section, values in changes.items():
        for key, value in values.items():
            lines = _with(lines, section, key, value)
    changed = "".join(lines)
    if not _is_just(text, changed, changes):
        wanted = "; ".join(
            f"[{section}] {key} = {_toml(value)}"
            for section, values in changes.items()
            for key, value in values.items()
        )
        raise SettingsError(f"the file is written in a way that cannot be changed safely; set by hand: {wanted}")
    return changed


def write_settings(path: Path, changes: Mapping[str, Mapping[str, Value]]) -> None:
    """Change a settings file, whole or not at all; one that is not there begins empty. Raises SettingsError."""
    new = path.with_name(f".{path.name}.new")
    try:
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        changed = edited(text, changes)
        path.parent.mkdir(parents=True, exist_ok=True)
        new.write_text(changed, encoding="utf-8")
        if path.exists():
            told = path.stat()
            with suppress(PermissionError):  # root alone can leave it to another: a service's file stays the service's
                os.chown(new, told.st_uid, told.st_gid)
            new.chmod(told.st_mode & 0o7777)
        new.replace(path.resolve())
    except (OSError, UnicodeDecodeError) as error:
        new.unlink(missing_ok=True)
        raise SettingsError(f"{path}: cannot be changed ({error}); check its permissions, or use --settings") from None
    except SettingsError as error:
        raise SettingsError(f"{path}: {error}") from None


def _with(lines: list[str], section: str, key: str, value: Value) -> list[str]:
    new = f"{key} = {_toml(value)}"
    start = next((n for n, line in enumerate(lines) if _names(line) == section), None)
    if start is None:
        end = [] if not lines or lines[-1].endswith("\n") else ["\n"]
        return [*lines, *end, *(["\n"] if lines else []), f"[{section}]\n", f"{new}\n"]
    stop = next((n for n in range(start + 1, len(lines)) if lines[n].lstrip().startswith("[")), len(lines))
    active = re.compile(rf"(\s*){re.escape(key)}\s*=\s*(?:\"(?:[^\"\\\\]|\\\\.)*\"|'[^']*'|[^#\s]+)(\s*(?:#.*)?\n?)")
    for number in range(start + 1, stop):
        if found := active.fullmatch(lines[number]):
            return [*lines[:number], found[1] + new + found[2], *lines[number + 1 :]]
    # A commented default stays as it is, and the value stands below it, where people look for it.
    default = re.compile(rf"\s*#\s*{re.escape(key)}\s*=")
    place = next((n for n in range(start + 1, stop) if default.match(lines[n])), start) + 1
    if not lines[place - 1].endswith("\n"):
        lines = [*lines[: place - 1], lines[place - 1] + "\n", *lines[place:]]
    return [*lines[:place], f"{new}\n", *lines[place:]]


def _names(line: str) -> str | None:
    found = _SECTION.fullmatch(line.rstrip("\n"))
    return found[1].strip() if found else None


def _toml(value: Value) -> str:
    """JSON's strings are TOML's, but for the escape of DEL, which TOML wants."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _is_just(before: str, after: str, changes: Mapping[str, Mapping[str, Value]]) -> bool:
    """Whether the parsed text differs by the changes and by nothing else."""
    try:
        wanted = tomllib.loads(before)
        for section, values in changes.items():
            wanted.setdefault(section, {}).update(values)
        return tomllib.loads(after) == wanted
    except tomllib.TOMLDecodeError:
        return False
