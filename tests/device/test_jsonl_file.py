# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from examples import ODD, reading
from labelcam.errors import SettingsError
from labelcam.publish.jsonl_file import JsonFile, RotatingFile, reason_unwritable
from labelcam.settings import JsonlSettings
from mosquitto import eventually


def lines(path: Path) -> list[str]:
    """The whole lines of a file, which holds nothing else."""
    text = path.read_text()
    assert text == "" or text.endswith("\n")
    return text.splitlines()


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_every_reading_is_a_line_whatever_its_label(tmp_path: Path) -> None:
    """Quotes, line ends and emoji come back as they were; what stood in the file before stays."""
    path = tmp_path / "readings.jsonl"
    path.write_text('{"before": true}\n')
    publisher = JsonFile(JsonlSettings(path=str(path)))
    publisher.publish(reading(1, ODD))
    publisher.publish(reading(2))
    publisher.close()
    before, odd, plain = (json.loads(line) for line in lines(path))
    assert (before, odd["label"], plain["label"]) == ({"before": True}, ODD, "cat")


def test_a_file_that_is_full_becomes_an_old_one(tmp_path: Path) -> None:
    """No file is larger than told, as many old ones are kept as told, and together they hold the newest lines."""
    path = tmp_path / "readings.jsonl"
    file = RotatingFile(path, max_bytes=100, keep=2)
    for number in range(100):
        file.write(f"line {number:04}")
    file.close()
    assert names(tmp_path) == ["readings.jsonl", "readings.jsonl.1", "readings.jsonl.2"]
    kept = [tmp_path / name for name in ("readings.jsonl.2", "readings.jsonl.1", "readings.jsonl")]
    assert all(file.stat().st_size <= 100 for file in kept)
    found = [line for file in kept for line in lines(file)]
    assert found == [f"line {number:04}" for number in range(100 - len(found), 100)]


def test_no_old_file_is_kept_where_none_is_wanted(tmp_path: Path) -> None:
    """Keep = 0 begins afresh."""
    file = RotatingFile(tmp_path / "f", max_bytes=25, keep=0)
    for number in range(5):
        file.write(f"line {number:04}")
    file.close()
    assert names(tmp_path) == ["f"]
    assert lines(tmp_path / "f") == ["line 0004"]


@pytest.mark.parametrize("half", [b'{"schema": 1, "se', b"\0\0\0\0", b'{"label": "\xc3'])
def test_the_half_line_of_a_crash_is_cut_off(half: bytes, tmp_path: Path) -> None:
    """After a power cut the file goes on with whole lines; nothing that was whole is lost."""
    path = tmp_path / "f"
    path.write_bytes(b'{"whole": 1}\n' + half)
    file = RotatingFile(path, 10_000, 1)
    file.write('{"whole": 2}')
    file.close()
    assert lines(path) == ['{"whole": 1}', '{"whole": 2}']


def test_somebody_elses_text_is_not_cut(tmp_path: Path) -> None:
    """What does not look like our line stays, and ours begins on a new one."""
    path = tmp_path / "notes"
    path.write_text("my notes")
    file = RotatingFile(path, 10_000, 1)
    file.write("{}")
    file.close()
    assert lines(path) == ["my notes", "{}"]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 64 kB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", disk], capture_output=True, text=True)
    if mounted.returncode:
        pytest.skip(f"no disk can be mounted here ({mounted.stderr.strip()}): run the tests as root")
    yield disk
    subprocess.run(["umount", "-l", disk], check=True)


def test_a_full_disk_is_told_once_and_survived(small_disk: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Lines that find no room are dropped and counted, no half one stays; recovery time: the next line after room."""
    path, ballast = small_disk / "f", small_disk / "ballast"
    file = RotatingFile(path, 10_000_000, 1)
    file.write("first")
    ballast.write_bytes(bytes(40_000))
    for number in range(2000):
        file.write(f'{{"number": {number}, "padding": "{"x" * 50}"}}')
    assert file.dropped > 1000
    assert caplog.text.count("jsonl-file-failed") == 1
    assert "No space left on device" in caplog.text
    written = len(lines(path))
    ballast.unlink()
    file.write("last")
    assert caplog.text.count("jsonl-file-again") == 1
    assert f"dropped={file.dropped}" in caplog.text
    file.close()
    assert len(lines(path)) == written + 1 == 1 + 2000 - file.dropped + 1
    assert lines(path)[-1] == "last"


def test_the_part_of_a_line_that_found_room_is_taken_back(tmp_path: Path) -> None:
    """Where the last write was cut short, the file is cut back to its last whole line, and goes on when it may."""
    script = (
        "import resource, sys\nfrom pathlib import Path\nfrom labelcam.publish.jsonl_file import RotatingFile\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, -1))\n"
        "file = RotatingFile(Path(sys.argv[1]), 1_000_000, 1)\n"
        "for number in range(100):\n    file.write(f'{{\"number\": {number + 100000}}}')\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (-1, -1))\n"
        "file.write('{\"number\": 200000}')\nprint(file.dropped)\n"
    )
    path = tmp_path / "f"
    done = subprocess.run([sys.executable, "-c", script, path], capture_output=True, text=True, check=True)
    found = [json.loads(line)["number"] for line in lines(path)]
    assert found == [*range(100_000, 100_000 + len(found) - 1), 200_000]
    assert len(found) - 1 == 1000 // len('{"number": 100000}\n')
    assert int(done.stdout) == 100 - (len(found) - 1)


def test_a_disk_that_becomes_read_only_is_survived(small_disk: Path, caplog: pytest.LogCaptureFixture) -> None:
    """An SD card gone bad drops and counts; when it can be written again, so it is."""
    path = small_disk / "f"
    file = RotatingFile(path, 10_000, 1)
    file.write("first")
    file.close()  # a disk with an open file cannot be made read-only: an SD card is, by an error
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    for _ in range(3):
        file.write("lost")
    assert file.dropped == 3
    assert caplog.text.count("Read-only file system") == 1
    assert reason_unwritable(JsonlSettings(path=str(path))) == "Read-only file system"
    subprocess.run(["mount", "-o", "remount,rw", small_disk], check=True)
    file.write("last")
    file.close()
    assert lines(path) == ["first", "last"]


def test_a_folder_that_comes_later_is_found(tmp_path: Path) -> None:
    """A disk that is not yet mounted costs the lines until then, no more."""
    path = tmp_path / "usb" / "f"
    file = RotatingFile(path, 10_000, 1)
    file.write("lost")
    path.parent.mkdir()
    file.write("kept")
    file.close()
    assert (lines(path), file.dropped) == (["kept"], 1)


def test_a_file_that_was_taken_away_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Logrotate renames it: within a second we write to a new one."""
    path = tmp_path / "f"
    file = RotatingFile(path, 10_000, 1)
    file.write("before")
    path.rename(tmp_path / "taken")
    written = iter(range(1_000_000))
    eventually(lambda: file.write(f"{next(written)}") or path.exists(), "a new file")
    file.close()
    assert lines(tmp_path / "taken")[0] == "before"
    assert lines(tmp_path / "taken")[1:] + lines(path) == [str(number) for number in range(next(written))]


def test_sigkill_at_any_moment_leaves_whole_lines(tmp_path: Path) -> None:
    """Killed while it writes and turns files over, it leaves no half line, and the order is right."""
    script = (
        "import sys, itertools\nfrom pathlib import Path\nfrom labelcam.publish.jsonl_file import RotatingFile\n"
        "file = RotatingFile(Path(sys.argv[1]), 2000, 3)\n"
        "for number in itertools.count():\n    file.write(f'{{\"number\": {number:06}}}')\n"
        "    if number == 500:\n        print(flush=True)\n"
    )
    path = tmp_path / "f"
    process = subprocess.Popen([sys.executable, "-c", script, path], stdout=subprocess.PIPE)
    assert process.stdout
    process.stdout.readline()
    process.send_signal(signal.SIGKILL)
    process.communicate()
    files = [path.with_name(f"f.{number}") for number in (3, 2, 1)] + [path]
    found = [line for file in files if file.exists() for line in lines(file)]
    assert found == sorted(found)
    assert len(found) > 100


@pytest.mark.parametrize("kind", ["folder", "device"])
def test_a_path_that_is_no_file_is_refused(kind: str, tmp_path: Path) -> None:
    """A mistake in the settings is said at start."""
    path = tmp_path if kind == "folder" else Path("/dev/null")
    with pytest.raises(SettingsError, match="is there and is no file; name another path"):
        JsonFile(JsonlSettings(path=str(path)))


def test_whether_it_can_be_written_is_known_beforehand(tmp_path: Path) -> None:
    """The check leaves nothing behind, and says why not."""
    assert reason_unwritable(JsonlSettings(path=str(tmp_path / "f"))) == ""
    assert names(tmp_path) == []
    assert reason_unwritable(JsonlSettings(path=str(tmp_path / "no" / "f"))) == "No such file or directory"
    assert reason_unwritable(JsonlSettings(path=str(tmp_path))) == "Is a directory"
    (tmp_path / "there").write_text("{}\n")
    assert reason_unwritable(JsonlSettings(path=str(tmp_path / "there"))) == ""
    assert (tmp_path / "there").read_text() == "{}\n"
