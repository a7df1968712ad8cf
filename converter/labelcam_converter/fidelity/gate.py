# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The gate: a network that no longer answers like the float one becomes no model file."""

from dataclasses import dataclass

from labelcam.errors import GateFailed

from ..plurals import images
from . import Fidelity

TO_JUDGE = 50
"""With fewer held-out images the agreement is too uncertain to fail a build by."""

DEFAULT_AGREEMENT = 0.90


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the gate says of a comparison."""

    limit: float
    """The least agreement that passes."""

    failed: bool
    """No model may be written."""

    message: str | None
    """Why it failed, or what to be wary of; None where there is nothing to say."""

    def enforce(self) -> None:
        """Raise GateFailed where the gate has failed, before any model is written."""
        if self.failed:
            raise GateFailed(self.message or "")


def verdict(fidelity: Fidelity, asked: float | None) -> Verdict:
    """Judge by the point estimate; too few held-out images only warn, unless a limit was `asked` for."""
    limit = DEFAULT_AGREEMENT if asked is None else asked
    if fidelity.agreement >= limit:
        return Verdict(limit, failed=False, message=None)
    said = f"int8 agrees with float on {fidelity.agreed} of {images(fidelity.images)}, less than {limit:g} of them"
    if asked is not None or (fidelity.held_out and fidelity.images >= TO_JUDGE):
        remedy = "no model was written; calibrate on more images, or lower --min-agreement"
        return Verdict(limit, failed=True, message=f"{said}: {remedy}")
    remedy = f"give {TO_JUDGE + 100} images or more by --images DIR to judge it on images it was not calibrated on"
    return Verdict(limit, failed=False, message=f"{said}; {remedy}")
