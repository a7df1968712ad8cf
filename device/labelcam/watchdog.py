# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Tells systemd how we are: ready after the first classified frame, then alive with every later one.

While a camera is known to be away, the search for it is what keeps us alive; nothing else does.
"""

import logging
import os
import socket
import time
from math import inf

from .errors import SettingsError

log = logging.getLogger(__name__)


STATUS_S = 5.0
"""How often the status changes where no watchdog asks for more."""


def check_intervals(frame_interval_s: float, silence_s: float) -> None:
    """Refuse what a watchdog, where there is one, would take for a hang.

    Raises SettingsError if frames come too seldom to keep it quiet (`frame_interval_s` in seconds, 0 where the source
    has no rate), or if a camera may be silent for longer than that before it is known to be away (`silence_s`).
    """
    limit_s = _limit_s()
    if limit_s and frame_interval_s > limit_s / 3:
        raise SettingsError(
            f"a frame every {frame_interval_s:g} s is too seldom for a watchdog of {limit_s:g} s; "
            "raise limits.max_fps, or WatchdogSec to more than three frame intervals"
        )
    if limit_s and silence_s >= limit_s:
        raise SettingsError(
            f"a camera that may be silent for {silence_s:g} s is too much for a watchdog of "
            f"{limit_s:g} s; lower camera.timeout_seconds, or raise WatchdogSec"
        )


def longest_interval_s() -> float:
    """Return how far apart two frames may lie; infinite where nobody watches."""
    return _limit_s() / 3 or inf


def _limit_s() -> float:
    """After so many seconds of silence systemd ends us (sd_watchdog_enabled(3)); 0 where nobody watches."""
    said = os.environ.get("WATCHDOG_USEC", "")
    return int(said) / 1e6 if said.isdecimal() and os.environ.get("NOTIFY_SOCKET") else 0.0


class Watchdog:
    """Speaks sd_notify(3); does nothing where no service manager listens."""

    def __init__(self) -> None:
        self._address = os.environ.get("NOTIFY_SOCKET", "")
        self._pet_every_s = _limit_s() / 9  # three times as often as a frame must come, so that none is missed
        self._said_s = 0.0
        self._frames = 0
        """Classified since then."""

        self._ready = False

    def classified(self, label: str) -> None:
        """Say that a frame has been classified, if it was not said just now."""
        self._frames += 1
        now_s = time.monotonic()
        passed_s = now_s - self._said_s
        if not self._ready:
            self._ready = True
            self._say(now_s, "READY=1\nWATCHDOG=1", f"first label: {label}")
        elif passed_s >= (self._pet_every_s or STATUS_S):
            self._say(now_s, "WATCHDOG=1", f"{label}, {self._frames / passed_s:.1f} frames a second")

    def searching(self, reason: str) -> None:
        """Say that the camera is away, and that it has been looked for just now."""
        now_s = time.monotonic()
        if self._ready and now_s - self._said_s >= (self._pet_every_s or STATUS_S):
            self._say(now_s, "WATCHDOG=1", f"camera lost: {reason}")
        elif not self._ready and now_s - self._said_s >= STATUS_S:  # nobody is ready for that
            self._say(now_s, "", f"waiting for the camera: {reason}")

    def _say(self, now_s: float, message: str, status: str) -> None:
        self._said_s, self._frames = now_s, 0
        self._send(message, status)

    def stopping(self) -> None:
        """Say that we end on purpose."""
        self._send("STOPPING=1", "stopping")

    def _send(self, message: str, status: str) -> None:
        if not self._address:
            return
        message = (
            f"{message}\nSTATUS={' '.join(status.split())}".lstrip()
        )  # a line break in a label would start another message
        # A leading @ stands for the abstract namespace (unix(7)).
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
                sender.settimeout(0.2)  # a service manager that does not read must not hold up the frames
                sender.sendto(message.replace("\0", " ").encode(), address)
        except OSError as error:
            log.warning("notify-failed socket=%s reason=%s", self._address, error)
