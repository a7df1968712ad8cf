# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The password that sudo asks for on a Pi, as Raspberry Pi OS has it since April 2026: asked once and proved."""

import os
from contextlib import suppress
from dataclasses import replace
from getpass import getpass

from .ctrl_c import HEARD_S, pause
from .errors import ConnectionLost, FlashFailed
from .pi import Password, Pi
from .reasons import PASSWORD_WANTED, PASSWORD_WRONG, WITHOUT_PASSWORD, why

TRIES = 3
"""As sudo itself has it."""


def let_in(pi: Pi) -> Pi:
    """Return it with what is needed to be root there. Raises FlashFailed, ConnectionLost."""
    return asked_for(pi) if is_wanted(pi) else pi


def is_wanted(pi: Pi) -> bool:
    """Become root there, and return whether that takes a password. Raises ConnectionLost if it fails otherwise."""
    said = pi.refusal()
    if said is None:
        return False
    if any(sign in said for sign in PASSWORD_WANTED):
        return True
    pause(HEARD_S)  # ssh may have heard of Ctrl-C before we have
    raise ConnectionLost(f"{pi.host}: {why(said)}")


def asked_for(pi: Pi) -> Pi:
    """Ask for the password, and prove it before anything else is sent. Raises FlashFailed if there is no right one."""
    if not _terminal():
        raise FlashFailed(
            f"{pi.host}: sudo on it asks for a password, and there is no terminal to type it; "
            f"allow your user without one, there: {WITHOUT_PASSWORD}"
        )
    prompt = f"[sudo] password for {pi.user()} on {pi.host.rpartition('@')[2]}: "
    for _ in range(TRIES):
        known = replace(pi, password=Password(getpass(prompt)))
        said = known.refusal()
        if said is None:
            return known
        if not any(sign in said for sign in PASSWORD_WRONG):
            raise FlashFailed(f"{pi.host}: {why(said)}")
        pi.tell("sudo does not take it")
    raise FlashFailed(f"{pi.host}: {TRIES} wrong passwords for sudo; nothing was changed")


def _terminal() -> bool:
    # What getpass opens; without it, it would read stdin, and show what is typed.
    with suppress(OSError):
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
        return True
    return False
