# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""V4L2 cameras from plugging in to pulling out: a scripted device stands in for OpenCV's, all else is the real code."""

import time
from collections.abc import Callable, Iterator
from itertools import count, pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest

from labelcam.camera import BadFrame, CameraAway, CameraLost, Patience
from labelcam.camera.absence import SLOWEST_RETRY_S, Search
from labelcam.camera.pace import Rate
from labelcam.camera.reconnecting import Reconnecting
from labelcam.camera.v4l2 import V4L2
from labelcam.capture import Capture
from labelcam.classifier import Classifier
from labelcam.decision import Decider
from labelcam.model_file import ModelFile
from labelcam.pipeline import Pipeline, Prepared
from labelcam.preprocess import Size
from labelcam.settings import DecisionSettings

FLAT = np.zeros((1, 921600), np.uint8)


class Device:
    """A camera of 20 frames a second, as cv2.VideoCapture shows one; a test pulls its plug or spoils its frames."""

    def __init__(self, *formats: str, flat: tuple[str, ...] = ()) -> None:
        self.formats, self.flat = formats or ("YUYV",), flat
        self.plugged, self.buffered = True, 0
        self.opened = self.released = self.grabs = 0
        self.frame: Callable[[int], np.ndarray | None] = lambda number: np.full((480, 640, 3), number, np.uint8)
        self.stamp_ms = 0.0
        self.asked: dict[int, float] = {}
        self.interval_s = 0.05

    def __call__(self, name: str, backend: int) -> "Device":
        assert (Path(name).name, backend) == ("video0", cv2.CAP_V4L2)
        self.opened += 1
        self.asked = {cv2.CAP_PROP_FOURCC: cv2.VideoWriter.fourcc(*"BGR3")}
        return self

    def isOpened(self) -> bool:  # noqa: N802, OpenCV's name
        return self.plugged

    def set(self, what: int, value: float) -> bool:
        if what == cv2.CAP_PROP_FOURCC and self._name(value) not in self.formats:
            return False
        self.asked[what] = value
        return True

    def get(self, what: int) -> float:
        return self.stamp_ms if what == cv2.CAP_PROP_POS_MSEC else self.asked.get(what, 0.0)

    def grab(self) -> bool:
        if not self.plugged:
            return False
        if self.buffered:
            self.buffered -= 1
        else:
            time.sleep(self.interval_s)
        self.grabs += 1
        return True

    def retrieve(self) -> tuple[bool, np.ndarray | None]:
        if self._name(self.asked[cv2.CAP_PROP_FOURCC]) in self.flat:
            return True, FLAT
        pixels = self.frame(self.grabs % 256)
        return pixels is not None, pixels

    def release(self) -> None:
        self.released += 1

    @staticmethod
    def _name(code: float) -> str:
        return round(code).to_bytes(4, "little").decode()


@pytest.fixture
def node(tmp_path: Path) -> Path:
    """A device's path: what exists there may be opened."""
    path = tmp_path / "video0"
    path.touch()
    return path


def opened(
    device: Device, node: Path, patience: Patience | None = None, max_fps: float = 100.0, **more: float
) -> Reconnecting:
    """The camera as the daemon has it; without patience, the first absence is the end."""
    search = Search(patience or Patience())
    found = V4L2(str(node), Size(640, 480), max_fps, 1.0, device)
    return Reconnecting(found.connect, search, more.get("timeout_s", 1.0), more.get("frozen_s", 0.0))


def test_a_format_that_gives_pictures_is_agreed_on(node: Path) -> None:
    """YUYV is asked for by name; left to itself OpenCV may take BGR3 and return rows of 921600 bytes."""
    device = Device("YUYV", "MJPG")
    with opened(device, node, max_fps=15.0) as camera:
        assert camera.capture().pixels.shape == (480, 640, 3)
    asked = device.asked
    assert Device._name(asked[cv2.CAP_PROP_FOURCC]) == "YUYV"
    assert (asked[cv2.CAP_PROP_FRAME_WIDTH], asked[cv2.CAP_PROP_FRAME_HEIGHT]) == (640, 480)
    assert asked[cv2.CAP_PROP_FPS] == 15


@pytest.mark.parametrize("device", [Device("MJPG"), Device("YUYV", "MJPG", flat=("YUYV",))])
def test_the_next_format_is_tried_where_one_gives_no_pictures(device: Device, node: Path) -> None:
    """A camera without YUYV, or one whose YUYV comes out flat, is used with the next format it has."""
    with opened(device, node) as camera:
        assert camera.capture().pixels.shape == (480, 640, 3)
    assert Device._name(device.asked[cv2.CAP_PROP_FOURCC]) == "MJPG"


def test_a_camera_without_pictures_is_refused_with_what_it_gives(node: Path) -> None:
    """Flat rows in every format are said, and never classified."""
    device = Device("YUYV", "BGR3", flat=("YUYV", "BGR3"))
    with opened(device, node) as camera, pytest.raises(CameraLost, match=r"BGR3 gives the shape \[1, 921600\]"):
        camera.capture()
    assert device.released == device.opened == 1


def test_a_camera_that_is_not_there_costs_one_line(node: Path) -> None:
    """No node, no permission is told by the system; a node that cannot be opened, by OpenCV."""
    device = Device()
    device.plugged = False
    with opened(device, node) as camera, pytest.raises(CameraLost, match="cannot be opened as a camera"):
        camera.capture()
    node.unlink()
    with opened(device, node) as camera, pytest.raises(CameraLost, match="no such camera; plug it in"):
        camera.capture()


def test_frames_that_waited_in_a_buffer_are_passed_over(node: Path) -> None:
    """After the thread was away, the driver's old buffers are drained: what is returned was waited for."""
    device = Device()
    with opened(device, node) as camera:
        camera.capture()
        device.buffered, before = 4, device.grabs
        begun = time.monotonic_ns()
        assert camera.capture().taken_ns - begun > 40_000_000
        assert device.grabs - before == 5


def test_a_quick_camera_is_thinned_out(node: Path) -> None:
    """A driver that ignores the rate it is asked for does not make us faster: the others are not even decoded."""
    device = Device()
    device.interval_s = 0.02
    with opened(device, node, max_fps=10.0) as camera:
        frames = [camera.capture() for _ in range(6)]
    assert 0.09 < np.median(np.diff([frame.taken_ns for frame in frames])) / 1e9 < 0.2


@pytest.mark.parametrize(("off_ms", "used"), [(-30.0, True), (5_000.0, False), (-60_000.0, False)])
def test_the_drivers_stamp_is_used_where_it_is_of_our_clock(off_ms: float, used: bool, node: Path) -> None:
    """V4L2 stamps frames on the monotonic clock; a stamp of another clock is not believed."""
    device = Device()
    with opened(device, node) as camera:
        camera.capture()
        device.stamp_ms = time.monotonic() * 1e3 + off_ms
        taken_ns = camera.capture().taken_ns
    assert (abs(taken_ns - device.stamp_ms * 1e6) < 1e6) is used


def test_one_corrupt_frame_is_not_a_lost_camera(node: Path) -> None:
    """A frame that cannot be decoded is passed over and named; the next one is delivered."""
    device = Device("MJPG")
    with opened(device, node) as camera:
        camera.capture()
        whole, device.frame = device.frame, lambda _: None
        with pytest.raises(BadFrame, match="cannot be decoded") as bad:
            camera.capture()
        assert bad.value.reason == "corrupt"
        device.frame = whole
        camera.capture()
    assert device.opened == 1


@pytest.mark.parametrize(
    ("spoilt", "reason"),
    [
        (None, "corrupt"),
        (np.zeros((240, 320, 3), np.uint8), "size"),
        (FLAT, "shape"),
        (np.zeros((480, 640, 3), np.uint16), "shape"),
    ],
)
def test_garbage_for_longer_than_the_time_out_is_a_lost_camera(
    spoilt: np.ndarray | None, reason: str, node: Path
) -> None:
    """Frames of another size, shape or type are bad frames, and nothing but bad frames is no camera."""
    device = Device()
    reasons = set()
    with opened(device, node, timeout_s=0.3) as camera:
        camera.capture()
        device.frame = lambda _: spoilt

        def watch() -> None:
            while True:
                try:
                    camera.capture()
                except BadFrame as bad:
                    reasons.add(bad.reason)

        with pytest.raises(CameraLost):
            watch()
    assert reasons == {reason}


@pytest.mark.parametrize("period", [1, 4])
def test_a_camera_that_repeats_itself_is_away_until_it_shows_something_new(period: int, node: Path) -> None:
    """One picture, or four buffers in a circle: both are a freeze, which a reconnection alone does not end."""
    device = Device()
    device.interval_s = 0.005
    with opened(device, node, Patience(5.0, 5.0), 1000.0, frozen_s=0.3) as camera:
        camera.capture()
        device.frame = lambda number: np.full((480, 640, 3), 100 + number % period, np.uint8)
        begun = time.monotonic()
        away = capture_until_away(camera)
        assert "the same pictures for 0.3 s" in away.absence.reason
        assert time.monotonic() - begun > 0.29
        capture_until_away(camera)  # a reconnection shows the same again
        device.frame = lambda _: np.full((480, 640, 3), 200, np.uint8)
        camera.capture()
    assert device.opened == device.released >= 3


def test_a_black_picture_may_stay_as_it_is(node: Path) -> None:
    """At night a camera may have nothing but zeros to give: that is darkness, not a freeze."""
    device = Device()
    device.interval_s = 0.01
    device.frame = lambda _: np.full((480, 640, 3), 3, np.uint8)
    with opened(device, node, frozen_s=0.1) as camera:
        for _ in range(30):
            camera.capture()


def capture_until_away(camera: Reconnecting) -> CameraAway:
    while True:
        try:
            camera.capture()
        except CameraAway as away:
            return away


def test_an_unplugged_camera_is_found_again(node: Path) -> None:
    """Pulled out and put back, it is opened once more; each capture between is one attempt, and its device closed."""
    device = Device()
    with opened(device, node, Patience(give_up_s=60)) as camera:
        camera.capture()
        device.plugged = False
        node.unlink()
        first = capture_until_away(camera).absence
        assert (first.retry_s, "no frames any more" in first.reason) == (0.0, True)
        assert device.released == 1
        second = capture_until_away(camera).absence
        assert (second.retry_s, "no such camera" in second.reason) == (0.5, True)
        device.plugged = True
        node.touch()
        assert camera.capture().pixels.shape == (480, 640, 3)
    assert device.opened == device.released == 2


@pytest.fixture
def clock() -> Iterator[Callable[[float], float]]:
    now = 1000.0

    def advance(seconds: float = 0.0) -> float:
        nonlocal now
        now += seconds
        return now

    return advance


def test_attempts_come_at_growing_distances_until_patience_ends(clock: Callable[[float], float]) -> None:
    """At once, then 0.5, 1, 2, 4 and 5 s apart; after give_up_s the camera is lost, to the second."""
    search = Search(Patience(start_s=60, give_up_s=30), clock)
    search.found()
    waits: list[float] = []

    def look() -> None:
        while True:
            waits.append(search.missed("unplugged").retry_s)
            clock(waits[-1])

    with pytest.raises(CameraLost, match="gone for 30 s: unplugged"):
        look()
    assert waits[:6] == [0.0, 0.5, 1.0, 2.0, 4.0, SLOWEST_RETRY_S]
    assert sum(waits) == 30


def test_a_camera_that_comes_and_goes_is_not_asked_in_a_hurry(clock: Callable[[float], float]) -> None:
    """One frame between two absences does not start the quick attempts again; ten steady seconds do."""
    search = Search(Patience(give_up_s=300), clock)
    search.found()
    for wanted in (0.0, 0.5, 1.0):
        assert search.missed("loose").retry_s == wanted
        clock(1.0)
        search.found()
    clock(11.0)
    search.found()
    assert search.missed("loose").retry_s == 0.0


def test_without_patience_the_first_miss_is_the_last(clock: Callable[[float], float]) -> None:
    """`labelcam check` waits for nothing."""
    with pytest.raises(CameraLost, match=r"^unplugged$"):
        Search(Patience(), clock).missed("unplugged")


def test_a_rate_holds_on_average_and_takes_what_is_nearly_on_time() -> None:
    """Whatever the camera's own rate, no more than max_fps; at exactly that rate no frame is lost to its jitter."""
    for own in (9.0, 10.0, 11.0, 25.0, 30.0, 60.0):
        rate = Rate(10.0)
        jitter = np.random.default_rng(1).uniform(-0.02, 0.02, 2000) / own
        used = sum(rate.admits(round((number / own + jitter[number] + 5) * 1e9)) for number in range(2000))
        seconds = 2000 / own
        assert used <= 10 * seconds + 2
        assert used >= min(own, 10.0) * seconds * (0.99 if own <= 10 else 0.8)


def test_the_daemons_thread_lives_through_it_all(colours: Path, node: Path) -> None:
    """Frames, a corrupt one, an absence that is told in its place, frames again; seq and dropped account for each."""
    device, absences, found = Device("MJPG"), 0, []
    spoilt = iter([5])
    bad = next(spoilt)
    good = device.frame
    device.frame = lambda number: None if number == bad else good(number)
    classifier = Classifier(ModelFile.load(colours))
    pipeline = Pipeline(classifier, Decider(DecisionSettings(), classifier.labels))
    with Capture(opened(device, node, Patience(60, 60)), pipeline, 2.0) as capture:
        for number in count():
            item = capture.take(lambda: False)
            if not isinstance(item, Prepared):
                absences += 1
                device.plugged = absences >= 2
                continue
            found.append(item)
            if number == 10:
                device.plugged = False
            if absences and len(found) > 20:
                break
        assert dict(capture.dropped)["corrupt"] == 1
        assert sum(item.dropped for item in found) == sum(capture.dropped.values())
    assert absences >= 2
    assert device.opened >= 2
    for before, now in pairwise(found):
        assert now.seq - before.seq == now.dropped + 1
