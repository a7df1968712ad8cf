# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Whether the wall clock can be believed, and which start of the machine this is."""

import ctypes
from pathlib import Path
from typing import Literal

Clock = Literal["synced", "unsynced"]

TIMESYNCD = Path("/run/systemd/timesync/synchronized")
"""systemd-timesyncd touches it when it has set the clock (systemd-timesyncd.service(8))."""

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")

_TIMEX_BYTES = 208  # struct timex on 64-bit Linux; all zeros asks and changes nothing (adjtimex(2))
_TIME_ERROR = 5  # "the system clock is not synchronized"


def clock_state() -> Clock:
    """Return 'synced' only where timesyncd or the kernel says so.

    Our unit may not ask the kernel (ProtectClock=), and other daemons than timesyncd leave no file: nobody can tell
    then, and what nobody can tell is not to be relied on.
    """
    return "synced" if TIMESYNCD.exists() or _kernel_says_so() else "unsynced"


def _kernel_says_so() -> bool:
    state: int = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES))
    return 0 <= state < _TIME_ERROR


def boot_id() -> str:
    """Return what tells this start of the machine from all others."""
    try:
        return BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return ""
