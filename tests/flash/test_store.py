# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
import hashlib
import io
import json
import os
import time
from pathlib import Path

import pytest

from labelcam_flash.on_pi import store
from labelcam_flash.on_pi.channel import Refused

CONTENT = bytes(range(256)) * 4000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The store of this test alone."""
    monkeypatch.setattr(store, "STORE", tmp_path / "store")
    return tmp_path / "store"


def stream(offset: int, sent: bytes) -> io.BytesIO:
    """What the host sends of CONTENT from an offset on, cut off after `sent`."""
    header = {"sha256": SHA256, "offset": offset, "bytes": len(CONTENT) - offset}
    return io.BytesIO(json.dumps(header).encode() + b"\n" + sent)


def test_a_broken_copy_goes_on_where_it_stopped(folder: Path) -> None:
    """What has arrived is told in bytes, and only the rest is needed."""
    with pytest.raises(Refused, match="goes on from there"):
        store.receive(stream(0, CONTENT[:300_000]))
    assert store.held([SHA256]) == {SHA256: 300_000}
    assert store.receive(stream(300_000, CONTENT[300_000:])) == 1
    assert store.held([SHA256]) == {SHA256: -1}
    assert (folder / SHA256).read_bytes() == CONTENT


def test_what_is_not_what_was_sent_is_not_kept(folder: Path) -> None:
    """A content with another checksum than it was announced with is thrown away."""
    with pytest.raises(Refused, match="did not arrive as it was sent"):
        store.receive(stream(0, CONTENT[::-1]))
    assert list(folder.iterdir()) == []


def test_a_host_that_falls_silent_does_not_hold_the_pi_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that nobody has ended is given up, with what has arrived kept."""
    monkeypatch.setattr(store, "SILENCE_S", 1)
    with (
        pytest.raises(Refused, match="fell silent"),
        open("/dev/ptmx", "rb") as nothing,  # noqa: PTH123, a terminal on which nobody types
    ):
        store.receive(nothing)


def test_nobody_else_may_look_into_the_store(folder: Path) -> None:
    """Settings with a camera's password pass through it."""
    store.receive(io.BytesIO())
    assert folder.stat().st_mode & 0o777 == 0o700


def test_only_what_a_release_names_is_kept(folder: Path) -> None:
    """Contents without a release and unfinished copies go, but not what another flash may have sent just now."""
    store.receive(stream(0, CONTENT))
    for name in ("orphan", "half.part", "young"):
        (folder / name).write_bytes(b"x")
    long_ago = time.time() - 2 * store.KEPT_S
    for path in folder.iterdir():
        if path.name != "young":
            os.utime(path, (long_ago, long_ago))
    store.drop_unused({SHA256})
    assert {path.name for path in folder.iterdir()} == {SHA256, "young"}


def test_a_damaged_content_is_sent_again(folder: Path) -> None:
    """A name alone is no proof: what is not what it is called goes, and the next run sends it anew."""
    store.receive(stream(0, CONTENT))
    (folder / SHA256).chmod(0o644)
    (folder / SHA256).write_bytes(CONTENT[::-1])
    with pytest.raises(Refused, match=r"^model.tflite was damaged on the Pi's disk and has been removed; run it again"):
        store.whole(SHA256, "model.tflite")
    assert store.held([SHA256]) == {SHA256: 0}
    with pytest.raises(Refused, match=r"^model.tflite is no longer on the Pi: another flash has cleaned up; run it"):
        store.whole(SHA256, "model.tflite")
