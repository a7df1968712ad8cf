# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""`make virtual-pi`: builds and boots the virtual Pi, and keeps it running until Ctrl-C."""

import signal
import sys
from contextlib import suppress
from pathlib import Path

from image import image
from machine import machine

FOLDER = Path("build/virtual-pi")


def main() -> int:
    """Run it, freshly installed, and say how to reach it."""
    with machine(image(), FOLDER.absolute()) as pi:
        print("  booting", file=sys.stderr, flush=True)
        pi.power_on()
        print(f"  make flash PI=pi SSH_CONFIG={FOLDER}/ssh_config SETTINGS=FILE", file=sys.stderr)
        print(f"  ssh -F {FOLDER}/ssh_config pi        Ctrl-C here ends it", file=sys.stderr, flush=True)
        with suppress(KeyboardInterrupt):
            signal.pause()
    return 0


if __name__ == "__main__":
    sys.exit(main())
