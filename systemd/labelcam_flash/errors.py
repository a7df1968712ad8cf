# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Why a flash stopped; every error is one line with the remedy in it."""

from labelcam.errors import LabelcamError


class FlashFailed(LabelcamError):
    """The Pi has not got what it was to get; what ran on it before still runs."""


class ConnectionLost(FlashFailed):
    """The Pi cannot be reached, or the connection broke before it had answered."""


class RolledBack(LabelcamError):
    """The release went live, did not hold, and the one before it is back."""

    exit_code = 3


class GoingBackFailed(RolledBack):
    """The release did not hold, and the way back to the one before it failed as well."""


class CardFailed(LabelcamError):
    """The image or the card was not written."""
