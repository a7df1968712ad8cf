# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from absent import absent
from examples import summary
from labelcam.errors import SettingsError
from labelcam.images import image_files, read_image
from labelcam.pictures import Pictures
from labelcam.records import Decision, Event, Label, Reading, Stage
from labelcam.reservoir import Reservoir, reservoir_folder
from labelcam.settings import ReservoirSettings


class Clocks:
    """Seconds that a test lets pass, on the monotonic clock and on the wall."""

    def __init__(self) -> None:
        self.seconds, self.wall_s = 0.0, 1_800_000_000.0

    def pass_(self, seconds: float) -> None:
        self.seconds += seconds
        self.wall_s += seconds


@pytest.fixture
def clocks() -> Clocks:
    return Clocks()


class Bench:
    """A reservoir and the pictures it takes from."""

    def __init__(self, folder: Path, clocks: Clocks, **settings: float) -> None:
        self.pictures, self.clocks, self._seq = Pictures(), clocks, 0
        self.reservoir = Reservoir(
            ReservoirSettings(enabled=True, **settings),  # type: ignore[arg-type]
            folder,
            self.pictures,
            lambda: clocks.seconds,
            lambda: clocks.wall_s,
        )
        self.reservoir.open()

    def see(self, first: float, second: float, state: str = "cat", event: Event | None = None) -> None:
        """One frame; noise, so that its JPEG is of a realistic size."""
        self._seq += 1
        decision = Decision((Label("cat", first), Label("dog", second)), state, event)
        when = datetime.fromtimestamp(self.clocks.wall_s, UTC)
        reading = Reading(self._seq, when, None, decision, 1.0, dict.fromkeys(Stage, 1.0), 0)
        self.pictures.show(reading, np.random.default_rng(self._seq).integers(0, 256, (48, 64, 3), np.uint8))
        if self.reservoir.wants(reading):
            self.reservoir.publish(reading)
        self.last = reading


def test_what_the_model_is_sure_of_is_not_kept(tmp_path: Path, clocks: Clocks) -> None:
    """A wide margin is no hard frame; a narrow one is, once in `every_seconds`."""
    bench = Bench(tmp_path, clocks)
    bench.see(0.9, 0.05)
    assert list(tmp_path.iterdir()) == []
    for _ in range(5):
        bench.see(0.5, 0.45)
    assert len(list(tmp_path.glob("*.jpg"))) == 1
    clocks.pass_(10)
    bench.see(0.5, 0.45)
    assert len(list(tmp_path.glob("*.jpg"))) == 2


def test_what_is_kept_says_why(tmp_path: Path, clocks: Clocks) -> None:
    """A picture in full size, and beside it the reading; nothing half-written is left."""
    Bench(tmp_path, clocks).see(0.5, 0.45)
    picture, told = sorted(tmp_path.iterdir(), key=lambda path: path.suffix == ".json")
    assert read_image(picture).shape == (48, 64, 3)
    document = json.loads(told.read_text())
    assert (document["kept_for"], document["label"], document["seq"]) == ("margin", "cat", 1)
    assert picture.stem == told.stem


def test_a_rare_label_is_kept_when_it_enters(tmp_path: Path, clocks: Clocks) -> None:
    """Once a thousand frames have said what is usual."""
    bench = Bench(tmp_path, clocks)
    enter = Event("enter", "owl", 0.0)
    bench.see(0.9, 0.01, "owl", enter)
    for _ in range(1000):
        bench.see(0.9, 0.01)
    assert list(tmp_path.iterdir()) == []
    bench.see(0.9, 0.01, "owl", enter)
    assert [path.stem.rpartition("-")[2] for path in tmp_path.glob("*.jpg")] == ["rare"]


def test_what_two_models_dispute_is_kept(tmp_path: Path, clocks: Clocks) -> None:
    """The picture that the shadow model called otherwise, not the one that comes after it."""
    bench = Bench(tmp_path, clocks)
    bench.see(0.9, 0.01)
    disputed = bench.pictures.newest()
    assert disputed is not None
    bench.pictures.dispute(disputed)
    bench.see(0.9, 0.01)
    (told,) = tmp_path.glob("*.json")
    assert json.loads(told.read_text())["seq"] == 1
    assert json.loads(told.read_text())["kept_for"] == "disputed"


def test_what_was_kept_and_is_disputed_then_is_kept_once(tmp_path: Path, clocks: Clocks) -> None:
    """The shadow answers later: the same picture would take its room twice."""
    bench = Bench(tmp_path, clocks)
    bench.see(0.5, 0.45)
    hard = bench.pictures.newest()
    assert hard is not None
    bench.pictures.dispute(hard)
    clocks.pass_(60)
    bench.see(0.9, 0.01)
    assert [path.stem.rpartition("-")[2] for path in tmp_path.glob("*.jpg")] == ["margin"]


def test_the_room_is_bounded(tmp_path: Path, clocks: Clocks) -> None:
    """The oldest go first, their readings with them; whatever else lies in the folder is left alone."""
    (tmp_path / "mine.jpg").write_bytes(b"x" * 500_000)
    bench = Bench(tmp_path, clocks, max_mb=0.1, every_seconds=0)
    for _ in range(60):
        bench.see(0.5, 0.45)
        clocks.pass_(1)
    ours = list(tmp_path.glob("hard-*"))
    assert 50_000 < sum(path.stat().st_size for path in ours) <= 100_000
    assert {path.stem for path in ours if path.suffix == ".jpg"} == {
        path.stem for path in ours if path.suffix == ".json"
    }
    assert any("-60-" in path.name for path in ours)
    assert (tmp_path / "mine.jpg").exists()


def test_what_is_old_goes(tmp_path: Path, clocks: Clocks) -> None:
    """After `max_days`, with the next frame that is kept; also what an earlier process has kept."""
    Bench(tmp_path, clocks).see(0.5, 0.45)
    for path in tmp_path.iterdir():
        os.utime(path, (clocks.wall_s, clocks.wall_s))
    clocks.pass_(31 * 86_400)
    Bench(tmp_path, clocks).see(0.5, 0.45)
    assert len(list(tmp_path.glob("*.jpg"))) == 1


def test_what_is_old_goes_although_nothing_comes(tmp_path: Path, clocks: Clocks) -> None:
    """With the minute's account: the cap on age is a promise, not a side effect of the next hard frame."""
    bench = Bench(tmp_path, clocks)
    bench.see(0.5, 0.45)
    clocks.pass_(31 * 86_400)
    bench.reservoir.report(summary())
    assert list(tmp_path.iterdir()) == []


def test_readings_that_queue_up_are_not_all_kept(tmp_path: Path, clocks: Clocks) -> None:
    """A slow card keeps the first of them busy: once in `every_seconds` holds for those behind it as well."""
    bench = Bench(tmp_path, clocks)
    bench.see(0.9, 0.05)
    hard = replace(bench.last, decision=Decision((Label("cat", 0.5), Label("dog", 0.45)), "cat", None))
    assert all(bench.reservoir.wants(hard) for _ in range(3))
    for _ in range(3):
        bench.reservoir.publish(hard)
        bench.see(0.9, 0.05)
        hard = replace(hard, seq=bench.last.seq)
    assert len(list(tmp_path.glob("*.jpg"))) == 1


def test_what_sigkill_left_half_written_goes(tmp_path: Path, clocks: Clocks) -> None:
    """It would belong to no picture, and to no account."""
    for name in (".hard-20260101T000000-1-margin.jpg", "hard-20260101T000000-1-margin.json"):
        (tmp_path / name).write_text("{}")
    Bench(tmp_path, clocks)
    assert list(tmp_path.iterdir()) == []


def test_a_new_reservoir_knows_what_the_one_before_kept_last(tmp_path: Path, clocks: Clocks) -> None:
    """After a reload, one is made while another still keeps frames: it looks when it begins, not when it is made."""
    before = Bench(tmp_path, clocks, max_mb=0.1, every_seconds=0)
    after = Bench(tmp_path, clocks, max_mb=0.1, every_seconds=0)
    for _ in range(15):
        before.see(0.5, 0.45)
    after.reservoir.open()
    for _ in range(25):
        clocks.pass_(1)
        after.see(0.5, 0.45)
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 100_000


def test_a_clock_that_was_not_set_makes_nothing_old(tmp_path: Path, clocks: Clocks) -> None:
    """A Pi starts in 1970: what it kept then is not 56 years old when the network tells it the time."""
    clocks.wall_s = 100.0
    bench = Bench(tmp_path, clocks, every_seconds=0)
    bench.see(0.5, 0.45)
    clocks.wall_s = 1_800_000_000.0
    bench.see(0.5, 0.45)
    assert len(list(tmp_path.glob("*.jpg"))) == 2
    clocks.pass_(31 * 86_400)
    bench.see(0.5, 0.45)
    assert len(list(tmp_path.glob("*.jpg"))) == 2, "what was kept after it has a known age"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 100 KB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=100k", "none", folder], check=False).returncode:
        absent("no file system can be mounted here: run as root")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_a_full_disk_is_told_once_and_got_over(
    small_disk: Path, clocks: Clocks, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing half-written stays; when there is room again, frames are kept again."""
    filler = small_disk / "filler"
    filler.write_bytes(b"x" * 98_000)
    bench = Bench(small_disk, clocks, every_seconds=0)
    for _ in range(4):
        bench.see(0.5, 0.45)
    assert [path.name for path in small_disk.iterdir()] == ["filler"]
    assert sum("reservoir-full" in record.message for record in caplog.records) == 1
    filler.unlink()
    bench.see(0.5, 0.45)
    assert len(list(small_disk.glob("*.jpg"))) == 1


def test_a_folder_that_cannot_be_used_is_refused(tmp_path: Path, clocks: Clocks) -> None:
    """At the start, with the remedy."""
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError, match=r"reservoir\.folder .* cannot be used"):
        Bench(tmp_path / "file", clocks)


def test_without_systemd_a_folder_must_be_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Pictures are not strewn about where nobody looks for them."""
    monkeypatch.delenv("STATE_DIRECTORY", raising=False)
    with pytest.raises(SettingsError, match="set folder under"):
        reservoir_folder(ReservoirSettings(enabled=True))
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path))
    assert reservoir_folder(ReservoirSettings(enabled=True)) == tmp_path / "reservoir"


def test_the_converter_takes_them_as_they_are(
    labelcam: Callable[..., SimpleNamespace], person_model: Path, tmp_path: Path
) -> None:
    """What a daemon kept calibrates the next model, by --images and nothing else."""
    settings, folder = tmp_path / "labelcam.toml", tmp_path / "kept"
    settings.write_text(
        f'[model]\npath = "{person_model}"\n[reservoir]\nenabled = true\nfolder = "{folder}"\n'
        "margin = 1.0\nevery_seconds = 0\n"
    )
    done = labelcam("run", "--settings", settings, "--camera", "synthetic:320x240@20", "--frames", "30")
    assert done.returncode == 0, done.stderr
    assert len(image_files(folder)) >= 2
    command = [sys.executable, "-m", "labelcam_converter", "build", "--model", "person", "--effort", "fast"]
    out = tmp_path / "again.tflite"
    built = subprocess.run(
        [*command, "--images", folder, "-o", out, "--min-agreement", "0"], capture_output=True, text=True, check=False
    )
    assert built.returncode == 0, built.stderr
    assert out.exists()
