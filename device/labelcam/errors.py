# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Every error that labelcam raises on purpose, and the exit code each one ends a command with.

The codes are a contract (scripts and the unit file rely on them); 74 and 78 follow sysexits.h.
"""


class LabelcamError(Exception):
    """Base of every error this project raises on purpose: one line with the value, the reason and the remedy."""

    exit_code = 1


class UsageError(LabelcamError, ValueError):
    """The command line asks for something that makes no sense."""

    exit_code = 2


class GateFailed(LabelcamError):
    """The work was done, but its result is not good enough to be used."""

    exit_code = 3


class CameraLost(LabelcamError, OSError):
    """The camera does not deliver frames. Dying is the cure: systemd starts us afresh."""

    exit_code = 74


class SettingsError(LabelcamError, ValueError):
    """The settings cannot be used as written; systemd must not restart us into the same mistake."""

    exit_code = 78


class ModelFileError(LabelcamError, ValueError):
    """The model file is missing, damaged, or of a kind we do not run."""

    exit_code = 78


class ImageError(LabelcamError, ValueError):
    """An image file cannot be read; callers that read many skip and count it."""


class InferenceFailed(LabelcamError, RuntimeError):
    """The interpreter failed on a frame; once may be an accident, twice is not."""

    def __init__(self, model: str, cause: Exception) -> None:
        reason = " ".join(str(cause).split())[:200] or type(cause).__name__
        super().__init__(f"{model}: the interpreter fails ({reason}); build the model again, or update labelcam")


class MemoryGrown(LabelcamError):
    """Our own memory grows without end. Dying is the cure: systemd starts us afresh."""
