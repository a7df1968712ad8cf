# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""How a task says no."""

FULL = 28
"""Exit code where the temporary folder takes no more: then the reason cannot be written there either."""


class Refused(Exception):
    """The task cannot be done, for a reason that a user can read."""


def first_line(error: Exception) -> str:
    """Return the beginning of what a library has to say of its failure."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
