# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""What was looked at and what became of it, with the remedy: for `check` and `doctor` alike."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from .errors import LabelcamError

EXIT_ORDER = (78, 3, 74, 1)
"""The first of these that occurs is a command's exit code: what a restart cannot mend comes first."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Check:
    """What became of one thing that was looked at."""

    name: str
    ok: bool
    detail: str
    remedy: str = ""
    exit_code: int = 0


def failed(name: str, detail: str, remedy: str) -> Check:
    """Return a check that found something to be mended."""
    return Check(name, False, detail, remedy, LabelcamError.exit_code)


def attempt(checks: list[Check], name: str, work: Callable[[], tuple[T, str]]) -> T | None:
    """Do something and note how it went: its detail, or the error that it raised. Return its result, if any."""
    try:
        result, detail = work()
    except LabelcamError as error:
        what, _, remedy = str(error).rpartition("; ")
        checks.append(Check(name, False, str(error), remedy if what else "", error.exit_code))
        return None
    checks.append(Check(name, True, detail))
    return result


def show(checks: Sequence[Check], *, as_json: bool) -> int:
    """Print the checks and return the exit code of the most lasting failure, else 0."""
    ok = all(check.ok for check in checks)
    if as_json:
        keys = ("name", "ok", "detail", "remedy")
        shown = [{key: getattr(check, key) for key in keys} for check in checks]
        print(json.dumps({"schema": 1, "ok": ok, "checks": shown}, indent=2, ensure_ascii=False))
    else:
        width = max(len(check.name) for check in checks)
        for line in _lines(checks, width):
            print(line)
    codes = {check.exit_code for check in checks if not check.ok}
    return 0 if ok else next((code for code in EXIT_ORDER if code in codes), 1)


def _lines(checks: Sequence[Check], width: int) -> Iterable[str]:
    for check in checks:
        yield f"{'ok  ' if check.ok else 'FAIL'} {check.name:{width}} {check.detail}"
        if check.remedy and not check.detail.endswith(check.remedy):
            yield f"     {'':{width}} {check.remedy}"
