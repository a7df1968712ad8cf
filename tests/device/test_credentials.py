# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0

from pathlib import Path

import pytest

from labelcam.credentials import VARIABLES, read_credential
from labelcam.errors import SettingsError


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """No secret of this machine's own is in reach."""
    for name in ("CREDENTIALS_DIRECTORY", *VARIABLES.values()):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("name", VARIABLES)
def test_systemds_credential_comes_before_all_others(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A secret is systemd's credential, else the environment's, else the file's, less its last line end."""
    (tmp_path / name).write_text("from systemd\n")
    file = tmp_path / "file"
    file.write_text("from the file\n")
    file.chmod(0o600)
    assert read_credential(name, "", "x.file") is None
    assert read_credential(name, str(file), "x.file") == "from the file"
    monkeypatch.setenv(VARIABLES[name], "from the environment")
    assert read_credential(name, str(file), "x.file") == "from the environment"
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert read_credential(name, str(file), "x.file") == "from systemd"


def test_a_file_that_others_can_read_is_no_secret(tmp_path: Path) -> None:
    """It is refused, with the line that mends it."""
    file = tmp_path / "file"
    file.write_text("secret")
    file.chmod(0o644)
    with pytest.raises(SettingsError, match=r"http\.token_file .* has mode 0644, open to others; run: chmod 600"):
        read_credential("http", str(file), "http.token_file")


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """One that is missing, and one that is no text."""
    with pytest.raises(SettingsError, match="No such file"):
        read_credential("http", str(tmp_path / "nowhere"), "http.token_file")
    file = tmp_path / "binary"
    file.write_bytes(b"\xff\xfe")
    file.chmod(0o600)
    with pytest.raises(SettingsError, match="is no UTF-8 text"):
        read_credential("http", str(file), "http.token_file")
