# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
import hashlib
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from labelcam_flash import payload, wheelhouse
from labelcam_flash.facts import Held
from labelcam_flash.on_pi import links
from labelcam_flash.release import make_release
from labelcam_flash.target import TARGETS
from labelcam_flash.wheelhouse import own_wheel

BOOKWORM = TARGETS[3, 11]


@pytest.fixture
def wheels(tmp_path: Path) -> list[Path]:
    """Two that need not be real."""
    paths = [tmp_path / "pip-26.3-py3-none-any.whl", tmp_path / "ml_dtypes-0.6.0-cp311-cp311-manylinux.whl"]
    for path in paths:
        path.write_bytes(path.name.encode())
    return paths


def test_the_same_content_is_the_same_release(wheels: list[Path], tmp_path: Path) -> None:
    """Its name follows from what is in it: one that the Pi holds is the same as one that is sent."""
    model = tmp_path / "a.tflite"
    model.write_bytes(b"model")
    sent = make_release(BOOKWORM, wheels, model, "# settings\n")
    held = make_release(BOOKWORM, wheels, Held(hashlib.sha256(b"model").hexdigest(), 5), "# settings\n")
    other = make_release(BOOKWORM, wheels, model, "# other settings\n")
    assert sent.id == held.id
    assert sent.id != other.id


def test_wheels_are_asked_for_by_hash_and_pip_by_nobody(wheels: list[Path]) -> None:
    """The tool only installs; everything else is pinned to the very file."""
    release = make_release(BOOKWORM, wheels, Held("0" * 64, 1), "")
    sha256 = hashlib.sha256(wheels[1].name.encode()).hexdigest()
    assert release.files["requirements.txt"] == f"ml-dtypes==0.6.0 --hash=sha256:{sha256}\n".encode()


def test_the_same_sources_give_the_same_wheel(tmp_path: Path) -> None:
    """Built twice, our own wheel has the same bytes: a second flash finds nothing changed."""
    first, second = (own_wheel(tmp_path / name) for name in ("a", "b"))
    assert first.read_bytes() == second.read_bytes()
    before = first.stat().st_mtime_ns
    assert own_wheel(tmp_path / "a").stat().st_mtime_ns == before  # and it is not built again


def test_a_damaged_wheel_of_ours_is_built_anew(tmp_path: Path) -> None:
    """What was cut short or changed in the cache does not reach a Pi."""
    wheel = own_wheel(tmp_path)
    whole = wheel.read_bytes()
    middle = len(whole) // 2  # within a compressed file, where zipfile fails otherwise
    changed = whole[:middle] + bytes(64) + whole[middle + 64 :]
    for damaged in (whole[:-100], changed, whole.replace(b"labelcam/cli.py", b"labelcam/cly.py", 1)):
        wheel.write_bytes(damaged)
        assert own_wheel(tmp_path).read_bytes() == whole
    wheel.unlink()
    assert own_wheel(tmp_path).read_bytes() == whole


def test_a_wheel_that_is_not_pinned_is_fetched_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The Pi installs by hash: a file that changed in the cache must not be given one."""
    fetched: list[Path] = []

    def download(_target: object, pins: Path, folder: Path) -> None:
        (folder / f"{pins.stem}.whl").write_bytes(pins.stem.encode())
        fetched.append(folder)

    monkeypatch.setattr(wheelhouse, "_download", download)
    monkeypatch.setattr(wheelhouse, "ROOT", tmp_path)
    monkeypatch.setattr(wheelhouse, "own_wheel", lambda cache: cache / "own.whl")
    for name in ("bookworm", "installer"):
        pin = f"{name}==1.0 \\\n    --hash=sha256:{hashlib.sha256(name.encode()).hexdigest()}\n"
        (tmp_path / "constraints").mkdir(exist_ok=True)
        (tmp_path / f"constraints/{name}.txt").write_text(pin)
    wheels = wheelhouse.wheelhouse(BOOKWORM, tmp_path / "cache")
    assert wheelhouse.wheelhouse(BOOKWORM, tmp_path / "cache") == wheels
    assert len(fetched) == 2
    wheels[0].write_bytes(b"something else")
    wheelhouse.wheelhouse(BOOKWORM, tmp_path / "cache")
    assert wheels[0].read_bytes() == b"bookworm"
    wheels[1].unlink()
    assert wheelhouse.wheelhouse(BOOKWORM, tmp_path / "cache") == wheels
    assert wheels[1].read_bytes() == b"installer"


def test_a_built_network_that_is_damaged_is_built_anew(
    tmp_path: Path, person_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not the user's file: there would be nothing for the user to mend."""
    built: list[list[str]] = []

    @contextmanager
    def build(command: list[str], **_: object) -> Iterator["subprocess.Popen[bytes]"]:
        built.append(command)
        with subprocess.Popen(["cp", str(person_model), command[-1]]) as process:
            yield process

    monkeypatch.setattr(payload, "child", build)
    path = payload.checked_model("person", tmp_path)
    assert payload.checked_model("person", tmp_path) == path
    assert len(built) == 1
    path.write_bytes(path.read_bytes()[:-1000])
    payload.checked_model("person", tmp_path)
    assert path.read_bytes() == person_model.read_bytes()


def test_a_link_is_never_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A switch whose last step does not happen leaves the old release live."""
    for name in ("old", "new"):
        (tmp_path / "releases" / name).mkdir(parents=True)
    link = tmp_path / "current"
    links.point(link, tmp_path / "releases/old")

    def power_cut(self: Path, target: Path) -> Path:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", power_cut)
        with pytest.raises(KeyboardInterrupt):
            links.point(link, tmp_path / "releases/new")
    assert os.readlink(link) == "releases/old"  # noqa: PTH115, it must be relative, as a text
    links.point(link, tmp_path / "releases/new")
    assert link.resolve() == tmp_path / "releases/new"
