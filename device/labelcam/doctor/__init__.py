# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""`labelcam doctor`: what is wrong with this machine, whatever the settings say, each with what mends it.

One module for each part of it; every one takes the root of the file system, so that recorded machines can be examined.
"""

from collections.abc import Iterator
from pathlib import Path

from ..checklist import Check, show
from ..console import step
from .accelerator import examine_corals
from .access import examine_access
from .health import examine_health
from .software import examine_picamera2, examine_software
from .storage import examine_storage


def doctor(*, as_json: bool) -> int:
    """Examine this machine, print what was found, and return 0 if nothing needs to be mended, else 1."""
    with step("examining this machine"):
        checks = list(examine(Path("/")))
    return show(checks, as_json=as_json)


def examine(root: Path) -> Iterator[Check]:
    """Yield everything that was looked at."""
    yield from examine_software()
    yield from examine_picamera2(root)
    yield from examine_access(root)
    yield from examine_corals(root)
    yield from examine_health(root)
    yield from examine_storage(root)
