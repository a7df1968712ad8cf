# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0

import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labelcam.account import Percentiles, Summary
from labelcam.errors import LabelcamError, UsageError
from labelcam.histogram import Histogram
from labelcam.journal.entry import SCHEMA, Change, Entry, News, entry_of
from labelcam.journal.minutes import LISTED, Minutes
from labelcam.journal.page import placed, to_html
from labelcam.journal.place import UNIT_FOLDER, folder_to_read, folder_to_write
from labelcam.journal.reading import EVERYTHING, LAST_HOUR, Since, chosen, dated, entries, since_of
from labelcam.journal.segments import SEGMENTS, Segments, records, segments
from labelcam.journal.totals import totals
from labelcam.publish.journal import KEPT, Journal
from labelcam.records import Decision, Label, Reading, Stage

Labelcam = Callable[..., SimpleNamespace]

NOON = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
SECOND_NS = 1_000_000_000
ODD = 'a "quoted" \\ label\nin two lines, \u2028 \U0001f426 </script><script>alert(1)</script>'


def entry(minute: int = 0, **changes: Any) -> Entry:
    spread = Percentiles(1.0, 2.0, 3.0, 4.0)
    made = Entry(
        time=NOON + timedelta(minutes=minute), clock="synced", boot="b", monotonic_s=100.0 + 60 * minute, seconds=60.0,
        frames=600, dropped={"stale": 2}, stages_ms={stage.value: spread for stage in Stage}, age_ms=spread,
        energy=None, watts=None, celsius=None, mhz=None, throttled=False, undervolted=None, model="colours",
        delegate="xnnpack", camera="ok", fps_limit=None, rss_mb=80.0, lost={}, changed=1, changes=[Change(NOON, ODD)],
        remarks={}, news=[News(NOON, "camera", ODD)],
    )  # fmt: skip
    return replace(made, **changes)


def summary(at_s: float, frames: int, histogram: Histogram, **changes: Any) -> Summary:
    made = Summary(
        frames=frames, dropped=0, skipped=0, seconds=max(0.0, at_s - 100), fps=10.0, model="colours", runtime="r",
        delegate="xnnpack", delegated_ops=(1, 1), threads=1, stages_ms={}, age_ms=Percentiles(0, 0, 0, 0), rss_mb=80.0,
        labels={}, publishers={}, made_ns=int(at_s * SECOND_NS),
        tallies={name: histogram.tally() for name in (*Stage, "age")},
    )  # fmt: skip
    return replace(made, **changes)


def minutes(begun_s: float = 100.0) -> Minutes:
    return Minutes(int(begun_s * SECOND_NS), lambda: NOON, lambda: "unsynced", "boot")


def timed(*values: float, into: Histogram | None = None) -> Histogram:
    histogram = into or Histogram()
    for value in values:
        histogram.add(value)
    return histogram


def test_every_minute_has_its_own_percentiles_and_counts() -> None:
    """A minute tells of just its frames: a slow one before it is in none of its figures."""
    made, histogram = minutes(), timed(*[500.0] * 10)
    first = made.take(summary(160, 10, histogram, dropped_reasons={"stale": 3}, publishers={"mqtt": 1}))
    timed(*[5.0] * 20, into=histogram)
    second = made.take(summary(220.5, 30, histogram, dropped_reasons={"stale": 3, "rate": 4}, publishers={"mqtt": 1}))
    assert first
    assert second
    assert (first.frames, first.seconds, first.dropped, first.lost) == (10, 60.0, {"stale": 3}, {"mqtt": 1})
    assert (second.frames, second.seconds, second.dropped, second.lost) == (20, 60.5, {"rate": 4}, {})
    assert first.stages_ms["invoke"].p50 == pytest.approx(500, rel=0.011)
    assert second.stages_ms["invoke"].max == pytest.approx(5, rel=0.011)
    assert second.age_ms
    assert (second.clock, second.boot, second.monotonic_s) == ("unsynced", "boot", 220.5)


def test_accounts_between_the_minutes_are_no_entries_but_their_remarks_are_told() -> None:
    """Something remarkable brings an account at once: it is kept for the minute's entry, and so is its end."""
    made, histogram = minutes(), timed(1.0)
    assert made.take(summary(120, 1, histogram, remarks={"rate": "slower"})) is None
    assert made.take(summary(130, 2, histogram)) is None
    told = made.take(summary(160, 3, histogram, remarks={"camera": "lost"}))
    assert told
    assert [(n.subject, n.sentence) for n in told.news] == [("rate", "slower"), ("rate", None), ("camera", "lost")]
    assert told.remarks == {"camera": "lost"}


def test_what_changes_all_the_time_does_not_fill_the_disk() -> None:
    """A label that flickers is counted; the first changes are listed."""
    made = minutes()
    for number in range(500):
        decision = Decision((Label("cat", 0.9),), f"state {number % 2}", None)
        made.note(Reading(number, NOON, None, decision, 1.0, {}, 0))
        made.take(summary(101 + number / 100, number, timed(1.0), remarks={"rate": str(number)}))
    told = made.take(summary(160, 600, timed(1.0)))
    assert told
    assert (told.changed, len(told.changes), len(told.news)) == (500, LISTED, LISTED)
    assert made.take(summary(220, 600, timed(1.0))).changed == 0  # type: ignore[union-attr]


def test_the_rest_of_a_run_is_an_entry_too() -> None:
    """A run of ten seconds, and the end of any other, is not lost; nothing is told twice."""
    made = minutes()
    assert made.rest() is None
    made.take(summary(110, 7, timed(1.0)))
    rest = made.rest()
    assert rest
    assert (rest.frames, rest.seconds) == (7, 10.0)
    assert made.rest() is None


def test_a_journal_that_begins_in_the_middle_of_a_run_tells_nothing_of_what_was_before() -> None:
    """After settings were read anew: the counts of the run so far are where it begins."""
    made, histogram = minutes(begun_s=1000.0), timed(*[500.0] * 10)
    assert made.take(summary(1060, 9000, histogram)) is None
    timed(5.0, into=histogram)
    told = made.take(summary(1120, 9600, histogram))
    assert told
    assert (told.frames, told.seconds) == (600, 60.0)
    assert told.stages_ms["invoke"].max == pytest.approx(5, rel=0.011)


def test_a_minute_without_a_frame_has_no_percentiles() -> None:
    """A camera that is away is an entry as well: of zero frames, and of nothing that was measured on them."""
    made = minutes()
    told = made.take(summary(160, 0, Histogram(), camera="lost"))
    assert told
    assert (told.frames, told.stages_ms, told.age_ms, told.camera) == (0, {}, None, "lost")


def test_a_record_comes_back_as_it_was() -> None:
    """Whatever a label or a remark says: one line each, and the same when it is read."""
    energy = {"joules": 1.0, "watts": 2.0}
    for one in (entry(), entry(energy=energy, age_ms=None, stages_ms={}, fps_limit=4.0)):
        line = json.dumps(one.as_json())
        assert len(line.splitlines()) == 1
        assert entry_of(json.loads(line)) == one
    assert entry().as_json()["schema"] == SCHEMA


def kept(folder: Path) -> list[int]:
    return [record["n"] for record in records(folder)]


@given(max_bytes=st.integers(2000, 20_000), sizes=st.lists(st.integers(1, 150), min_size=1, max_size=300))
@settings(deadline=None, max_examples=30)
def test_a_folder_never_grows_beyond_its_bound(
    max_bytes: int, sizes: list[int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Whatever is written: what is left is the newest, in order and without a hole, and nearly all that has room."""
    folder = tmp_path_factory.mktemp("journal")
    journal = Segments(folder, max_bytes)
    for number, size in enumerate(sizes):
        journal.append({"n": number, "text": "x" * size})
        assert sum(path.stat().st_size for path in folder.iterdir()) <= max_bytes
    left = kept(folder)
    assert left == list(range(left[0], len(sizes)))
    if left[0] > 0:
        room = max_bytes - sum(path.stat().st_size for path in folder.iterdir())
        assert room <= 2 * max_bytes / SEGMENTS + 400


@pytest.mark.parametrize("torn", [b'{"n":7,"te', b"\0" * 100, b'{"n":7,"text":"\xff\xfe', b"[1]"])
def test_what_a_power_cut_left_behind_costs_only_itself(torn: bytes, tmp_path: Path) -> None:
    """Half a line, or the zeros that ext4 leaves, are passed over; the next record begins a line of its own."""
    journal = Segments(tmp_path, 10_000)
    journal.append({"n": 1})
    with segments(tmp_path)[-1].open("ab") as file:
        file.write(torn)
    Segments(tmp_path, 10_000).append({"n": 2})
    assert kept(tmp_path) == [1, 2]


def test_other_peoples_files_are_left_alone(tmp_path: Path) -> None:
    """What is not ours in that folder is neither read nor deleted."""
    for name in ("notes.jsonl", "00000001.jsonl.bak", "photo.png"):
        (tmp_path / name).write_text("x" * 5000)
    journal = Segments(tmp_path, 2000)
    for number in range(100):
        journal.append({"n": number})
    assert kept(tmp_path)[-1] == 99
    assert len([path for path in tmp_path.iterdir() if path.stat().st_size == 5000]) == 3


def limited(code: str, *arguments: object) -> "subprocess.CompletedProcess[str]":
    """Run a piece of Python in a process of its own, where a file may hold no more than 1500 bytes."""

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1500, 1500))

    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, preexec_fn=limit, check=False)


FILL = """
import sys
from pathlib import Path
from labelcam.journal.segments import Segments
journal = Segments(Path(sys.argv[1]), 1_000_000)
for number in range(100):
    try:
        journal.append({"n": number, "text": "x" * 90})
    except OSError as error:
        print(number, error.errno)
        break
"""


def test_a_record_that_does_not_fit_on_the_disk_leaves_no_half(tmp_path: Path) -> None:
    """Where the kernel takes only a part of a line, that part is taken back."""
    done = limited(FILL, tmp_path)
    number, _ = done.stdout.split()
    assert kept(tmp_path) == list(range(int(number)))
    assert segments(tmp_path)[-1].read_bytes().endswith(b"}\n")


class Refusing(Segments):
    """A folder on a disk that takes nothing for a while."""

    full = False

    def append(self, record: dict[str, Any]) -> None:
        if self.full:
            raise OSError(28, "No space left on device")
        super().append(record)


def test_a_full_disk_is_told_once_and_the_journal_goes_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was recorded meanwhile waits in memory, an hour of it, and is written in its order when there is room."""
    caplog.set_level("INFO")
    monkeypatch.setattr(time, "monotonic_ns", lambda: 100 * SECOND_NS)
    folder = Refusing(tmp_path, 1_000_000)
    journal = Journal(folder)
    for minute in range(1, 6 + KEPT + 5):
        folder.full = 3 <= minute < 4 + KEPT + 5
        journal.report(summary(100 + 60 * minute, 600 * minute, timed(1.0)))
    journal.close()
    assert [line.split()[0] for line in caplog.messages] == ["journal-refused", "journal-goes-on"]
    assert "No space left on device" in caplog.messages[0]
    assert "lost=7" in caplog.messages[1]
    found = [record["monotonic_s"] for record in records(tmp_path)]
    assert found == sorted(found)
    assert len(found) == 2 + KEPT + 1


def test_a_folder_that_cannot_be_made_is_a_refusal_like_any_other(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file in its place, a read-only disk: told once, with the folder; the daemon never ends for it."""
    monkeypatch.setattr(time, "monotonic_ns", lambda: 100 * SECOND_NS)
    (tmp_path / "file").write_text("")
    journal = Journal(Segments(tmp_path / "file" / "journal", 1000))
    journal.report(summary(160, 600, timed(1.0)))
    journal.report(summary(220, 1200, timed(1.0)))
    assert len(caplog.messages) == 1
    assert str(tmp_path / "file" / "journal") in caplog.messages[0]


def test_what_was_written_before_the_clock_was_set_is_dated_by_what_came_after() -> None:
    """A Pi without a clock starts in 1970; its monotonic clock tells when that really was."""
    epoch = datetime(1970, 1, 1, 0, 2, tzinfo=UTC)
    early = [entry(n, time=epoch + timedelta(minutes=n), clock="unsynced", boot="new") for n in range(3)]
    late = [entry(3 + n, boot="new") for n in range(2)]
    other = entry(time=epoch, clock="unsynced", boot="other")
    found = dated([*early, *late, other])
    assert [one.time for one in found[:5]] == [NOON + timedelta(minutes=n) for n in range(5)]
    assert [one.clock for one in found] == ["synced"] * 5 + ["unsynced"]
    assert found[5].time == epoch


def test_times_that_go_backwards_do_not_hide_what_came_after() -> None:
    """Entries are chosen in the order in which they were written."""
    stray = entry(time=datetime(1970, 1, 1, tzinfo=UTC), clock="unsynced", boot="other")
    found = [entry(0), entry(50), stray, entry(100)]
    assert list(chosen(found, Since(NOON + timedelta(minutes=40)))) == found[1:]
    assert list(chosen(found, LAST_HOUR)) == found[1:]
    assert list(chosen(found, EVERYTHING)) == found
    assert list(chosen(found, Since(NOON + timedelta(days=1)))) == []
    assert list(chosen([], LAST_HOUR)) == []


def test_the_pages_time_only_goes_forward() -> None:
    """The plots need that; what an unset clock wrote follows what was written before it, with a hole between."""
    stray = entry(time=datetime(1970, 1, 1, tzinfo=UTC), clock="unsynced", boot="other")
    for found in ([stray, entry(0), entry(1), stray, entry(9)], [stray, stray], [entry(5), entry(4)]):
        places = [(at, apart) for _, at, apart in placed(found)]
        assert all(after > before for (before, _), (after, _) in pairwise(places))
    marks = [apart for _, _, apart in placed([stray, entry(0), entry(1), stray, entry(9)])]
    assert marks == [False, True, False, True, True]


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("30m", NOON - timedelta(minutes=30)),
        ("1.5h", NOON - timedelta(minutes=90)),
        ("7d", NOON - timedelta(days=7)),
        ("2026-11-20T08:30+00:00", datetime(2026, 11, 20, 8, 30, tzinfo=UTC)),
        ("all", None),
    ],
)
def test_since_is_a_span_a_moment_or_all(text: str, moment: datetime | None) -> None:
    """The forms that --help names."""
    assert since_of(text, NOON) == Since(moment)


@pytest.mark.parametrize("text", ["", "h", "yesterday", "12", "nand", "1e400d", "99999999999d", "2026-13-01"])
def test_a_since_that_is_no_time_is_refused_with_the_forms(text: str) -> None:
    """One line that says what would do."""
    with pytest.raises(UsageError, match="2026-11-25"):
        since_of(text, NOON)


def test_totals_count_only_what_was_metered() -> None:
    """Frames of minutes without a figure are in no inference's share; a silent half minute is filled by the mean."""
    known = {"meter": "m", "joules": 150.0, "error_joules": 3.0, "seconds": 30.0, "watts": 5.0}
    refused = dict.fromkeys(known, None) | {"meter": "m", "seconds": 2.0}
    found = totals([entry(energy=known), entry(energy=refused), entry()])
    assert found.mj_per_inference == pytest.approx((500.0, 10.0))
    assert found.frames == 1800
    assert totals([entry()]).mj_per_inference is None


def test_the_folder_is_the_settings_or_systemds(monkeypatch: pytest.MonkeyPatch) -> None:
    """A laptop's run leaves nothing behind; who only reads is led to where our unit keeps it."""
    monkeypatch.delenv("STATE_DIRECTORY", raising=False)
    assert folder_to_write("") is None
    assert folder_to_read("") == UNIT_FOLDER
    monkeypatch.setenv("STATE_DIRECTORY", "/var/lib/labelcam:/var/lib/other")
    assert folder_to_write("") == Path("/var/lib/labelcam/journal")
    assert folder_to_write("/mnt/stick") == Path("/mnt/stick")


@pytest.fixture
def journal_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "journal"
    journal = Segments(folder, 1_000_000)
    for minute in range(90):
        journal.append(entry(minute).as_json())
    return folder


def test_a_person_sees_the_last_hour_that_was_recorded(labelcam: Labelcam, journal_folder: Path) -> None:
    """A row a minute, what it amounts to, and what was remarked; columns of which nothing is known are left out."""
    done = labelcam("journal", "--folder", journal_folder)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].split()[:2] == ["time", "frames"]
    assert "MHz" not in lines[0]
    assert sum(line.split()[-1:] == ["2.00"] for line in lines) == 60
    assert "frames   36000 in 1 h 0 min, 10.00 a second" in lines
    assert "dropped  120 (120 stale)" in lines


def test_json_is_the_records_one_a_line(labelcam: Labelcam, journal_folder: Path) -> None:
    """`--json --since all` gives back everything that was written."""
    done = labelcam("journal", "--folder", journal_folder, "--since", "all", "--json")
    assert [json.loads(line) for line in done.stdout.splitlines()] == [entry(n).as_json() for n in range(90)]


def test_a_journal_that_cannot_be_shown_says_why(
    labelcam: Labelcam, journal_folder: Path, tmp_path: Path, the_error: Callable[[str], str]
) -> None:
    """No folder, nothing since then, no folder for the page: a line each, with the remedy and the right code."""
    for arguments, code, said in (
        (("--folder", tmp_path / "nowhere"), 1, "no journal there"),
        (("--folder", journal_folder, "--since", "2099-01-01"), 1, "--since all"),
        (("--folder", journal_folder, "--since", "soon"), 2, "use 30m"),
        (("--folder", journal_folder, "--html", tmp_path / "no" / "page.html"), 2, "make it first"),
        (("--folder", journal_folder, "--html", tmp_path / "model.tflite"), 2, "name it model.html"),
    ):
        done = labelcam("journal", *arguments)
        assert done.returncode == code
        assert said in the_error(done.stderr)


def test_a_damaged_record_is_passed_over(journal_folder: Path) -> None:
    """Of another version, or overwritten by a failing card: the others are shown all the same."""
    with segments(journal_folder)[-1].open("a") as file:
        file.write('{"schema":1}\n{"schema":1,"time":5}\n')
        record = entry(90).as_json()
        file.write(json.dumps(record | {"dropped": 7}) + "\n" + json.dumps(record) + "\n")
    assert len(entries(journal_folder)) == 91


def test_a_folder_that_may_not_be_read_names_the_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The service's folder is closed to others."""

    def closed(_: Path) -> Iterator[dict[str, Any]]:
        raise PermissionError(13, "Permission denied", str(tmp_path))

    monkeypatch.setattr("labelcam.journal.reading.records", closed)
    with pytest.raises(LabelcamError, match="sudo"):
        entries(tmp_path)


def test_no_label_becomes_a_part_of_the_page() -> None:
    """Remarks and names are text, whatever they say."""
    page = to_html([entry(model=ODD, remarks={"camera": ODD})])
    assert "<script>alert(1)" not in page


def test_a_run_keeps_a_journal_where_it_is_told_to(labelcam: Labelcam, colours: Path, tmp_path: Path) -> None:
    """The entry of a short run: its frames, its percentiles, the machine's boot id, and the time."""
    settings = tmp_path / "labelcam.toml"
    settings.write_text(f'[journal]\nfolder = "{tmp_path / "kept"}"\n[power]\nmeter = "none"\n')
    source = ("--model", colours, "--camera", "synthetic:64x48@100", "--frames", 30)
    done = labelcam("run", "--settings", settings, *source)
    assert done.returncode == 0, done.stderr
    (record,) = records(tmp_path / "kept")
    assert (record["frames"], record["model"], record["camera"], record["energy"]) == (30, "colours", "ok", None)
    assert set(record["stages_ms"]) == {"capture", "preprocess", "invoke", "decide"}
    assert record["boot"] == Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    assert record["clock"] in ("synced", "unsynced")
    assert abs((datetime.fromisoformat(record["time"]) - datetime.now(UTC)).total_seconds()) < 120
    assert record["changed"] >= 1
    assert labelcam("journal", "--settings", settings).stdout.count("frames") == 2


def test_a_run_without_a_place_leaves_nothing_behind(
    labelcam: Labelcam, colours: Path, tmp_path: Path, environment: dict[str, str]
) -> None:
    """By default on a laptop no file is written; with systemd's folder it is there, unless it is switched off."""
    source = ("--model", colours, "--camera", "synthetic:64x48", "--frames", 3)
    home, state = tmp_path / "home", tmp_path / "state"
    home.mkdir()
    assert labelcam("run", *source, cwd=home, env=environment | {"HOME": str(home)}).returncode == 0
    assert list(home.iterdir()) == []
    off = tmp_path / "off.toml"
    off.write_text("[journal]\nenabled = false\n")
    env = environment | {"STATE_DIRECTORY": str(state)}
    assert labelcam("run", *source, "--settings", off, env=env).returncode == 0
    assert not state.exists()
    assert labelcam("run", *source, env=env).returncode == 0
    assert len(segments(state / "journal")) == 1


KILLED = """
import sys, itertools
from pathlib import Path
from labelcam.journal.segments import Segments
journal = Segments(Path(sys.argv[1]), 200_000)
for number in itertools.count():
    journal.append({"n": number, "text": "x" * 300})
    print(number, flush=True)
"""


def test_a_kill_at_any_moment_loses_nothing_that_was_written(tmp_path: Path) -> None:
    """Killed again and again while it appends as fast as it can: every record that it told of is there."""
    for pause_s in (0.0, 0.003, 0.011, 0.05):
        folder = tmp_path / str(pause_s)
        process = subprocess.Popen([sys.executable, "-c", KILLED, str(folder)], stdout=subprocess.PIPE, text=True)
        assert process.stdout
        process.stdout.readline()
        time.sleep(pause_s)
        os.kill(process.pid, signal.SIGKILL)
        told = [0, *map(int, process.communicate()[0].split())]
        left = kept(folder)
        assert left[-1] in (told[-1], told[-1] + 1)
        assert left == list(range(left[0], left[-1] + 1))


def test_a_full_disk_does_not_end_the_daemon(labelcam: Labelcam, colours: Path, tmp_path: Path) -> None:
    """Where no file may hold more than 100 bytes: every frame is read, the refusal is logged, no half is left."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))

    settings = tmp_path / "labelcam.toml"
    settings.write_text(f'[journal]\nfolder = "{tmp_path / "kept"}"\n[power]\nmeter = "none"\n')
    source = ("--model", colours, "--camera", "synthetic:64x48", "--frames", 20, "--json")
    done = labelcam("run", "--settings", settings, *source, preexec_fn=limit)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 20
    assert done.stderr.count("journal-refused") == 1
    assert [path.stat().st_size for path in (tmp_path / "kept").iterdir()] == [0]
