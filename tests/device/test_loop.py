# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The daemon's loop in this process: real networks and cameras, and changes that come exactly when a test wants."""

import threading
import time
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Self

import numpy as np
import pytest

from brittle_network import brittle_network
from labelcam import loop, running
from labelcam.camera import EndOfFrames
from labelcam.classifier import Classifier
from labelcam.daemon import serve
from labelcam.ending import Ending, Outcome
from labelcam.errors import InferenceFailed, LabelcamError, ModelFileError, SettingsError
from labelcam.images import Pixels
from labelcam.pictures import Pictures
from labelcam.pipeline import Pipeline
from labelcam.plan import Plan, Planner
from labelcam.publish import Publisher
from labelcam.publishing import Outlet
from labelcam.records import Frame, ModelCard, Notice, Reading
from labelcam.reload import Reloader
from labelcam.runtime import Array
from labelcam.settings import Settings, settings_from_toml
from pictures_on_disk import write_png

DIM, BRIGHT = {"red": (150, 30, 20), "green": (20, 150, 30), "blue": (30, 20, 150)}, (250, 30, 20)


class Keeper(Publisher):
    """Keeps everything that it is told, in order."""

    name = "keeper"

    def __init__(self, pause_s: float = 0.0) -> None:
        self._pause_s = pause_s
        self.told: list[Reading | Notice | ModelCard] = []

    @property
    def readings(self) -> list[Reading]:
        return [item for item in self.told if isinstance(item, Reading)]

    def wants(self, reading: Reading) -> bool:  # noqa: ARG002, every one
        time.sleep(self._pause_s)
        return True

    def publish(self, reading: Reading) -> None:
        self.told.append(reading)

    def introduce(self, card: ModelCard) -> None:
        self.told.append(card)

    def notice(self, notice: Notice) -> None:
        self.told.append(notice)


class Counted(Pipeline):
    """Counts what all pipelines have prepared."""

    prepared = 0

    def prepare(self, frame: Frame, out: Array) -> tuple[Pixels, bool]:
        done = super().prepare(frame, out)
        Counted.prepared += 1
        return done


class Scripted(Reloader):
    """Has each change ready after so many frames, when the next one already waits."""

    def __init__(self, planner: Planner, changes: dict[int, Callable[[], None]]) -> None:
        super().__init__(planner)
        self._plans, self._changes, self._frames = planner, changes, 0
        Counted.prepared = 0

    def poll(self, running: Plan) -> Plan | LabelcamError | None:
        self._frames += 1
        if change := self._changes.get(self._frames):
            until_s = time.monotonic() + 20
            while Counted.prepared <= self._frames:
                assert time.monotonic() < until_s
                time.sleep(0.001)
            change()
            return self._plans.plan(running)
        return None


class Appliance:
    """A daemon whose settings can be rewritten."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.text = folder, ""
        self.keeper, self.outcome = Keeper(), None

    def settings(self) -> Settings:
        return settings_from_toml(self.text)

    def configure(self, model: Path, camera: str, *sections: str) -> None:
        self.text = "\n".join((f'[model]\npath = "{model}"\n[camera]\nsource = "{camera}"', *sections))

    def photos(self, *colours: Sequence[int]) -> str:
        """A folder of pictures, one of each colour."""
        folder = self.folder / f"photos{len(list(self.folder.glob('photos*')))}"
        folder.mkdir()
        for number, colour in enumerate(colours):
            write_png(folder / f"{number:03}.png", np.full((6, 8, 3), colour, np.uint8))
        return f"photos:{folder}"

    def run(self, changes: dict[int, Callable[[], None]] | None = None, **ending: int) -> Outcome:
        planner = Planner(self.settings, lambda _: [Outlet("keeper", (), lambda: self.keeper)])
        return serve(planner.plan(), Scripted(planner, changes or {}), Pictures(), Ending(**ending))


@pytest.fixture
def appliance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Appliance:
    monkeypatch.setattr(running, "Pipeline", Counted)
    return Appliance(tmp_path)


@pytest.fixture
def brittle(tmp_path: Path) -> Path:
    """A model that its interpreter fails on when a picture is bright."""
    path = tmp_path / "brittle.tflite"
    path.write_bytes(brittle_network())
    path.with_suffix(".txt").write_text("rot\ngruen\nblau\n")
    return path


def whole(readings: list[Reading]) -> None:
    """No number is missing or given twice."""
    for before, now in pairwise(readings):
        assert now.seq - before.seq == now.dropped + 1


def test_an_interpreter_that_cannot_be_built_anew_is_a_failure_that_a_restart_may_mend(
    appliance: Appliance, brittle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Want of memory, perhaps: exit code 1, not 78, and what was seen before is accounted for and leaves."""

    def no_memory(_: Classifier) -> None:
        raise ModelFileError("brittle.tflite: the interpreter refuses it (no memory)")

    monkeypatch.setattr(Classifier, "rebuild", no_memory)
    appliance.configure(brittle, appliance.photos(DIM["red"], BRIGHT, DIM["red"]), "[decision]\nthreshold = 0.2")
    outcome = appliance.run()
    assert isinstance(outcome.failure, InferenceFailed)
    assert outcome.failure.exit_code == 1
    assert "no memory" in str(outcome.failure)
    assert outcome.summary.frames == 1
    (notice,) = (item for item in appliance.keeper.told if isinstance(item, Notice))
    assert notice.event
    assert notice.event.type == "leave"


class Directed:
    """A live camera that follows a script: a colour is a frame, an event is waited for."""

    live, skipped = True, 0

    def __init__(self, *script: "Sequence[int] | threading.Event") -> None:
        self._script = list(script)
        self.ended = threading.Event()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None: ...

    def capture(self) -> Frame:
        while self._script:
            step = self._script.pop(0)
            if not isinstance(step, threading.Event):
                return Frame(np.full((6, 8, 3), step, np.uint8), time.monotonic_ns())
            self.ended.set()
            assert step.wait(20)
        raise EndOfFrames


def test_a_frame_that_fails_takes_the_lost_ones_before_it_along(
    appliance: Appliance, brittle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next reading tells of them all: numbers and losses add up."""
    begun, failed = threading.Event(), threading.Event()
    red = DIM["red"]
    camera = Directed(red, begun, red, red, BRIGHT, failed, red)
    rebuild = Classifier.rebuild

    def noted(classifier: Classifier) -> None:
        rebuild(classifier)
        failed.set()

    class Slow(Keeper):
        def wants(self, reading: Reading) -> bool:
            if reading.seq == 0:
                camera.ended.wait(20)
                camera.ended.clear()
                begun.set()
                assert camera.ended.wait(20), "two frames are to become stale"
            return True

    monkeypatch.setattr(Classifier, "rebuild", noted)
    monkeypatch.setattr(running, "open_settings_camera", lambda *_: camera)
    appliance.keeper = Slow()
    appliance.configure(brittle, "synthetic:8x6@10")
    outcome = appliance.run()
    assert outcome.summary.dropped_reasons == {"failed": 1, "stale": 2}
    assert [(reading.seq, reading.dropped) for reading in appliance.keeper.readings] == [(0, 0), (4, 3)]
    assert outcome.summary.dropped == 3


def test_what_a_camera_lost_before_it_was_left_is_told_by_the_next_one(
    appliance: Appliance, colours: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is counted once, under a number of its own; the frame that waited was none for anybody."""
    begun, over, red, green = threading.Event(), threading.Event(), DIM["red"], DIM["green"]
    left = Directed(red, begun, red, red, red, over)
    cameras = iter([left, Directed(green)])

    class Slow(Keeper):
        def wants(self, reading: Reading) -> bool:
            if reading.seq == 0:
                left.ended.wait(20)
                left.ended.clear()
                begun.set()
                assert left.ended.wait(20), "two frames are to become stale, and one is to wait"
            return True

    monkeypatch.setattr(running, "open_settings_camera", lambda *_: next(cameras))
    appliance.keeper = Slow()
    appliance.configure(colours, "synthetic:8x6@10")
    outcome = appliance.run({1: lambda: appliance.configure(colours, "synthetic:8x6@11")})
    over.set()
    assert outcome.summary.dropped_reasons == {"stale": 2}
    assert outcome.summary.dropped == 2
    assert [(reading.seq, reading.dropped) for reading in appliance.keeper.readings] == [(0, 0), (3, 2)]


def test_a_failure_of_the_model_before_is_not_held_against_the_new_one(
    appliance: Appliance, brittle: Path, colours: Path
) -> None:
    """A frame that was prepared for the one before is still answered by it, whatever comes of that."""
    appliance.configure(brittle, appliance.photos(DIM["red"], BRIGHT, DIM["red"], BRIGHT, BRIGHT))
    camera = appliance.settings().camera.source
    outcome = appliance.run({1: lambda: appliance.configure(colours, camera)})
    assert [reading.decision.top[0].label for reading in appliance.keeper.readings] == ["rot", "red", "red", "red"]
    assert "model" not in outcome.summary.remarks
    assert outcome.summary.model == "colours"
    assert outcome.summary.dropped_reasons == {"failed": 1}
    whole(appliance.keeper.readings)


def test_a_plan_that_builds_on_what_runs_no_more_is_made_anew(appliance: Appliance, colours: Path) -> None:
    """A model that is sent back while a reload prepares does not come again by it."""
    may_read = threading.Semaphore(1)

    def read() -> Settings:
        assert may_read.acquire(timeout=20)
        return appliance.settings()

    appliance.configure(colours, "synthetic:8x6")
    planner = Planner(read, lambda _: [])
    before = planner.plan()
    after = before.with_model_of(planner_of(appliance).plan())
    reloader = Reloader(planner)
    reloader.request()
    assert reloader.poll(before) is None
    may_read.release(2)
    found = polled(reloader, after)
    assert isinstance(found, Plan)
    assert found.classifier is after.classifier
    assert reloader.poll(found) is None


class Failing(Keeper):
    """Fails on its first reading."""

    def publish(self, reading: Reading) -> None:  # noqa: ARG002, whichever
        raise ZeroDivisionError("a bug")


def test_a_publisher_that_failed_for_good_is_remarked(
    appliance: Appliance, colours: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The daemon goes on without it, and says so every minute wherever the account is shown."""
    monkeypatch.setattr(loop, "MINUTE_S", 0.0)
    appliance.keeper = Failing()
    appliance.configure(colours, appliance.photos(DIM["red"]) + "?fps=50&loop")
    outcome = appliance.run(frames=50)
    assert outcome.summary.remarks == {"publishers": "keeper failed for good; see the log, and reload"}


def test_a_publisher_that_failed_for_good_is_made_anew_by_a_reload(appliance: Appliance, colours: Path) -> None:
    """Although nothing about it has changed."""
    made: list[Keeper] = []

    def make() -> Keeper:
        made.append(Keeper() if made else Failing())
        return made[-1]

    def wait_for_the_end() -> None:
        until_s = time.monotonic() + 20
        while not made[0].ended:
            assert time.monotonic() < until_s
            time.sleep(0.01)

    appliance.configure(colours, appliance.photos(*[DIM["red"]] * 6))
    planner = Planner(appliance.settings, lambda _: [Outlet("keeper", (), make)])
    serve(planner.plan(), Scripted(planner, {3: wait_for_the_end}), Pictures(), Ending())
    assert [reading.seq for reading in made[1].readings] == [3, 4, 5]


def planner_of(appliance: Appliance) -> Planner:
    return Planner(appliance.settings, lambda _: [])


def polled(reloader: Reloader, running: Plan) -> Plan | LabelcamError:
    """Wait for what comes of a request."""
    until_s = time.monotonic() + 20
    while (found := reloader.poll(running)) is None:
        assert time.monotonic() < until_s
        time.sleep(0.01)
    return found


def test_no_frame_is_answered_by_a_model_that_was_sent_back(appliance: Appliance, brittle: Path, colours: Path) -> None:
    """Neither is one that waited while settings changed as well: it is lost, and counted."""
    camera = appliance.photos(DIM["red"], DIM["green"], DIM["blue"], BRIGHT, *[DIM["red"]] * 2)
    appliance.configure(colours, camera)
    changes = {
        1: lambda: appliance.configure(brittle, camera),
        3: lambda: appliance.configure(brittle, camera, "[decision]\ntop_k = 1"),
    }
    outcome = appliance.run(changes)
    assert [reading.decision.top[0].label for reading in appliance.keeper.readings][:3] == ["red", "green", "blau"]
    assert {reading.decision.top[0].label for reading in appliance.keeper.readings[3:]} == {"red"}
    assert "brittle was sent back" in outcome.summary.remarks["model"]
    whole(appliance.keeper.readings)


def test_what_was_there_leaves_with_the_model_that_saw_it(appliance: Appliance, brittle: Path, colours: Path) -> None:
    """The leave is told with the next model's first reading, so that everyone who reads readings hears of it."""
    camera = appliance.photos(*[DIM["red"]] * 6)
    appliance.configure(colours, camera, "[decision]\nthreshold = 0.2")
    appliance.run({1: lambda: appliance.configure(brittle, camera, "[decision]\nthreshold = 0.2")})
    events = [reading.decision.event for reading in appliance.keeper.readings]
    assert [event and (event.type, event.label) for event in events] == [
        *(("enter", "red"), None, ("leave", "red"), ("enter", "rot"), None, None)
    ]


def test_a_model_is_introduced_when_its_first_frame_comes(appliance: Appliance, brittle: Path, colours: Path) -> None:
    """Readings of the model before are not taken for its own."""
    camera = appliance.photos(*[DIM["red"]] * 5)
    appliance.configure(colours, camera)
    appliance.run({2: lambda: appliance.configure(brittle, camera)})
    now, seen = "", []
    for item in appliance.keeper.told:
        if isinstance(item, ModelCard):
            now = item.name
        elif isinstance(item, Reading):
            seen.append((now, item.decision.top[0].label))
    assert seen == [*[("colours", "red")] * 3, *[("brittle", "rot")] * 2]


def test_a_camera_that_hangs_can_be_replaced_by_a_reload(
    appliance: Appliance, colours: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever mends the settings does not wait until it is given up."""
    mended, seen = threading.Event(), threading.Event()

    class Seeing(Keeper):
        def wants(self, reading: Reading) -> bool:
            seen.set()
            return super().wants(reading)

    appliance.keeper = Seeing()
    hanging = Directed(DIM["red"], mended)
    opened = running.open_settings_camera
    cameras = [hanging]
    monkeypatch.setattr(running, "open_settings_camera", lambda *how: cameras.pop() if cameras else opened(*how))
    appliance.configure(colours, "synthetic:8x6@10")
    planner = Planner(appliance.settings, lambda _: [Outlet("keeper", (), lambda: appliance.keeper)])
    plan, reloader = planner.plan(), Reloader(planner)

    def mend() -> None:
        assert seen.wait(20)
        assert hanging.ended.wait(20)
        appliance.configure(colours, appliance.photos(*[DIM["blue"]] * 3))
        reloader.request()

    threading.Thread(target=mend).start()
    begun_s = time.monotonic()
    serve(plan, reloader, Pictures(), Ending())
    mended.set()
    assert time.monotonic() - begun_s < 9, "it was waited for until its time was over"
    assert [reading.decision.top[0].label for reading in appliance.keeper.readings] == ["red", *["blue"] * 3]


def test_the_pis_camera_is_not_opened_again_by_a_detour(appliance: Appliance, colours: Path) -> None:
    """Leaving it for another camera is one thing; to come back is for a new process: libcamera leaks otherwise."""
    planner = planner_of(appliance)
    appliance.configure(colours, "picamera2")
    first = planner.plan()
    appliance.configure(colours, "picamera2:1")
    with pytest.raises(SettingsError, match="opened once in a process's life"):
        planner.plan(first)
    appliance.configure(colours, "synthetic:8x6@10")
    second = planner.plan(first)
    appliance.configure(colours, "picamera2")
    with pytest.raises(SettingsError, match="opened once in a process's life"):
        planner.plan(second)


def test_another_camera_sees_another_scene(appliance: Appliance, colours: Path) -> None:
    """What the one before saw leaves, also where the new one sees the same."""
    one, other = (appliance.photos(*[DIM["red"]] * 3) for _ in range(2))
    appliance.configure(colours, one, "[decision]\nthreshold = 0.2")
    appliance.run({2: lambda: appliance.configure(colours, other, "[decision]\nthreshold = 0.2")})
    events = [reading.decision.event for reading in appliance.keeper.readings]
    assert [event and event.type for event in events] == ["enter", None, "leave", "enter", None]


def test_a_finite_source_does_not_begin_anew(appliance: Appliance, colours: Path) -> None:
    """What concerns real cameras alone leaves a folder of photographs where it is."""
    camera = appliance.photos(*[DIM["red"]] * 6)
    appliance.configure(colours, camera)
    appliance.run({2: lambda: appliance.configure(colours, camera, "timeout_seconds = 20", "[limits]\nmax_fps = 5")})
    assert [reading.source for reading in appliance.keeper.readings] == [f"{number:03}.png" for number in range(6)]
