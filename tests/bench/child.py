# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""A contestant's process: nothing of what it says on stderr is lost, and none of it is shown unless it fails."""

import subprocess
import tempfile
from collections.abc import Sequence


class ChildFailed(Exception):
    """A contestant ended with an error."""


def output_of(command: Sequence[object]) -> str:
    """Run a command and return its stdout. Raises ChildFailed with the last line of its stderr."""
    words = [str(word) for word in command]
    # A file, not a pipe: nobody has to read it while the clock runs.
    with tempfile.TemporaryFile("w+") as errors:
        done = subprocess.run(words, stdout=subprocess.PIPE, stderr=errors, text=True, check=False)
        if done.returncode:
            errors.seek(0)
            raise ChildFailed(f"{' '.join(words)} ended with {done.returncode}: {last_line(errors.read())}")
    return done.stdout


def last_line(text: str) -> str:
    """Return the last line that says something."""
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "it said nothing")
