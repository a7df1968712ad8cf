# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0

from hypothesis import given
from hypothesis import strategies as st

from labelcam.decision import UNKNOWN, Decider
from labelcam.records import Event, Label

LABELS = st.builds(Label, st.sampled_from(["cat", "dog", "parcel"]), st.floats(0, 1))
FRAMES = st.lists(st.tuples(LABELS, st.integers(1, 10**10)), max_size=60)
"""The best label of each frame, and the nanoseconds since the one before."""


def events(frames: list[tuple[Label, int]], threshold: float = 0.5) -> list[tuple[str, Event | None]]:
    """The state after each frame, and its event."""
    decider, now, found = Decider(threshold), 10**12, []
    for label, passed in frames:
        now += passed
        decision = decider.decide((label,), now)
        found.append((decision.state, decision.event))
    return found


@given(frames=FRAMES, threshold=st.floats(0, 1))
def test_enter_and_leave_alternate(frames: list[tuple[Label, int]], threshold: float) -> None:
    """Nothing enters twice without leaving, nothing leaves that was not there, and only what entered leaves."""
    there = None
    for state, event in events(frames, threshold):
        if event is None:
            assert state == (there or UNKNOWN)
        elif event.type == "enter":
            assert there is None
            assert (state, event.duration_s) == (event.label, 0.0)
            there = event.label
        else:
            assert event.label == there
            assert state != there
            assert event.duration_s > 0
            there = None


@given(frames=FRAMES)
def test_the_state_is_what_the_frame_shows(frames: list[tuple[Label, int]]) -> None:
    """No frame between two sure labels is called unknown; only the enter event comes a frame later."""
    states = [state for state, _ in events(frames)]
    assert states == [label.label if label.score >= 0.5 else UNKNOWN for label, _ in frames]


def test_a_duration_is_the_time_between_the_frames() -> None:
    """How long something was there is measured on the frames' own clock."""
    sure, unsure = Label("cat", 0.9), Label("cat", 0.4)
    *_, (_, left) = events([(sure, 1), (sure, 2_000_000_000), (unsure, 500_000_000)])
    assert left == Event("leave", "cat", 2.5)


def test_the_threshold_itself_is_enough() -> None:
    """A score that equals the threshold counts as seen."""
    assert events([(Label("cat", 0.5), 1)])[0][0] == "cat"
