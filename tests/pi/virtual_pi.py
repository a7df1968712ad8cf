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

SETTINGS = '[camera]\nsource = "v4l2:/dev/video0"\n'


def main() -> int:
    """Run it, freshly installed, and say how to reach it."""
    with machine(image(), FOLDER.absolute()) as pi:
        print("  virtual Pi: booting, half a minute", file=sys.stderr, flush=True)
        pi.power_on()
        settings = FOLDER / "labelcam.toml"
        settings.write_text(SETTINGS)
        print(f"  log in    ssh -F {FOLDER}/ssh_config pi", file=sys.stderr)
        print(f"  flash it  make flash PI=pi SSH_CONFIG={FOLDER}/ssh_config SETTINGS={settings}", file=sys.stderr)
        print("  end it    Ctrl-C here; what is on it is gone then", file=sys.stderr, flush=True)
        with suppress(KeyboardInterrupt):
            signal.pause()
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except RuntimeError as error:  # a tool that failed, another virtual Pi in the same folder
        sys.exit(f"virtual Pi: {error}")
