# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Self

import numpy as np
import pytest

from labelcam.camera import Absence, BadFrame, Camera, CameraAway, CameraLost, EndOfFrames
from labelcam.capture import Capture
from labelcam.classifier import Classifier
from labelcam.decision import Decider
from labelcam.model_file import ModelFile
from labelcam.pipeline import Pipeline, Prepared
from labelcam.records import Frame
from labelcam.runtime import Array
from labelcam.settings import DecisionSettings


class Numbered:
    """A camera whose frame number N is N grey; `act` may fail or hang before a frame, None ends it."""

    def __init__(self, live: bool, act: Callable[[int], None] = lambda _: None, pause_s: float = 0.002) -> None:
        self.live, self.skipped, self.closed = live, 0, False
        self._act, self._pause_s, self._count = act, pause_s, 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.closed = True

    def capture(self) -> Frame:
        time.sleep(self._pause_s)
        self._act(self._count)
        self._count += 1
        return Frame(np.full((6, 8, 3), (self._count - 1) % 256, np.uint8), time.monotonic_ns())


@pytest.fixture(scope="session")
def classifier(colours: Path) -> Classifier:
    return Classifier(ModelFile.load(colours))


class Watched(Pipeline):
    """A pipeline that notes what is written into its network."""

    def __init__(self, classifier: Classifier) -> None:
        super().__init__(classifier, Decider(DecisionSettings(), classifier.labels))
        self.seen: list[int] = []

    def write(self, array: Array) -> None:
        assert array.min() == array.max(), "half of one frame, half of another"
        self.seen.append(int(array.max()))


@contextmanager
def taking(
    camera: Camera, classifier: Classifier, timeout_s: float = 1.0
) -> Iterator[Callable[[], tuple[Prepared, int]]]:
    """Take frames one by one: what is known of each, and which it really was."""
    pipeline = Watched(classifier)
    with Capture(camera, pipeline, timeout_s) as capture:

        def take() -> tuple[Prepared, int]:
            prepared = capture.take(lambda: False)
            assert isinstance(prepared, Prepared)
            return prepared, pipeline.seen[-1]

        yield take


def end_at(number: int) -> Callable[[int], None]:
    def act(count: int) -> None:
        if count == number:
            raise EndOfFrames

    return act


def test_a_live_camera_drops_what_is_stale(classifier: Classifier) -> None:
    """A slow consumer gets the newest frame; what was replaced is counted, and the gaps in seq are that count."""
    with taking(Numbered(live=True), classifier) as take:
        found = []
        for _ in range(8):
            time.sleep(0.02)
            found.append(take()[0])
    assert sum(prepared.dropped for prepared in found) > 10
    for before, now in pairwise(found):
        assert now.seq - before.seq == now.dropped + 1
        assert now.taken_ns > before.taken_ns


def test_losses_can_be_added_up_while_frames_are_lost(classifier: Classifier) -> None:
    """Whoever asks has a copy: a new reason would otherwise end the daemon while it counts them."""
    with Capture(Numbered(live=True), Watched(classifier), 1.0) as capture:
        first = wait_for_losses(capture)
        assert capture.dropped is not first
        while capture.dropped == first:
            time.sleep(0.005)


def wait_for_losses(capture: Capture) -> dict[str, int]:
    until_s = time.monotonic() + 10
    while not (found := capture.dropped):
        assert time.monotonic() < until_s
        time.sleep(0.005)
    return found


def test_a_frame_is_never_older_than_one_period(classifier: Classifier) -> None:
    """However long the consumer was away, what it takes was captured just now."""
    with taking(Numbered(live=True, pause_s=0.01), classifier) as take:
        take()
        time.sleep(0.3)
        prepared, _ = take()
        assert time.monotonic_ns() - prepared.taken_ns < 100_000_000


def test_pixels_and_records_belong_together(classifier: Classifier) -> None:
    """The two arrays change places at full speed, and still each number comes with its own pixels."""
    with taking(Numbered(live=True, pause_s=0), classifier) as take:
        for _ in range(300):
            prepared, shown = take()
            assert shown == prepared.seq % 256


def test_a_pulled_camera_never_drops(classifier: Classifier) -> None:
    """Every frame of a finite source arrives once, in order, whatever the consumer's pace."""
    with taking(Numbered(live=False, act=end_at(40)), classifier) as take:
        for number in range(40):
            if number % 10 == 0:
                time.sleep(0.02)
            prepared, shown = take()
            assert (prepared.seq, prepared.dropped, shown) == (number, 0, number)
        with pytest.raises(EndOfFrames):
            take()


def test_what_was_captured_before_a_failure_still_arrives(classifier: Classifier) -> None:
    """The last frame is not lost because the camera failed behind it."""

    def fail(count: int) -> None:
        if count == 3:
            raise CameraLost("the cable is out")

    with taking(Numbered(live=False, act=fail), classifier) as take:
        assert [take()[1] for _ in range(3)] == [0, 1, 2]
        with pytest.raises(CameraLost, match="the cable is out"):
            take()


def test_any_failure_of_the_thread_reaches_the_caller(classifier: Classifier) -> None:
    """A bug in a camera ends the program, not only the thread nobody watches."""

    def fail(_: int) -> None:
        raise ZeroDivisionError("a bug")

    with taking(Numbered(live=True, act=fail), classifier) as take, pytest.raises(ZeroDivisionError, match="a bug"):
        take()


def test_a_camera_that_hangs_is_lost_in_time(classifier: Classifier) -> None:
    """The time-out and a second of grace decide; a hung driver is not released, which would hang."""
    released = threading.Event()
    camera = Numbered(live=True, act=lambda count: released.wait(20) if count else None)
    begun = time.monotonic()
    with taking(camera, classifier, timeout_s=0.3) as take:
        take()
        with pytest.raises(CameraLost, match=r"no frame for 1\.3 s"):
            take()
    assert time.monotonic() - begun < 4
    assert not camera.closed
    released.set()


def test_a_bad_frame_is_dropped_with_its_reason(classifier: Classifier) -> None:
    """It counts among the dropped of the next frame, and no number is given twice; a pulled camera goes on as well."""

    def spoil(count: int) -> None:
        if count == 2 and not spoilt:
            spoilt.append(count)
            raise BadFrame("corrupt", "cannot be decoded")

    spoilt: list[int] = []
    with Capture(Numbered(live=False, act=spoil), Watched(classifier), 1.0) as capture:
        found = [capture.take(lambda: False) for _ in range(4)]
        assert [(prepared.seq, prepared.dropped) for prepared in found] == [(0, 0), (1, 0), (3, 1), (4, 0)]
        assert capture.dropped == {"corrupt": 1}


def test_every_attempt_to_find_a_camera_is_told(classifier: Classifier) -> None:
    """While the camera is away, take() returns each attempt; afterwards frames again, in their order."""

    def away(count: int) -> None:
        if count == 2 and len(attempts) < 3:
            attempts.append(count)
            raise CameraAway(Absence("unplugged", 1.0, 0.05))

    attempts: list[int] = []
    with Capture(Numbered(live=False, act=away), Watched(classifier), 1.0) as capture:
        found = [capture.take(lambda: False) for _ in range(7)]
    assert [isinstance(item, Absence) for item in found] == [False, False, True, True, True, False, False]


def test_a_search_that_hangs_is_a_lost_camera(classifier: Classifier) -> None:
    """A driver that never returns from being opened once more is noticed, for no attempt is heard of any more."""
    released, told = threading.Event(), []

    def act(count: int) -> None:
        if count == 1 and not told:
            told.append(count)
            raise CameraAway(Absence("unplugged", 1.0, 0.0))
        if count == 1:
            released.wait(20)

    with Capture(Numbered(live=True, act=act), Watched(classifier), 0.2) as capture:
        capture.take(lambda: False)
        assert isinstance(capture.take(lambda: False), Absence)
        with pytest.raises(CameraLost, match=r"no frame for 1\.4 s"):
            capture.take(lambda: False)
    released.set()


def test_the_first_frame_may_take_longer(classifier: Classifier, monkeypatch: pytest.MonkeyPatch) -> None:
    """Until the first frame has come, a minute is allowed, and then the camera is lost as well."""
    monkeypatch.setattr("labelcam.capture.FIRST_FRAME_S", 1.5)
    released = threading.Event()
    with (
        pytest.raises(CameraLost, match=r"no frame for 1\.5 s"),
        taking(Numbered(live=True, act=lambda _: released.wait(20)), classifier, timeout_s=0.1) as take,
    ):
        take()
    released.set()


@pytest.mark.parametrize("live", [True, False])
def test_stopping_is_prompt_and_frees_the_camera(classifier: Classifier, live: bool) -> None:
    """take() answers a stop within a fraction of a second, and leaving the block closes the camera once."""
    camera = Numbered(live=live, pause_s=0.05)
    begun = time.monotonic()
    with Capture(camera, Watched(classifier), 10.0) as capture:
        capture.take(lambda: False)
        assert capture.take(lambda: True) is None or live
    assert camera.closed
    assert time.monotonic() - begun < 1.0
    assert not any(thread.name == "capture" for thread in threading.enumerate())


@pytest.mark.parametrize("live", [True, False])
def test_another_pipeline_takes_over_between_two_frames(classifier: Classifier, live: bool) -> None:
    """Frames that wait are read by the pipeline they were prepared for, later ones by the other; none is missing."""
    one, other = Watched(classifier), Watched(classifier)
    found: list[Prepared] = []
    with Capture(Numbered(live=live, pause_s=0.01), one, 5.0) as capture:
        while len(found) < 12:
            if len(found) == 5:
                capture.switch(other)
            prepared = capture.take(lambda: False)
            assert isinstance(prepared, Prepared)
            found.append(prepared)
    whose = [prepared.pipeline is other for prepared in found]
    assert whose == sorted(whose)
    assert whose.index(True) <= 7
    assert len(one.seen) + len(other.seen) == 12
    for before, now in pairwise(found):
        assert now.seq - before.seq == now.dropped + 1


def test_numbers_go_on_after_another_camera(classifier: Classifier) -> None:
    """A camera that takes another's place counts from where that one was."""
    with Capture(Numbered(live=False), Watched(classifier), 5.0, first_seq=41) as capture:
        prepared = capture.take(lambda: False)
        assert isinstance(prepared, Prepared)
        assert prepared.seq == 41
    assert capture.left().next_seq == 42
