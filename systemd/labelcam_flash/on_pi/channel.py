# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""How the Pi answers the host: JSON lines on stdout, the last of which is the result or the reason for none."""

from __future__ import annotations

import contextlib
import json
import sys
from typing import Any


class Refused(Exception):
    """It cannot be done, for a reason and with a remedy that a person can read."""


def say(text: str) -> None:
    """Tell a person what goes on."""
    _send({"say": text})


def answer(result: Any) -> None:
    """Give the result and end."""
    _send({"result": result})


def refuse(reason: str) -> None:
    """Give the reason and end."""
    _send({"refused": reason})


def _send(line: dict[str, Any]) -> None:
    # Once the host is gone there is nobody to tell, and a switch that has begun is brought to its end all the same.
    with contextlib.suppress(BrokenPipeError):
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()
