# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""`make soak`: whether the daemon's memory stays flat over 200,000 frames, with everything on that it may have."""

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from child import ChildFailed
from everything import everything_on
from memory import measure_memory
from models import model_files

from labelcam.console import complain
from labelcam.errors import LabelcamError

FLAT_MB = 3.0
"""What an allocator may still settle; a leak of 100 bytes a frame would come to 20."""


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print, as JSON; return 1 if memory grew."""
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__)
    parser.add_argument("--frames", type=int, default=200_000, metavar="N", help="that are classified (200000)")
    parser.add_argument("--model", type=Path, metavar="FILE", help="in place of the zoo's person")
    args = parser.parse_args(argv)
    try:
        model = args.model or model_files([])["person"]
        with tempfile.TemporaryDirectory(prefix="labelcam-soak-") as folder, everything_on(Path(folder)) as settings:
            memory = measure_memory(model, args.frames, settings)
    except (LabelcamError, ChildFailed) as error:
        complain("make soak", error)
        return 1
    flat = memory.growth_mb <= FLAT_MB
    print(json.dumps({"frames": args.frames, "rss_mb": memory.rss_mb, "growth_mb": memory.growth_mb, "flat": flat}))
    return 0 if flat else 1


if __name__ == "__main__":
    sys.exit(main())
