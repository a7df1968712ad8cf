# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import pytest

from labelcam.errors import UsageError
from labelcam_flash.sdcard.owner import Owner, public_keys
from labelcam_flash.sdcard.wifi import wifi_of

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPz anna@home"


def test_the_key_of_a_wifi_is_that_of_the_standard(tmp_path: Path) -> None:
    """The test vector of IEEE 802.11i, H.4: password `password`, network `IEEE`."""
    file = tmp_path / "password"
    file.write_text("password\r\n")
    wifi = wifi_of("IEEE", file, "gb")
    assert wifi is not None
    assert wifi.key == "f42c6fc52df0ebef9ebb4b90b38a5f902e83fe1b135a70e23aed762e9710a12e"
    assert wifi.country == "GB"
    assert wifi.key not in repr(wifi)


def test_a_key_may_stand_in_place_of_the_password(tmp_path: Path) -> None:
    """64 hexadecimal digits are taken as they are."""
    file = tmp_path / "password"
    file.write_text("AB" * 32)
    wifi = wifi_of("net", file, "GB")
    assert wifi is not None
    assert wifi.key == "ab" * 32


@pytest.mark.parametrize(
    ("ssid", "password", "country", "why"),
    [
        ("net", "correct horse", None, "takes all three"),
        ("net", None, "GB", "takes all three"),
        ("", "correct horse", "GB", "takes all three"),
        ("net", "short", "GB", "8 to 63 letters"),
        ("net", "x" * 64, "GB", "8 to 63 letters"),
        ("net", "zwölf Boxkämpfer", "GB", "of ASCII"),
        ("é" * 17, "correct horse", "GB", "32 bytes at most"),
        ("two\nlines", "correct horse", "GB", "printable"),
        ("net", "correct horse", "Germany", "two letters"),
    ],
)
def test_a_wifi_that_makes_none_is_refused(
    tmp_path: Path, ssid: str, password: str | None, country: str | None, why: str
) -> None:
    """Before a card is written that nobody can reach; and without the password in the message."""
    file = tmp_path / "password"
    file.write_text(password or "")
    with pytest.raises(UsageError, match=why) as refusal:
        wifi_of(ssid, None if password is None else file, country)
    assert password is None or password not in str(refusal.value)


@pytest.mark.parametrize("host", ["", "-pi", "pi-", "my pi", "pi.local", "x" * 64, "pi$(reboot)"])
def test_a_name_that_is_no_hosts_is_refused(host: str) -> None:
    """It stands in a shell script, and in DNS."""
    with pytest.raises(UsageError, match="HOST="):
        Owner(host, "pi", (KEY,), None, None)


@pytest.mark.parametrize("user", ["", "root", "Anna", "1pi", "a b", "x" * 33, "pi'"])
def test_a_user_that_the_system_would_not_take_is_refused(user: str) -> None:
    """Raspberry Pi OS's own rule."""
    with pytest.raises(UsageError, match="USER="):
        Owner("pi", user, (KEY,), None, None)


@pytest.mark.parametrize("zone", ["Europe/Atlantis", "../../etc/passwd", "x; reboot"])
def test_a_time_zone_that_there_is_not_is_refused(zone: str) -> None:
    """It becomes a path."""
    with pytest.raises(UsageError, match="TIMEZONE="):
        Owner("pi", "pi", (KEY,), None, zone)


def test_keys_are_those_of_a_file_by_default_the_users_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Several may stand in one file; comments do not count."""
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(UsageError, match="you have no SSH key, and nobody could log in"):
        public_keys(None)
    own = tmp_path / ".ssh/id_rsa.pub"
    own.parent.mkdir()
    own.write_text(f"# mine\n{KEY}\n\n{KEY} two\n")
    assert public_keys(None) == public_keys(Path("~/.ssh/id_rsa.pub")) == (KEY, f"{KEY} two")


def test_a_private_key_stays_at_home(tmp_path: Path) -> None:
    """Given by mistake, it is refused, and so is what is no key or cannot be read."""
    file = tmp_path / "id"
    file.write_text("-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1r\n")
    with pytest.raises(UsageError, match="that is the private key"):
        public_keys(file)
    file.write_text(f"{KEY}\nEND\nreboot\n")
    with pytest.raises(UsageError, match="holds no public key"):
        public_keys(file)
    with pytest.raises(UsageError, match="cannot be read"):
        public_keys(tmp_path / "none")
