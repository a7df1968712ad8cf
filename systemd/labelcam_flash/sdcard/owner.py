# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Whose Pi it is to be: its name, who may log in, its Wi-Fi; everything checked before anything is written."""

import re
import zoneinfo
from dataclasses import dataclass
from pathlib import Path

from labelcam.errors import UsageError

from .wifi import Wifi

HOST = "labelcam"
USER = "pi"

_HOST = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", re.IGNORECASE)
_USER = re.compile(r"[a-z][a-z0-9-]{0,31}")
_KEY = re.compile(r"(ssh|ecdsa|sk-ssh|sk-ecdsa)-[a-z0-9@.-]+ [A-Za-z0-9+/]+=*( [^\x00-\x1f\x7f]*)?")
_ZONE = re.compile(r"[A-Za-z0-9_+/-]+")


@dataclass(frozen=True, slots=True)
class Owner:
    """What the first boot sets up besides labelcam."""

    host: str
    user: str
    keys: tuple[str, ...]
    """Public SSH keys, a line each: there is no password."""

    wifi: Wifi | None
    timezone: str | None

    def __post_init__(self) -> None:
        if not _HOST.fullmatch(self.host):
            raise UsageError(f"HOST={self.host}: a host's name has letters, digits and inner hyphens, 63 at most")
        if not _USER.fullmatch(self.user) or self.user == "root":
            raise UsageError(
                f"USER={self.user}: Raspberry Pi OS takes lower-case letters, digits and hyphens, not root"
            )
        if self.timezone is not None and not _is_zone(self.timezone):
            raise UsageError(f"TIMEZONE={self.timezone}: no such time zone; say for instance Europe/Berlin")


def _is_zone(name: str) -> bool:
    known = zoneinfo.available_timezones()  # none on a computer without tzdata
    return bool(_ZONE.fullmatch(name)) and (not known or name in known)


def public_keys(path: Path | None) -> tuple[str, ...]:
    """Return the keys of a .pub file, by default of the user's own. Raises UsageError if there is none in it."""
    file = path or _own_key()
    try:
        text = file.expanduser().read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise UsageError(
            f"SSH_KEY={file}: cannot be read; give the public key, such as ~/.ssh/id_ed25519.pub"
        ) from None
    if "PRIVATE KEY" in text:
        raise UsageError(
            f"SSH_KEY={file}: that is the private key, which stays with you; give the one that ends in .pub"
        )
    keys = tuple(line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#"))
    if not keys or not all(_KEY.fullmatch(key) for key in keys):
        raise UsageError(f"SSH_KEY={file}: holds no public key; give the file that ends in .pub")
    return keys


def _own_key() -> Path:
    folder = Path.home() / ".ssh"
    for name in ("id_ed25519.pub", "id_ecdsa.pub", "id_rsa.pub"):
        if (folder / name).is_file():
            return folder / name
    raise UsageError("you have no SSH key, and nobody could log in; make one with ssh-keygen, or give SSH_KEY=FILE")
