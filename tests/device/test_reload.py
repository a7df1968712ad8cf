# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0

import hashlib
import json
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from brittle_network import brittle_network
from edgetpu_library import Stick, soon
from mosquitto import Broker, Observer, eventually
from pictures_on_disk import write_png

Start = Callable[..., "subprocess.Popen[str]"]
Pack = Callable[[bytes, dict[str, str | bytes], Path], Path]

DIM = {"1_red": (150, 30, 20), "2_green": (20, 150, 30), "3_blue": (30, 20, 150)}
BRIGHT = (250, 30, 20)


class Daemon:
    """`labelcam run --json` in a process of its own, whose settings a test can rewrite."""

    def __init__(self, start: Start, folder: Path, model: Path, camera: str) -> None:
        self.settings, self.model, self.log = folder / "labelcam.toml", folder / "live.tflite", folder / "stderr"
        shutil.copy(model, self.model)
        self.camera = camera
        self.configure()
        with self.log.open("w") as log:
            self.process = start("run", "--settings", self.settings, "--json", "--summary", self.summary, stderr=log)
        self.readings: list[dict[str, Any]] = []

    @property
    def summary(self) -> Path:
        return self.settings.with_name("summary.json")

    def configure(self, *sections: str, camera: str | None = None) -> None:
        """Write the settings: model and camera, and what else a test needs."""
        head = f'[model]\npath = "{self.model}"\n'
        self.settings.write_text(head + f'[camera]\nsource = "{camera or self.camera}"\n' + "\n".join(sections))

    def reload(self, *, said: str) -> None:
        """Ask for it, and read on until the log has the answer."""
        self.process.send_signal(signal.SIGHUP)
        self.read_until(lambda: said in self.log.read_text())

    def read(self) -> dict[str, Any]:
        assert self.process.stdout
        line = self.process.stdout.readline()
        assert line, self.log.read_text()
        self.readings.append(json.loads(line))
        return self.readings[-1]

    def read_until(self, done: Callable[[], bool], seconds: float = 30.0) -> None:
        until_s = time.monotonic() + seconds
        while not done():
            assert time.monotonic() < until_s, self.log.read_text()
            self.read()

    def labels(self, count: int) -> list[str]:
        """The labels of the next readings."""
        return [self.read()["label"] for _ in range(count)]

    def end(self) -> dict[str, Any]:
        """Stop it; return its summary."""
        self.process.send_signal(signal.SIGTERM)
        self.process.communicate(timeout=20)
        assert self.process.returncode == 0, self.log.read_text()
        return dict(json.loads(self.summary.read_text()))


Begin = Callable[..., Daemon]


@pytest.fixture
def begin(start: Start, tmp_path: Path, colours: Path) -> Iterator[Begin]:
    """Start a daemon on the toy model; it has read its first frame."""

    def make(camera: str = "synthetic:64x48@10", model: Path = colours) -> Daemon:
        daemon = Daemon(start, tmp_path, model, camera)
        daemon.read()
        return daemon

    return make


@pytest.fixture
def in_german(pack: Pack, colours: Path, colour_entries: dict[str, str | bytes], tmp_path: Path) -> Path:
    """The same network with other labels."""
    data = colours.read_bytes()
    flatbuffer = data[: data.index(b"PK\x03\x04")]
    return pack(flatbuffer, colour_entries | {"labels.txt": "rot\ngruen\nblau\n"}, tmp_path / "german.tflite")


def whole(readings: list[dict[str, Any]]) -> None:
    """No number is missing or given twice."""
    for before, now in pairwise(readings):
        assert now["seq"] - before["seq"] == now["dropped"] + 1


def test_settings_change_without_a_gap(begin: Begin) -> None:
    """After SIGHUP new settings rule, the numbers go on, and no more than two frames are lost over it."""
    daemon = begin()
    assert len(daemon.read()["top"]) == 3
    daemon.configure("[decision]", "top_k = 1")
    daemon.reload(said="reloaded")
    daemon.read_until(lambda: len(daemon.readings[-1]["top"]) == 1)
    daemon.labels(5)
    whole(daemon.readings)
    assert sum(reading["dropped"] for reading in daemon.readings) <= 2
    assert daemon.end()["remarks"] == {}


def test_a_new_model_takes_over(begin: Begin, in_german: Path) -> None:
    """A model file that was replaced goes live by SIGHUP, without a gap, and its name is told."""
    daemon = begin()
    assert set(daemon.labels(3)) <= {"red", "green", "blue"}
    in_german.replace(daemon.model)
    daemon.reload(said="reloaded model=live")
    daemon.read_until(lambda: daemon.readings[-1]["label"] in ("rot", "gruen", "blau"))
    assert set(daemon.labels(5)) <= {"rot", "gruen", "blau"}
    whole(daemon.readings)
    daemon.end()


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda daemon: daemon.settings.write_text("[limits]\nmax_pfs = 5"), "did you mean 'max_fps'?"),
        (lambda daemon: daemon.settings.write_text("[limits"), "not valid TOML"),
        (lambda daemon: daemon.model.write_bytes(daemon.model.read_bytes()[:-200]), "copy it again"),
        (lambda daemon: daemon.model.unlink(), "No such file"),
        (lambda daemon: daemon.configure("[model.x]"), "no setting 'x'"),
        (lambda daemon: daemon.configure('[decision]\nallow = ["redd"]'), "did you mean 'red'?"),
        (lambda daemon: daemon.configure(camera="fotos:x"), "did you mean 'photos'?"),
        (lambda daemon: daemon.configure(camera="photos:/none"), "/none: no such folder of images"),
        (lambda daemon: daemon.configure(camera="v4l2:/none"), "/none: no such camera; plug it in"),
        (lambda daemon: daemon.configure('[mqtt]\nhost = "x"\ntls = true\nca_file = "/none.pem"'), "mqtt.ca_file"),
    ],
)
def test_what_cannot_be_followed_is_refused(spoil: Callable[[Daemon], None], why: str, begin: Begin) -> None:
    """Bad settings, half a model, no camera: what ran goes on, and the reason is a remark and a line."""
    daemon = begin()
    spoil(daemon)
    daemon.reload(said="reload-refused")
    daemon.labels(3)
    whole(daemon.readings)
    (line,) = [line for line in daemon.log.read_text().splitlines() if "reload-refused" in line]
    assert why in line
    assert why in daemon.end()["remarks"]["settings"]


def test_a_model_that_fails_its_goldens_stays_outside(
    begin: Begin, pack: Pack, colours: Path, colour_entries: dict[str, str | bytes], tmp_path: Path
) -> None:
    """It does not answer here as it did where it was made."""
    data = colours.read_bytes()
    scores = json.loads(colour_entries["golden/scores.json"])
    swapped = {"red.png": scores["green.png"], "green.png": scores["red.png"]}
    entries = colour_entries | {"golden/scores.json": json.dumps(scores | swapped)}
    daemon = begin()
    pack(data[: data.index(b"PK\x03\x04")], entries, tmp_path / "liar.tflite").replace(daemon.model)
    daemon.reload(said="reload-refused")
    assert "2 of 4 goldens fail" in daemon.end()["remarks"]["settings"]


def test_another_camera_takes_over(begin: Begin, photographs: Path) -> None:
    """Numbers go on where the other's ended; the counts of both are in the summary."""
    daemon = begin()
    daemon.configure(camera=f"photos:{photographs}?fps=10&loop")
    daemon.reload(said="reloaded")
    daemon.read_until(lambda: daemon.readings[-1]["source"] == "3_blue.png")
    whole(daemon.readings)
    assert daemon.end()["frames"] >= len(daemon.readings)


def test_a_model_overwritten_in_place_does_no_harm(begin: Begin) -> None:
    """`cp` over a live model file truncates it first: what runs is in memory, and goes on."""
    daemon = begin()
    with daemon.model.open("r+b") as file:
        file.truncate(100)
    assert set(daemon.labels(10)) <= {"red", "green", "blue"}
    daemon.end()


@pytest.fixture
def brittle(tmp_path: Path) -> Path:
    """A model that its interpreter fails on when a picture is bright."""
    path = tmp_path / "brittle.tflite"
    path.write_bytes(brittle_network())
    path.with_suffix(".txt").write_text("rot\ngruen\nblau\n")
    return path


def pictures(folder: Path, bright: int) -> Path:
    folder.mkdir()
    for name, colour in DIM.items():
        write_png(folder / f"{name}.png", np.full((6, 8, 3), colour, np.uint8))
    for number in range(bright):
        write_png(folder / f"2_{number}_bright.png", np.full((6, 8, 3), BRIGHT, np.uint8))
    return folder


def test_a_model_that_fails_on_trial_is_sent_back(begin: Begin, brittle: Path, tmp_path: Path) -> None:
    """Within its health window one failure is enough: the model before answers again, and the reason is told."""
    daemon = begin(f"photos:{pictures(tmp_path / 'photos', 0)}?fps=20&loop")
    brittle.replace(daemon.model)
    brittle.with_suffix(".txt").replace(daemon.model.with_suffix(".txt"))
    daemon.reload(said="reloaded")
    daemon.read_until(lambda: daemon.readings[-1]["label"] == "rot")
    daemon.configure(camera=f"photos:{pictures(tmp_path / 'more', 1)}?fps=20&loop")
    daemon.process.send_signal(signal.SIGHUP)
    daemon.read_until(lambda: daemon.readings[-1]["label"] == "red")
    assert set(daemon.labels(8)) <= {"red", "green", "blue"}
    whole([reading for reading in daemon.readings if reading["label"] in ("red", "green", "blue")][-8:])
    summary = daemon.end()
    assert "live was sent back: live: the interpreter fails" in summary["remarks"]["model"]
    assert summary["dropped_reasons"]["failed"] == 1


def test_an_interpreter_that_fails_is_built_anew_once(
    labelcam: Callable[..., Any], brittle: Path, tmp_path: Path
) -> None:
    """One failure costs one frame; the account says so."""
    camera, summary = f"photos:{pictures(tmp_path / 'photos', 1)}", tmp_path / "summary.json"
    done = labelcam("run", "--model", brittle, "--camera", camera, "--json", "--summary", summary)
    assert done.returncode == 0, done.stderr
    assert "trying once more with a new interpreter" in done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert [reading["label"] for reading in found] == ["rot", "gruen", "blau"]
    account = json.loads(summary.read_text())
    assert (account["frames"], account["dropped"], account["dropped_reasons"]) == (3, 1, {"failed": 1})


def test_an_interpreter_that_fails_again_ends_the_daemon(
    labelcam: Callable[..., Any], brittle: Path, tmp_path: Path, the_error: Callable[[str], str]
) -> None:
    """It is started afresh then; what was seen before stands in the summary."""
    camera, summary = f"photos:{pictures(tmp_path / 'photos', 2)}", tmp_path / "summary.json"
    done = labelcam("run", "--model", brittle, "--camera", camera, "--summary", summary)
    assert done.returncode == 1
    assert "brittle: the interpreter fails" in the_error(done.stderr)
    assert json.loads(summary.read_text())["frames"] == 1


def test_a_model_that_is_too_slow_here_is_not_run(
    labelcam: Callable[..., Any], colours: Path, tmp_path: Path, the_error: Callable[[str], str]
) -> None:
    """What model.max_invoke_ms allows is measured before the first frame: exit code 3."""
    settings = tmp_path / "labelcam.toml"
    settings.write_text("[model]\nmax_invoke_ms = 0.00001\n")
    done = labelcam("run", "--settings", settings, "--model", colours, "--camera", "synthetic:64x48")
    assert done.returncode == 3
    assert "model.max_invoke_ms allows 1e-05" in the_error(done.stderr)


@pytest.fixture
def fails_its_golden(pack: Pack, brittle: Path, colour_entries: dict[str, str | bytes], tmp_path: Path) -> Path:
    """A model file whose network cannot even answer to its own goldens, which are bright."""
    network = brittle.read_bytes()
    manifest = json.loads(colour_entries["manifest.json"]) | {"flatbuffer_sha256": hashlib.sha256(network).hexdigest()}
    return pack(network, colour_entries | {"manifest.json": json.dumps(manifest)}, tmp_path / "fails.tflite")


def test_an_interpreter_that_fails_on_a_golden_is_a_gate_that_failed(
    labelcam: Callable[..., Any], fails_its_golden: Path, the_error: Callable[[str], str]
) -> None:
    """It is said in one line by `run` and by `check`, with exit code 3."""
    run = labelcam("run", "--model", fails_its_golden, "--camera", "synthetic:64x48")
    assert run.returncode == 3
    assert "the interpreter fails" in the_error(run.stderr)
    check = labelcam("check", "--model", fails_its_golden, "--camera", "synthetic:64x48")
    assert check.returncode == 3
    assert "FAIL goldens" in check.stdout


def test_sigterm_while_a_stick_hangs_at_the_start(
    start: Start, compiled: Callable[..., Path], stick: Stick, tmp_path: Path
) -> None:
    """A stick may be waited for half a minute; whoever stops the daemon meanwhile does not wait for it."""
    stick.behave("hang")
    settings = tmp_path / "labelcam.toml"
    settings.write_text(f'[runtime]\ndelegate = "edgetpu"\nedgetpu_library = "{stick.library}"\n')
    process = start(
        *("run", "--settings", settings, "--model", compiled(), "--camera", "synthetic:64x48@10"),
        env={"STAND_IN_DELEGATE": str(stick.told)},
    )
    assert soon(lambda: stick.openings > 0)
    begun_s = time.monotonic()
    process.send_signal(signal.SIGTERM)
    _, stderr = process.communicate(timeout=60)
    assert time.monotonic() - begun_s < 2
    assert (process.returncode, "Traceback" in stderr) == (0, False)


EVERYTHING = """
[mqtt]
host = "127.0.0.1"
port = {port}
readings = {odd}
[http]
enabled = true
port = 0
max_clients = {number}
[jsonl]
path = "{folder}/readings.{number}.jsonl"
socket = "{folder}/readings.{number}.sock"
[reservoir]
enabled = true
folder = "{folder}/kept"
every_seconds = {number}
[power]
hz = {number}
[decision]
top_k = {number}
"""


def taken(daemon: Daemon) -> tuple[int, int]:
    """How many threads and open files there are."""
    process = Path(f"/proc/{daemon.process.pid}")
    return len(list((process / "task").iterdir())), len(list((process / "fd").iterdir()))


def test_many_reloads_leave_nothing_behind(begin: Begin, broker: Broker, tmp_path: Path) -> None:
    """Model, decider, meter and every publisher anew each time; threads and open files are as many as before."""
    broker.start()
    daemon = begin("synthetic:64x48@50")

    def reload(number: int) -> None:
        shape = {"port": broker.port, "odd": str(number % 2 == 1).lower(), "number": number, "folder": tmp_path}
        daemon.configure(EVERYTHING.format(**shape))
        anew = f"max_invoke_ms = {number}e4\n[camera]"
        daemon.settings.write_text(daemon.settings.read_text().replace("[camera]", anew))
        done = daemon.log.read_text().count(" reloaded ")
        daemon.process.send_signal(signal.SIGHUP)
        daemon.read_until(lambda: daemon.log.read_text().count(" reloaded ") > done)

    reload(1)
    daemon.read_until(lambda: "mqtt-connected" in daemon.log.read_text() and "window-open" in daemon.log.read_text())
    threads, files = taken(daemon)
    for number in range(1, 22):
        reload(1 + number % 5)
    daemon.read_until(lambda: taken(daemon)[0] <= threads and taken(daemon)[1] <= files + 2)  # two more may come and go
    whole(daemon.readings)
    assert daemon.end()["remarks"] == {}


def test_an_mqtt_node_that_is_renamed_goes_offline(
    begin: Begin, broker: Broker, observe: Callable[..., Observer]
) -> None:
    """Under its old name; and one whose settings change otherwise is online at the end, not offline."""
    broker.start()
    observer = observe(broker.port)
    daemon = begin("synthetic:64x48@20")

    def connect(node: str, *, readings: bool) -> None:
        daemon.configure(
            f'[mqtt]\nhost = "127.0.0.1"\nport = {broker.port}\nnode = "{node}"\nreadings = {str(readings).lower()}'
        )
        daemon.process.send_signal(signal.SIGHUP)

    def said(node: str) -> list[str]:
        return observer.told(f"labelcam/{node}/availability")

    connect("attic", readings=False)
    daemon.read_until(lambda: said("attic") == ["online"])
    connect("attic", readings=True)
    daemon.read_until(lambda: said("attic") == ["online", "offline", "online"])
    connect("cellar", readings=True)
    daemon.read_until(lambda: said("attic")[-1] == "offline" and said("cellar") == ["online"])
    daemon.end()
    eventually(lambda: said("cellar")[-1] == "offline", "the last word")
