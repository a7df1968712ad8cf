# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Runs the system's own tools."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence

from .channel import Refused


def run(*command: str, timeout_s: float = 120.0) -> str:
    """Return what a command printed. Raises Refused with its last line if it fails or takes too long."""
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",  # a journal may hold anything
            timeout=timeout_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise Refused(f"{' '.join(command[:3])} did not end within {timeout_s:g} s") from None
    except FileNotFoundError:
        raise Refused(f"there is no {command[0]} on this system") from None
    if done.returncode:
        said = (done.stderr + done.stdout).strip().splitlines() or [f"exit code {done.returncode}"]
        raise Refused(f"{' '.join(command[:3])}: {said[-1]}")
    return done.stdout


def try_run(command: Sequence[str], timeout_s: float = 30.0) -> str:
    """Return what a command printed, whatever became of it; nothing if it is not there."""
    return try_both(command, timeout_s)[0]


def try_both(
    command: Sequence[str],
    timeout_s: float,
    cwd: str | None = None,
    environment: Mapping[str, str] | None = None,
) -> tuple[str, str]:
    """Return what a command printed and what it complained of, whatever became of it."""
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout_s,
            check=False,
            cwd=cwd,
            env={**os.environ, **(environment or {})},
        )
    except OSError as error:
        return "", str(error)
    except subprocess.TimeoutExpired:
        return "", f"it did not end within {timeout_s:g} s"
    return done.stdout, done.stderr
