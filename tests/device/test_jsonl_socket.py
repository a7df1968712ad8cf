# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0

import json
import socket
import stat
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from examples import ODD, reading
from labelcam.errors import SettingsError
from labelcam.publish.jsonl_socket import READERS, JsonSocket, reason_not_free
from labelcam.settings import JsonlSettings
from mosquitto import eventually


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "readings.sock"


@pytest.fixture
def publisher(path: Path) -> Iterator[JsonSocket]:
    opened = JsonSocket(JsonlSettings(socket=str(path)))
    opened.open()
    yield opened
    opened.close()


@pytest.fixture
def listen(path: Path) -> Iterator[Callable[[], socket.socket]]:
    """Connect to the socket."""
    found: list[socket.socket] = []

    def begin() -> socket.socket:
        found.append(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
        found[-1].settimeout(20)
        found[-1].connect(str(path))
        return found[-1]

    yield begin
    for reader in found:
        reader.close()


def test_whoever_connects_gets_every_reading_from_then_on(
    publisher: JsonSocket, listen: Callable[[], socket.socket]
) -> None:
    """Two readers, one later than the other, each get whole lines, the oddest label as it was."""
    early = listen().makefile()
    publisher.publish(reading(1, ODD))
    late = listen().makefile()
    publisher.publish(reading(2))
    assert json.loads(early.readline())["label"] == ODD
    assert json.loads(early.readline())["seq"] == json.loads(late.readline())["seq"] == 2


def test_its_owner_and_group_may_connect(publisher: JsonSocket, path: Path) -> None:
    """Mode 0660, from the moment that it is there; nothing else is left beside it."""
    assert stat.S_IMODE(path.stat().st_mode) == 0o660
    assert list(path.parent.iterdir()) == [path]


def test_a_slow_reader_is_cut_off_and_hinders_nobody(
    publisher: JsonSocket, listen: Callable[[], socket.socket], caplog: pytest.LogCaptureFixture
) -> None:
    """What it leaves unread is bounded: then it is hung up on, and the others go on as if it had never been."""
    slow, quick = listen(), listen()
    quick.setblocking(False)
    got = bytearray()
    for number in range(5000):
        publisher.publish(reading(number, "x" * 200))
        got += quick.recv(1 << 20)
    assert got.count(b"\n") == 5000
    assert caplog.text.count("a reader is too slow") == 1
    assert 0 < publisher.lost < 5000
    left = b"".join(iter(lambda: slow.recv(1 << 20), b""))
    assert 0 < left.count(b"\n") < 5000


def test_a_reader_that_left_is_forgotten(
    publisher: JsonSocket, listen: Callable[[], socket.socket], caplog: pytest.LogCaptureFixture
) -> None:
    """Coming and going costs nothing, neither descriptors nor a line in the log."""
    before = len(list(Path("/proc/self/fd").iterdir()))
    for number in range(100):
        guest = listen()
        publisher.publish(reading(number))
        guest.close()
    publisher.publish(reading(100))
    assert len(list(Path("/proc/self/fd").iterdir())) <= before + 1
    assert (publisher.lost, caplog.text) == (0, "")


def test_there_is_a_limit_to_readers(publisher: JsonSocket, listen: Callable[[], socket.socket]) -> None:
    """Who comes when all places are taken is sent away; the others stay."""
    first = listen()
    for _ in range(READERS + 3):
        listen()
        publisher.publish(reading(0))
    last = listen()
    publisher.publish(reading(1))
    assert last.recv(10) == b""
    assert first.recv(10)


def test_the_rest_is_sent_and_the_socket_removed(path: Path, listen: Callable[[], socket.socket]) -> None:
    """At the end a reader that reads gets everything, then the end; the file is gone."""
    publisher = JsonSocket(JsonlSettings(socket=str(path)))
    publisher.open()
    reader = listen()
    for number in range(300):
        publisher.publish(reading(number))
    got: list[bytes] = []
    reads = threading.Thread(target=lambda: got.extend(iter(lambda: reader.recv(1 << 20), b"")))
    reads.start()
    publisher.close()
    reads.join(20)
    assert b"".join(got).count(b"\n") == 300
    assert not path.exists()


def test_a_stale_socket_is_replaced(path: Path, listen: Callable[[], socket.socket]) -> None:
    """What a crash has left behind is in nobody's way."""
    dead = socket.socket(socket.AF_UNIX)
    dead.bind(str(path))
    dead.close()
    assert path.is_socket()
    assert reason_not_free(JsonlSettings(socket=str(path))) == ""
    publisher = JsonSocket(JsonlSettings(socket=str(path)))
    publisher.open()
    reader = listen()
    publisher.publish(reading(7))
    assert json.loads(reader.makefile().readline())["seq"] == 7
    publisher.close()


def test_a_socket_that_answers_is_left_alone_until_it_is_free(
    publisher: JsonSocket, path: Path, listen: Callable[[], socket.socket], caplog: pytest.LogCaptureFixture
) -> None:
    """Two daemons do not take the path from each other; recovery time: a second after it is free, with a reading."""
    other = JsonSocket(JsonlSettings(socket=str(path)))
    other.open()
    other.publish(reading(0))
    assert caplog.text.count("another program answers there") == 1
    assert reason_not_free(JsonlSettings(socket=str(path))) == "another program answers there"
    publisher.close()
    eventually(lambda: other.publish(reading(1)) or path.exists(), "its turn")
    reader = listen()
    other.publish(reading(2))
    assert json.loads(reader.makefile().readline())["seq"] == 2
    other.close()
    assert not path.exists()


def test_a_file_that_is_no_socket_is_refused(path: Path) -> None:
    """Somebody's file is not replaced; the settings are wrong."""
    path.write_text("precious")
    with pytest.raises(SettingsError, match="is there and is no socket; name another path"):
        JsonSocket(JsonlSettings(socket=str(path)))
    assert reason_not_free(JsonlSettings(socket=str(path))) == "it is there and is no socket"
    assert path.read_text() == "precious"


def test_a_path_that_no_socket_may_have_is_refused(tmp_path: Path) -> None:
    """The kernel takes 107 bytes."""
    with pytest.raises(SettingsError, match="shorten it"):
        JsonSocket(JsonlSettings(socket=str(tmp_path / ("x" * 120))))


def test_a_missing_folder_is_known_beforehand(tmp_path: Path) -> None:
    """And told while we run; the reading is no worse for it."""
    settings = JsonlSettings(socket=str(tmp_path / "no" / "s"))
    assert reason_not_free(settings) == f"there is no folder {tmp_path / 'no'}"
    publisher = JsonSocket(settings)
    publisher.open()
    publisher.publish(reading(1))
    publisher.close()
