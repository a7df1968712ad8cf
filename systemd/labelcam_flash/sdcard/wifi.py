# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The Wi-Fi that a Pi joins by itself: its password is never kept, only the key that follows from it."""

import hashlib
import re
from dataclasses import dataclass, field
from pathlib import Path

from labelcam.errors import UsageError

_ROUNDS = 4096
_KEY_BYTES = 32
"""Of PBKDF2-SHA1, as IEEE 802.11i has it for WPA2."""

_SSID_BYTES = 32


@dataclass(frozen=True, slots=True)
class Wifi:
    """A network with WPA2, or WPA3 beside it."""

    ssid: str
    key: str = field(repr=False)
    """64 hexadecimal digits."""

    country: str
    """Two letters: without them the radio stays off."""


def wifi_of(ssid: str | None, password_file: Path | None, country: str | None) -> Wifi | None:
    """Return the network; None if none was asked for. Raises UsageError if what was given makes none."""
    if ssid is None and password_file is None:
        return None
    if not ssid or password_file is None or not country:
        raise UsageError("Wi-Fi takes all three: WIFI_SSID=NAME WIFI_PASSWORD_FILE=FILE WIFI_COUNTRY=two letters")
    if len(ssid.encode()) > _SSID_BYTES or not ssid.isprintable():
        raise UsageError(f"WIFI_SSID={ssid}: a network's name has 32 bytes at most, all of them printable")
    if not re.fullmatch("[A-Za-z]{2}", country):
        raise UsageError(f"WIFI_COUNTRY={country}: give the two letters of a country, such as GB")
    return Wifi(ssid, _key(ssid, password_file), country.upper())


def _key(ssid: str, file: Path) -> str:
    try:
        password = file.read_bytes().rstrip(b"\r\n")
    except OSError as error:
        raise UsageError(f"WIFI_PASSWORD_FILE={file}: {error.strerror}") from None
    if re.fullmatch(rb"[0-9A-Fa-f]{64}", password):
        return password.decode().lower()
    if not re.fullmatch(rb"[ -~]{8,63}", password):
        raise UsageError(
            f"WIFI_PASSWORD_FILE={file}: a password of Wi-Fi has 8 to 63 letters, digits and signs of ASCII"
        )
    return hashlib.pbkdf2_hmac("sha1", password, ssid.encode(), _ROUNDS, _KEY_BYTES).hex()
