# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0

import json
import os
import pty
import resource
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from pictures_on_disk import write_png
from said import wait_for
from service_manager import ServiceManager

Labelcam = Callable[..., SimpleNamespace]
Start = Callable[..., "subprocess.Popen[str]"]

READING = {
    *("schema", "seq", "time", "source", "label", "score", "top", "state", "event", "age_ms", "stages_ms", "dropped"),
    *("watts", "celsius", "throttled"),
}
SUMMARY = {
    *("frames", "dropped", "seconds", "fps", "model", "runtime", "delegate", "delegated_ops", "threads", "stages_ms"),
    *("age_ms", "rss_mb", "energy", "labels", "camera", "dropped_reasons"),
}
STAGES = {"capture", "preprocess", "invoke", "decide"}


def readings(stdout: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stdout.splitlines()]


def wait_for_line(process: "subprocess.Popen[str]") -> str:
    """The next line on the process's stdout, which says that it classifies."""
    assert process.stdout is not None
    return process.stdout.readline()


def test_every_photograph_becomes_one_line_of_json(labelcam: Labelcam, colours: Path, photographs: Path) -> None:
    """`run --json` prints one reading a frame with exactly the documented keys, and nothing else on stdout."""
    done = labelcam("run", "--model", colours, "--camera", f"photos:{photographs}", "--json")
    assert done.returncode == 0, done.stderr
    found = readings(done.stdout)
    assert [(r["seq"], r["source"], r["label"]) for r in found] == [
        (0, "1_red.png", "red"),
        (1, "2_green.png", "green"),
        (2, "3_blue.png", "blue"),
    ]
    for reading in found:
        assert set(reading) == READING
        assert reading["schema"] == 1
        assert set(reading["stages_ms"]) == STAGES
        assert all(0 <= ms < 60_000 for ms in reading["stages_ms"].values())
        assert 0 < reading["age_ms"] < 60_000
        assert reading["dropped"] == 0
        assert reading["top"][0] == {"label": reading["label"], "score": reading["score"]}
        assert time.strptime(reading["time"].partition(".")[0], "%Y-%m-%dT%H:%M:%S")
        assert reading["time"].endswith("Z")
    assert [r["event"] and (r["event"]["type"], r["event"]["label"]) for r in found] == [
        ("enter", "red"),
        ("leave", "red"),
        ("enter", "blue"),
    ]


def test_a_covered_lens_is_a_state_of_its_own(
    labelcam: Labelcam, colours: Path, photographs: Path, tmp_path: Path
) -> None:
    """Where nothing can be seen the state is "dark", what was there leaves, and with light it enters again."""
    for number, name in enumerate(("1_red.png", "", "", "1_red.png")):
        target = tmp_path / f"{number}.png"
        if name:
            target.write_bytes((photographs / name).read_bytes())
        else:
            write_png(target, np.full((48, 64, 3), (4, 3, 3), np.uint8))
    done = labelcam("run", "--model", colours, "--camera", f"photos:{tmp_path}", "--json")
    found = readings(done.stdout)
    assert [r["state"] for r in found] == ["red", "dark", "dark", "red"]
    assert [r["event"] and r["event"]["type"] for r in found] == ["enter", "leave", None, "enter"]


@pytest.mark.parametrize(
    ("settings", "label"),
    [
        ("", "green"),
        ("region = [0.0, 0.0, 0.25, 1.0]", "red"),
        ("region = [0.75, 0.0, 0.25, 1.0]", "green"),
        ("rotate = 180\nregion = [0.0, 0.0, 0.25, 1.0]", "green"),
        ("mirror = true\nregion = [0.0, 0.0, 0.25, 1.0]", "green"),
        ("rotate = 90\nregion = [0.0, 0.0, 1.0, 0.25]", "red"),
    ],
)
def test_only_the_region_counts_of_the_picture_the_right_way_up(
    settings: str, label: str, labelcam: Labelcam, colours: Path, tmp_path: Path
) -> None:
    """A picture whose left third is red, turned and cut out as the settings say."""
    picture = np.full((60, 90, 3), (20, 250, 30), np.uint8)
    picture[:, :30] = (250, 30, 20)
    (tmp_path / "photographs").mkdir()
    write_png(tmp_path / "photographs" / "1.png", picture)
    file = tmp_path / "labelcam.toml"
    file.write_text(f"[camera]\n{settings}\n")
    source = ("--model", colours, "--camera", f"photos:{tmp_path / 'photographs'}")
    done = labelcam("run", "--settings", file, *source, "--json")
    assert [reading["label"] for reading in readings(done.stdout)] == [label], done.stderr


def test_what_is_there_at_the_end_leaves(start: Start, colours: Path, photographs: Path, tmp_path: Path) -> None:
    """SIGTERM is also the end of what was seen: its leave is told, as an event and not as a reading."""
    (tmp_path / "red").mkdir()
    (tmp_path / "red" / "1.png").write_bytes((photographs / "1_red.png").read_bytes())
    with (tmp_path / "said").open("w") as said:
        process = start("run", "--model", colours, "--camera", f"photos:{tmp_path / 'red'}?loop&fps=20", stderr=said)
    wait_for(" enter label='red'", tmp_path / "said")
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0
    stderr = (tmp_path / "said").read_text()
    assert [line.split()[2] for line in stderr.splitlines() if " label='red'" in line] == ["enter", "leave"]


def test_the_summary_says_what_the_run_amounted_to(
    labelcam: Labelcam, colours: Path, photographs: Path, tmp_path: Path
) -> None:
    """The documented keys, the counts, the interpreter by name; `--frames` ends the run."""
    path = tmp_path / "summary.json"
    spec = f"photos:{photographs}?loop"
    done = labelcam("run", "--model", colours, "--camera", spec, "--frames", "9", "--summary", path)
    assert done.returncode == 0, done.stderr
    summary = json.loads(path.read_text())
    assert set(summary) >= SUMMARY
    assert (summary["frames"], summary["dropped"], summary["model"], summary["threads"]) == (9, 0, "colours", 1)
    assert summary["labels"] == {"red": 3, "green": 3, "blue": 3}
    assert (summary["delegate"], summary["delegated_ops"]) == ("xnnpack", [1, 1])
    assert summary["runtime"].startswith("ai-edge-litert 2.")
    assert set(summary["stages_ms"]) == STAGES
    for spread in (*summary["stages_ms"].values(), summary["age_ms"]):
        assert 0 <= spread["p50"] <= spread["p95"] <= spread["p99"] <= spread["max"]
    assert 20 < summary["rss_mb"] < 500
    assert [entry.name for entry in tmp_path.glob("*summary*")] == ["summary.json"]


def test_seconds_end_a_run(labelcam: Labelcam, colours: Path) -> None:
    """`--seconds` ends a camera that would go on for ever, with a summary."""
    begun = time.monotonic()
    done = labelcam("run", "--model", colours, "--camera", "synthetic:64x48@20", "--seconds", "0.5")
    assert done.returncode == 0
    assert 0.5 < time.monotonic() - begun < 6
    assert "frames in" in done.stdout


def test_what_was_asked_for_arrives_whole(labelcam: Labelcam, colours: Path) -> None:
    """A finite pull source loses nothing between the network and stdout, however fast it runs."""
    done = labelcam("run", "--model", colours, "--camera", "synthetic:8x6", "--frames", "3000", "--json")
    assert [reading["seq"] for reading in readings(done.stdout)] == list(range(3000))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("camera", ["synthetic:64x48@30", "synthetic:64x48"])
def test_a_signal_ends_the_run_with_its_summary(
    start: Start, colours: Path, tmp_path: Path, number: signal.Signals, camera: str
) -> None:
    """SIGTERM and Ctrl-C both mean: finish, say what there was, exit 0 within two seconds."""
    path = tmp_path / "summary.json"
    process = start("run", "--model", colours, "--camera", camera, "--json", "--summary", path)
    wait_for_line(process)
    begun = time.monotonic()
    process.send_signal(number)
    _, stderr = process.communicate(timeout=10)
    assert time.monotonic() - begun < 2
    assert process.returncode == 0, stderr
    assert "Traceback" not in stderr
    assert json.loads(path.read_text())["frames"] >= 1


def test_a_reader_that_stops_reading_cannot_stop_a_signal(start: Start, colours: Path) -> None:
    """Even when stdout is full and nobody reads, SIGTERM is answered."""
    process = start("run", "--model", colours, "--camera", "synthetic:64x48", "--json")
    wait_for_line(process)
    time.sleep(1.0)
    process.send_signal(signal.SIGTERM)
    process.wait(timeout=6)
    assert process.returncode == 0


@pytest.mark.parametrize("patience", ["head -3", "sh -c 'sleep 1; head -1'"])
def test_head_ends_the_run_quietly(environment: dict[str, str], colours: Path, patience: str) -> None:
    """`run --json | head -3` is normal life: exit code 0 and not a word about the pipe."""
    command = (
        f"{shlex.quote(sys.executable)} -m labelcam run --json --model {colours} --camera synthetic:64x48 | {patience}"
    )
    done = subprocess.run(
        ["bash", "-c", f"{command} >&2; exit ${{PIPESTATUS[0]}}"],
        env=environment, capture_output=True, text=True, check=False, timeout=30,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert not any(word in done.stderr for word in ("Traceback", "roken pipe", "Exception ignored", "WARNING"))


def test_in_a_pipe_only_events_and_the_summary_are_told(labelcam: Labelcam, colours: Path, photographs: Path) -> None:
    """Without --json and off a terminal, stdout holds the summary alone and stderr the events: SD cards live on."""
    done = labelcam("run", "--model", colours, "--camera", f"photos:{photographs}?loop", "--frames", "30")
    assert done.returncode == 0
    assert ".png" not in done.stdout
    assert done.stdout.count("\n") < 12
    assert "30 frames in" in done.stdout
    assert all(line.startswith("INFO ") for line in done.stderr.splitlines())
    assert "enter label='red'" in done.stderr


def test_a_label_that_flickers_does_not_fill_the_log(labelcam: Labelcam, colours: Path, tmp_path: Path) -> None:
    """At most twenty events a minute are told one by one; the minute's line counts the others."""
    settings = tmp_path / "every-frame.toml"
    settings.write_text("[decision]\nleave_threshold = 0.5\n")
    source = ("--model", colours, "--camera", "synthetic:64x48")
    done = labelcam("run", "--settings", settings, *source, "--frames", "400")
    told = [line for line in done.stderr.splitlines() if " enter " in line or " leave " in line]
    assert len(told) <= 20
    (account,) = (line for line in done.stderr.splitlines() if " so-far " in line)
    assert int(account.rpartition("events=")[2]) > 50


def test_behind_a_pipe_a_person_is_told_as_well(environment: dict[str, str], colours: Path, photographs: Path) -> None:
    """What goes into `| tee` or a file is what a terminal would show, as long as stderr is one."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "labelcam", "run", "--model", colours, "--camera", f"photos:{photographs}"]
    done = subprocess.run(
        command, env=environment, stdout=subprocess.PIPE, stderr=theirs, text=True, check=False, timeout=60
    )
    os.close(theirs)
    os.close(ours)
    assert done.returncode == 0
    assert [line.split()[:2] for line in done.stdout.splitlines()[:3]] == [
        ["1_red.png", "red"],
        ["2_green.png", "green"],
        ["3_blue.png", "blue"],
    ]


def test_in_a_terminal_every_photograph_is_told(environment: dict[str, str], colours: Path, photographs: Path) -> None:
    """A person at a terminal sees each photograph's name and label as it comes."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "labelcam", "run", "--model", colours, "--camera", f"photos:{photographs}"]
    done = subprocess.run(
        command, env=environment, stdout=theirs, stderr=subprocess.PIPE, text=True, check=False, timeout=60
    )
    os.close(theirs)
    shown = b""
    try:
        while chunk := os.read(ours, 65536):
            shown += chunk
    except OSError:
        pass  # how Linux says that the other end of a terminal is closed
    finally:
        os.close(ours)
    assert done.returncode == 0, done.stderr
    for name, label in (("1_red.png", "red"), ("2_green.png", "green"), ("3_blue.png", "blue")):
        assert any(name in line and label in line.split() for line in shown.decode().splitlines())
    assert "3 frames in" in shown.decode()


def test_unreadable_images_are_counted_in_the_summary(
    labelcam: Labelcam, colours: Path, photographs: Path, tmp_path: Path
) -> None:
    """A damaged photograph is skipped with one warning; the run goes on and the summary tells."""
    for path in photographs.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "2_broken.jpg").write_text("no picture")
    summary = tmp_path / "summary.txt"
    done = labelcam("run", "--model", colours, "--camera", f"photos:{tmp_path}", "--json", "--summary", summary)
    assert done.returncode == 0, done.stderr
    assert len(readings(done.stdout)) == 3
    assert json.loads(summary.read_text())["skipped"] == 1
    assert sum("2_broken.jpg" in line for line in done.stderr.splitlines()) == 1


def test_an_empty_folder_is_a_lost_camera(
    labelcam: Labelcam, colours: Path, tmp_path: Path, the_error: Callable[[str], str]
) -> None:
    """Nothing to look at is exit code 74 and one line."""
    done = labelcam("run", "--model", colours, "--camera", f"photos:{tmp_path}", "--json")
    assert (done.returncode, done.stdout) == (74, "")
    assert f"{tmp_path}: holds no image" in the_error(done.stderr)


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("--camera", "synthetic"), 78, "no model is named"),
        (("--model", "/gone/m.tflite"), 78, "/gone/m.tflite: cannot be read"),
        (("--model", "COLOURS", "--camera", "webcam"), 78, "no such kind 'webcam'"),
        (("--model", "COLOURS", "--camera", "v4l2:/dev/video97"), 74, "no such camera"),
        (("--model", "COLOURS", "--camera", "video:/gone.mp4"), 74, "/gone.mp4: no such video file"),
        (("--model", "COLOURS", "--camera", "synthetic", "--summary", "/gone/s.json"), 2, "its folder does not exist"),
    ],
)
def test_what_cannot_work_is_one_line_and_its_exit_code(
    arguments: tuple[str, ...],
    code: int,
    told: str,
    labelcam: Labelcam,
    colours: Path,
    the_error: Callable[[str], str],
    tmp_path: Path,
) -> None:
    """Bad settings and models are 78, a camera that is not there is 74, a command that makes no sense is 2."""
    settings = tmp_path / "impatient.toml"
    settings.write_text("[camera]\nstart_seconds = 0\n")
    words = (str(colours) if word == "COLOURS" else word for word in arguments)
    done = labelcam("run", "--settings", settings, *words)
    assert done.returncode == code
    assert told in the_error(done.stderr)


@pytest.mark.parametrize("arguments", [("--frames", "0"), ("--frames", "x"), ("--seconds", "-1"), ("--seconds", "inf")])
def test_impossible_limits_are_usage_errors(labelcam: Labelcam, arguments: tuple[str, str]) -> None:
    """It is argparse's own exit code 2, and nothing is started."""
    done = labelcam("run", *arguments)
    assert done.returncode == 2
    assert arguments[0] in done.stderr


def test_debug_shows_where_an_error_comes_from(labelcam: Labelcam, environment: dict[str, str], tmp_path: Path) -> None:
    """LABELCAM_DEBUG=1 gives the traceback that a user would send us."""
    done = labelcam("run", "--model", tmp_path / "gone.tflite", env=environment | {"LABELCAM_DEBUG": "1"})
    assert done.returncode != 0
    assert "Traceback" in done.stderr
    assert "ModelFileError" in done.stderr


def test_without_xnnpack_int8_is_warned_about(labelcam: Labelcam, person_model: Path, tmp_path: Path) -> None:
    """The setting delegate = "none" on an int8 network costs one plain warning; the summary says 0."""
    settings, summary = tmp_path / "labelcam.toml", tmp_path / "summary.json"
    settings.write_text('[runtime]\ndelegate = "none"\n')
    done = labelcam(
        *("run", "--settings", settings, "--model", person_model),
        *("--camera", "synthetic:96x96", "--frames", "3", "--summary", summary),
    )
    assert done.returncode == 0, done.stderr
    warnings = [line for line in done.stderr.splitlines() if line.startswith("WARNING")]
    assert len(warnings) == 1
    assert "runs without XNNPACK" in warnings[0]
    assert "set runtime.delegate = 'xnnpack'" in warnings[0]
    told = json.loads(summary.read_text())
    assert (told["delegate"], told["delegated_ops"][0]) == ("none", 0)


def test_the_real_network_is_announced_with_its_delegation(labelcam: Labelcam, person_model: Path) -> None:
    """At start the log says how many operations XNNPACK took, of how many, and nothing is warned about."""
    done = labelcam("run", "--model", person_model, "--camera", "synthetic:96x96", "--frames", "2")
    assert done.returncode == 0
    assert "delegate=xnnpack delegated=28/32" in done.stderr
    assert "WARNING" not in done.stderr


def test_a_full_disk_costs_the_summary_file_only(
    labelcam: Labelcam, colours: Path, tmp_path: Path, the_error: Callable[[str], str]
) -> None:
    """Where the summary cannot be written, the run still tells it, ends with 1, and leaves nothing half-written."""
    path = tmp_path / "summary.json"
    path.write_text("the old one")

    def no_room() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))

    done = labelcam(
        *("run", "--model", colours, "--camera", "synthetic:8x6", "--frames", "3", "--summary", path),
        preexec_fn=no_room,
    )
    assert done.returncode == 1
    assert f"--summary {path}: cannot be written" in the_error(done.stderr)
    assert "3 frames in" in done.stdout
    assert path.read_text() == "the old one"
    assert [entry.name for entry in tmp_path.iterdir() if "summary" in entry.name] == ["summary.json"]


def test_a_device_is_written_to_and_never_replaced(
    labelcam: Labelcam, colours: Path, the_error: Callable[[str], str]
) -> None:
    """`--summary /dev/full` fails like a full disk, and /dev/full is a device afterwards as before."""
    done = labelcam(
        *("run", "--model", colours, "--camera", "synthetic:8x6", "--frames", "3", "--summary", "/dev/full")
    )
    assert done.returncode == 1
    assert "No space left" in the_error(done.stderr)
    assert Path("/dev/full").is_char_device()


def test_a_full_disk_under_stdout_does_not_end_the_daemon_in_a_traceback(labelcam: Labelcam, colours: Path) -> None:
    """A stdout on a full disk is a publisher that ended: a warning, not a crash."""
    with Path("/dev/full").open("w") as full:
        done = labelcam(
            *("run", "--model", colours, "--camera", "synthetic:8x6", "--frames", "3", "--json"),
            capture_output=False, stdout=full, stderr=subprocess.PIPE,
        )  # fmt: skip
    assert "Traceback" not in done.stderr
    assert "publisher-ended name=jsonl" in done.stderr


def test_a_daemon_starts_where_no_temporary_file_can_be_written(
    labelcam: Labelcam, environment: dict[str, str], colours: Path
) -> None:
    """A full SD card, where /tmp takes not a byte, does not keep the daemon from starting."""

    def no_room() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))

    done = labelcam(
        *("run", "--model", colours, "--camera", "synthetic:8x6", "--frames", "3", "--json"), preexec_fn=no_room
    )
    assert done.returncode == 0, done.stderr
    assert len(readings(done.stdout)) == 3


@pytest.mark.parametrize("kind", ["file", "abstract"])
def test_systemd_is_told_ready_alive_and_stopping(kind: str, start: Start, colours: Path, tmp_path: Path) -> None:
    """READY=1 with the first frame, WATCHDOG=1 with later ones, STOPPING=1 at the end; abstract sockets as well."""
    systemd = ServiceManager(f"@labelcam-test-{os.getpid()}" if kind == "abstract" else str(tmp_path / "notify"))
    env = {"NOTIFY_SOCKET": systemd.address, "WATCHDOG_USEC": "600000"}
    process = start("run", "--model", colours, "--camera", "synthetic:64x48@30", "--seconds", "1.5", env=env)
    assert process.wait(timeout=20) == 0
    told = systemd.messages
    assert told[0].startswith("READY=1\nWATCHDOG=1\n")
    assert sum("READY=1" in message for message in told) == 1
    assert sum("WATCHDOG=1" in message for message in told) >= 1.5 / 0.2
    assert told[-1].startswith("STOPPING=1")


def test_nobody_is_ready_before_the_first_frame(start: Start, colours: Path, tmp_path: Path) -> None:
    """A camera that never delivers never makes the service ready, and ends with 74."""
    systemd = ServiceManager(str(tmp_path / "notify"))
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "a.jpg").write_text("no picture")
    env = {"NOTIFY_SOCKET": systemd.address, "WATCHDOG_USEC": "30000000"}
    process = start("run", "--model", colours, "--camera", f"photos:{tmp_path / 'broken'}", env=env)
    assert process.wait(timeout=20) == 74
    assert not any("READY=1" in message for message in systemd.messages)


def test_frames_too_seldom_for_the_watchdog_are_refused(
    labelcam: Labelcam, environment: dict[str, str], colours: Path, tmp_path: Path, the_error: Callable[[str], str]
) -> None:
    """A frame interval above a third of WATCHDOG_USEC is a mistake in the settings: 78, before systemd kills us."""
    settings = tmp_path / "labelcam.toml"
    settings.write_text("[limits]\nmax_fps = 1\n")
    env = environment | {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "2000000"}
    done = labelcam("run", "--settings", settings, "--model", colours, "--camera", "v4l2:/dev/null", env=env)
    assert done.returncode == 78
    assert "too seldom for a watchdog of 2 s" in the_error(done.stderr)


def test_a_slow_source_is_too_seldom_as_well(
    labelcam: Labelcam, environment: dict[str, str], colours: Path, tmp_path: Path, the_error: Callable[[str], str]
) -> None:
    """The rate that the camera's name asks for counts, not only max_fps."""
    env = environment | {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "2000000"}
    done = labelcam("run", "--model", colours, "--camera", "synthetic:64x48@0.5", env=env)
    assert done.returncode == 78
    assert "a frame every 2 s" in the_error(done.stderr)


def test_a_service_manager_that_does_not_read_delays_nothing(start: Start, colours: Path, tmp_path: Path) -> None:
    """The kernel queues ten messages; the frames after that must not wait for a reader."""
    deaf = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    deaf.bind(str(tmp_path / "notify"))
    env = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "300000"}
    process = start("run", "--model", colours, "--camera", "synthetic:64x48@30", "--seconds", "2", env=env)
    assert process.wait(timeout=10) == 0


def test_a_notify_socket_that_is_gone_does_not_end_the_daemon(
    labelcam: Labelcam, environment: dict[str, str], colours: Path, tmp_path: Path
) -> None:
    """A stale NOTIFY_SOCKET, as containers inherit it, is no reason to die (sd_notify(3) ignores it too)."""
    env = environment | {"NOTIFY_SOCKET": str(tmp_path / "gone")}
    done = labelcam("run", "--model", colours, "--camera", "synthetic:8x6", "--frames", "3", env=env)
    assert done.returncode == 0, done.stderr


def test_a_slow_reader_gets_every_reading_of_a_finite_source(environment: dict[str, str], colours: Path) -> None:
    """More readings than any queue holds reach a reader that takes its time, also after the last frame."""
    run = f"{shlex.quote(sys.executable)} -m labelcam run --json --model {colours} --camera synthetic:8x6 --frames 600"
    slow = "while read -r line; do echo; sleep 0.006; done | wc -l"
    done = subprocess.run(
        ["bash", "-c", f"{run} | {slow}"], env=environment, capture_output=True, text=True, check=True, timeout=60
    )
    assert int(done.stdout) == 600


def test_a_time_limit_holds_although_nobody_reads(environment: dict[str, str], colours: Path) -> None:
    """`--seconds` ends the run even where a finite source would wait for its reader."""
    command = [sys.executable, "-m", "labelcam", "run", "--json", "--model", colours, "--camera", "synthetic:8x6"]
    begun = time.monotonic()
    with subprocess.Popen(
        [*command, "--seconds", "1"], env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as daemon:
        daemon.wait(timeout=15)
    assert time.monotonic() - begun < 6


@pytest.mark.parametrize("arguments", ["run --json --model {} --camera synthetic:8x6", "defaults", "classify {} {}"])
def test_a_full_disk_on_stdout_is_an_error(labelcam: Labelcam, colours: Path, arguments: str) -> None:
    """Results that could not be written are never reported as success, and never as a traceback."""
    with Path("/dev/full").open("w") as full:
        words = arguments.format(colours, colours).split()
        done = labelcam(*words, stdout=full, stderr=subprocess.PIPE, capture_output=False)
    assert done.returncode == 1
    assert "labelcam: " in done.stderr
    assert "Traceback" not in done.stderr
