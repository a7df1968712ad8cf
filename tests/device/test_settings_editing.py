# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0

import os
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labelcam.errors import SettingsError
from labelcam.settings import default_text, settings_from_toml
from labelcam.settings.editing import edited, write_settings

CHANGES = {"model": {"path": "/models/a b.tflite"}, "runtime": {"threads": 4, "delegate": "none"}}


def test_the_shipped_file_keeps_every_comment() -> None:
    """The values stand below the commented defaults; every line that was there is still there, in its order."""
    text = default_text()
    changed = edited(text, CHANGES)
    settings = settings_from_toml(changed)
    assert (settings.model.path, settings.runtime.threads, settings.runtime.delegate) == (
        "/models/a b.tflite",
        4,
        "none",
    )
    assert [line for line in changed.splitlines() if line in text.splitlines()] == text.splitlines()
    assert len(changed.splitlines()) == len(text.splitlines()) + 3
    assert "#threads = 1\nthreads = 4\n" in changed


def test_a_value_is_changed_where_it_stands() -> None:
    """Its indentation and the comment behind it stay."""
    text = '[runtime]\n  threads = 1   # one is coolest\n[model]\npath = "old # x"# here\nfit = "crop"'
    changed = edited(text, CHANGES)
    assert "  threads = 4   # one is coolest\n" in changed
    assert '"/models/a b.tflite"# here\n' in changed
    assert changed.endswith('fit = "crop"')


def test_changing_twice_is_changing_once() -> None:
    """No line is ever written twice."""
    once = edited(default_text(), CHANGES)
    assert edited(once, CHANGES) == once


@pytest.mark.parametrize(
    "text", ["runtime = {threads = 2}\n", "runtime.threads = 2\n", "[model]\npath = '''x\ny'''\n", "not toml"]
)
def test_what_cannot_be_changed_safely_is_left_alone(text: str) -> None:
    """The error says what to set by hand."""
    with pytest.raises(SettingsError, match=r"set by hand: \[model\] path = "):
        edited(text, CHANGES)


@given(st.text(), st.sampled_from(["", "[model]\n", "#x\n[runtime]\nthreads = 1", default_text()]))
def test_any_path_can_be_written(path: str, text: str) -> None:
    """Quotes, line breaks, umlauts: what is read back is what was written; or it is refused, never spoilt."""
    if any("\ud800" <= letter <= "\udfff" for letter in path):
        return
    changed = edited(text, {"model": {"path": path}})
    assert tomllib.loads(changed)["model"]["path"] == path


def test_a_file_is_changed_whole_or_not_at_all(tmp_path: Path) -> None:
    """Its mode stays; one that is not there is made; a folder in its place is an error that leaves nothing behind."""
    path = tmp_path / "etc" / "labelcam.toml"
    write_settings(path, CHANGES)
    assert settings_from_toml(path.read_text()).runtime.threads == 4
    path.chmod(0o640)
    write_settings(path, {"runtime": {"threads": 2}})
    assert path.stat().st_mode & 0o777 == 0o640
    assert settings_from_toml(path.read_text()).runtime.threads == 2
    with pytest.raises(SettingsError, match="cannot be changed"):
        write_settings(tmp_path / "etc", CHANGES)
    assert [one.name for one in tmp_path.iterdir()] == ["etc"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to another group")
def test_a_file_stays_its_services(tmp_path: Path) -> None:
    """On a Pi root owns the settings, and the service reads them by their group."""
    path = tmp_path / "labelcam.toml"
    path.touch(mode=0o640)
    os.chown(path, 0, 12345)
    write_settings(path, CHANGES)
    assert (path.stat().st_uid, path.stat().st_gid, path.stat().st_mode & 0o777) == (0, 12345, 0o640)
