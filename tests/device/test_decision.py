# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from labelcam.decision import Decider
from labelcam.model_file import MANIFEST, Manifest, manifest_to_json
from labelcam.records import DARK, UNKNOWN, Decision, Event
from labelcam.scores import DecisionConstants, Scores, UnknownThresholds
from labelcam.settings import DecisionSettings

SECOND = 10**9
NAMES = ("cat", "dog", "parcel", "sofa")
CAT, DOG = (0.9, 0.05, 0.03, 0.02), (0.05, 0.9, 0.03, 0.02)
NOTHING = (0.25, 0.25, 0.25, 0.25)
EVERY_FRAME = DecisionSettings(leave_threshold=0.5)
"""Each frame counts for itself."""

unhurried = hypothesis_settings(deadline=None)
"""A busy machine is no failure."""

Frames = list[tuple[tuple[float, ...], int]]

SCORES = st.lists(st.integers(0, 1000), min_size=4, max_size=4, unique=True).map(
    lambda counts: tuple(count / (sum(counts) or 1) for count in counts)
)
FRAMES = st.lists(st.tuples(SCORES, st.integers(1, 3 * SECOND)), max_size=60)
"""The scores of each frame, and the nanoseconds since the one before."""

SECONDS = st.sampled_from([0.0, 0.3, 1.0, 2.5])
SETTINGS = st.builds(
    lambda threshold, leave, **others: DecisionSettings(threshold, leave * threshold, **others),
    st.sampled_from([0.0, 0.2, 0.5, 0.8]),
    st.sampled_from([0.0, 0.5, 1.0]),
    smoothing_seconds=SECONDS,
    enter_seconds=SECONDS,
    leave_seconds=SECONDS,
    top_k=st.just(1),
    unknown_margin=st.sampled_from([-1.0, 0.1]),
    unknown_entropy=st.sampled_from([-1.0, 0.9]),
)


def row(scores: Sequence[float]) -> Scores:
    return np.array(scores, np.float32)


def decisions(frames: Frames, settings: DecisionSettings, names: Sequence[str] = NAMES) -> list[Decision]:
    """What becomes of frames, the first of them taken at an arbitrary moment."""
    decider, now, found = Decider(settings, names), 10**12, []
    for scores, passed in frames:
        now += passed
        found.append(decider.decide(row(scores), now))
    return found


def stream(*parts: tuple[Sequence[float], float], fps: float = 10.0) -> Frames:
    """Frames that show each of the given scores for so many seconds."""
    return [(tuple(scores), round(SECOND / fps)) for scores, seconds in parts for _ in range(round(seconds * fps))]


def events(frames: Frames, settings: DecisionSettings, names: Sequence[str] = NAMES) -> list[tuple[str, str, float]]:
    """Every event with the label and the seconds since the first frame."""
    told, passed = [], 0
    for (_, step), decision in zip(frames, decisions(frames, settings, names), strict=True):
        if decision.event:
            told.append((decision.event.type, decision.event.label, round((passed) / SECOND, 3)))
        passed += step
    return told


@unhurried
@given(frames=FRAMES, settings=SETTINGS)
def test_enter_and_leave_alternate(frames: Frames, settings: DecisionSettings) -> None:
    """Nothing enters twice without leaving, nothing leaves that was not there, and only what entered leaves."""
    there = None
    for decision in decisions(frames, settings):
        event = decision.event
        if event is None:
            assert decision.state == (there or UNKNOWN)
        elif event.type == "enter":
            assert there is None
            assert (decision.state, event.duration_s) == (event.label, 0.0)
            there = event.label
        else:
            assert event.label == there
            there = None


@unhurried
@given(frames=FRAMES, settings=SETTINGS)
def test_nothing_is_there_for_less_than_it_takes_to_enter(frames: Frames, settings: DecisionSettings) -> None:
    """Every duration is at least `enter_seconds`, however unevenly the frames come."""
    left = [decision.event for decision in decisions(frames, settings) if decision.event]
    assert all(event.duration_s >= settings.enter_seconds for event in left if event.type == "leave")


@unhurried
@given(frames=FRAMES)
def test_where_every_frame_counts_the_state_is_what_it_shows(frames: Frames) -> None:
    """No frame between two sure labels is called unknown; only the enter event comes a frame later."""
    states = [decision.state for decision in decisions(frames, EVERY_FRAME)]
    shown = [(max(scores), NAMES[scores.index(max(scores))]) for scores, _ in frames]
    assert states == [name if round(float(np.float32(best)), 4) >= 0.5 else UNKNOWN for best, name in shown]


@unhurried
@given(frames=FRAMES, settings=SETTINGS, shift=st.integers(0, 10**15))
def test_only_the_time_between_frames_counts(frames: Frames, settings: DecisionSettings, shift: int) -> None:
    """When the clock began makes no difference, nor does who asks: the same past gives the same decision."""
    moved = [(scores, passed + (shift if number == 0 else 0)) for number, (scores, passed) in enumerate(frames)]
    assert decisions(moved, settings) == decisions(frames, settings)


@unhurried
@given(frames=FRAMES, settings=SETTINGS, order=st.permutations(range(4)))
def test_the_order_of_the_labels_is_irrelevant(frames: Frames, settings: DecisionSettings, order: list[int]) -> None:
    """Outputs and labels shuffled alike give the same states and events."""
    settings = replace(settings, groups={"pet": ("cat", "dog")})
    shuffled = [(tuple(scores[number] for number in order), passed) for scores, passed in frames]
    found = decisions(shuffled, settings, [NAMES[number] for number in order])
    assert [(one.state, one.event) for one in found] == [(one.state, one.event) for one in decisions(frames, settings)]


@unhurried
@given(
    frames=FRAMES,
    settings=SETTINGS,
    deny=st.sets(st.sampled_from(NAMES), max_size=3),
    allow=st.sets(st.sampled_from(NAMES)),
)
def test_what_may_not_enter_never_does(
    frames: Frames, settings: DecisionSettings, deny: set[str], allow: set[str]
) -> None:
    """A label that is denied, or not among those allowed, is neither a state nor in an event; it is still shown."""
    may_enter = (allow or set(NAMES)) - deny
    if not may_enter:
        return
    found = decisions(frames, replace(settings, allow=tuple(sorted(allow)), deny=tuple(sorted(deny))))
    assert {decision.state for decision in found} <= {UNKNOWN, *may_enter}
    assert {decision.event.label for decision in found if decision.event} <= may_enter
    assert [decision.top for decision in found] == [decision.top for decision in decisions(frames, settings)]


@unhurried
@given(
    frames=st.lists(st.tuples(st.integers(0, 100), st.integers(1, SECOND)), max_size=60),
    leave=st.tuples(st.floats(0.05, 0.7), st.floats(0.05, 0.7)).map(sorted),
    settings=SETTINGS,
)
def test_the_lower_it_leaves_the_longer_it_stays(
    frames: list[tuple[int, int]], leave: list[float], settings: DecisionSettings
) -> None:
    """Lowering the threshold to leave takes nothing away: what was there still is, and no event is added."""
    likely = [((percent / 100, 1 - percent / 100), passed) for percent, passed in frames]
    low, high = (
        decisions(likely, replace(settings, threshold=0.7, leave_threshold=at, deny=("no",)), ("yes", "no"))
        for at in leave
    )
    assert all(one.state == "yes" for one, other in zip(low, high, strict=True) if other.state == "yes")
    assert sum(1 for one in low if one.event) <= sum(1 for one in high if one.event)


@hypothesis_settings(deadline=None, max_examples=40)
@given(
    parts=st.lists(st.tuples(st.sampled_from([CAT, DOG]), st.floats(2, 5), st.floats(2.5, 5)), min_size=1, max_size=5),
    smoothing=st.sampled_from([0.0, 0.1, 0.3]),
    enter=st.one_of(st.just(0.0), st.floats(0.2, 1)),
    leave=st.one_of(st.just(0.0), st.floats(0.2, 1)),
)
def test_the_frame_rate_makes_no_difference(
    parts: list[tuple[tuple[float, ...], float, float]], smoothing: float, enter: float, leave: float
) -> None:
    """The same scene at 5 and at 50 frames a second has the same events, each within one interval of the slower."""
    settings = DecisionSettings(smoothing_seconds=smoothing, enter_seconds=enter, leave_seconds=leave)
    changes, end = [(0.0, NOTHING)], 1.0
    for scores, there, gone in parts:
        changes += [(end, scores), (end + there, NOTHING)]
        end += there + gone

    def scene(fps: int) -> Frames:
        times = [number / fps for number in range(round(end * fps))]
        return [(next(s for at, s in reversed(changes) if at <= time), SECOND // fps) for time in times]

    slow, quick = events(scene(5), settings), events(scene(50), settings)
    assert len(slow) == 2 * len(parts)
    assert [(kind, label) for kind, label, _ in slow] == [(kind, label) for kind, label, _ in quick]
    assert all(abs(one - other) <= 0.2 + 1 / 50 for (*_, one), (*_, other) in zip(slow, quick, strict=True))


def test_a_duration_is_the_time_between_the_frames() -> None:
    """How long something was there is measured on the frames' own clock."""
    *_, left = decisions([(CAT, 1), (CAT, 2 * SECOND), (NOTHING, SECOND // 2)], EVERY_FRAME)
    assert left.event == Event("leave", "cat", 2.5)


def test_the_threshold_itself_is_enough() -> None:
    """A score that equals the threshold counts as seen."""
    assert decisions([((0.5, 0.3, 0.1, 0.1), 1)], DecisionSettings())[0].state == "cat"


@pytest.mark.parametrize(
    ("scores", "state"),
    [
        ((0.41, 0.39, 0.1, 0.1), "cat"),
        ((0.39, 0.31, 0.2, 0.1), UNKNOWN),
        ((0.41, 0.5, 0.05, 0.04), "cat"),
        ((0.41, 0.55, 0.03, 0.01), "dog"),
    ],
)
def test_what_is_there_leaves_later_than_it_enters(scores: tuple[float, ...], state: str) -> None:
    """Four fifths of the threshold, and of the best label's score, are enough to stay."""
    assert decisions([(CAT, 1), (scores, SECOND)], DecisionSettings())[-1].state == state


def test_a_label_must_be_seen_for_a_while() -> None:
    """Half a second of dog is nothing where a second is asked; two seconds of cat enter after one."""
    frames = stream((NOTHING, 1), (DOG, 0.5), (NOTHING, 1), (CAT, 2), (NOTHING, 1))
    assert events(frames, DecisionSettings(enter_seconds=1)) == [("enter", "cat", 3.4), ("leave", "cat", 4.5)]


def test_a_label_must_be_gone_for_a_while() -> None:
    """A gap of half a second does not end a stay where a second is asked; the duration leaves that second out."""
    frames = stream((CAT, 1), (NOTHING, 0.5), (CAT, 1), (NOTHING, 3))
    told = [decision.event for decision in decisions(frames, DecisionSettings(leave_seconds=1)) if decision.event]
    assert told == [Event("enter", "cat", 0.0), Event("leave", "cat", 2.5)]


@pytest.mark.parametrize("times", ["enter_seconds", "leave_seconds"])
def test_one_frame_is_no_while(times: str) -> None:
    """Where frames are further apart than the minimum, a single odd one changes nothing yet."""
    usual, odd = (NOTHING, DOG) if times == "enter_seconds" else (CAT, NOTHING)
    frames = stream((usual, 3), (odd, 1), (usual, 3), fps=1)
    kinds = [kind for kind, *_ in events(frames, DecisionSettings(**{times: 0.5}))]
    assert kinds == ([] if times == "enter_seconds" else ["enter"])


def test_smoothing_bridges_a_flicker() -> None:
    """A cat that is seen on two of three frames is one cat."""
    frames = [(NOTHING if number % 3 == 2 else CAT, SECOND // 10) for number in range(100)]
    assert len(events(frames, EVERY_FRAME)) > 60
    assert events(frames, DecisionSettings(smoothing_seconds=0.5)) == [("enter", "cat", 0.0)]


def test_a_long_gap_ends_what_was_there() -> None:
    """After the camera was away, the cat has left with the last frame that showed it; what is there enters anew."""
    frames = [(CAT, 1), (CAT, SECOND), (CAT, 60 * SECOND), (CAT, SECOND)]
    found = decisions(frames, DecisionSettings(smoothing_seconds=5, leave_seconds=30))
    assert [decision.state for decision in found] == ["cat"] * 4
    assert [decision.event for decision in found] == [
        *(Event("enter", "cat", 0.0), None, Event("leave", "cat", 1.0), Event("enter", "cat", 0.0))
    ]


def test_after_a_gap_the_old_scores_count_for_nothing() -> None:
    """Smoothing starts afresh: what is seen after the gap is believed at once."""
    frames = [(CAT, 1), (CAT, SECOND), (DOG, 60 * SECOND), (DOG, SECOND)]
    assert decisions(frames, DecisionSettings(smoothing_seconds=30))[-2].state == "dog"


def test_a_clock_that_went_back_is_a_gap() -> None:
    """Nothing is computed from a negative time."""
    decider = Decider(DecisionSettings(smoothing_seconds=1), NAMES)
    assert decider.decide(row(CAT), 10 * SECOND).state == "cat"
    assert decider.decide(row(DOG), SECOND).event == Event("leave", "cat", 0.0)
    assert decider.decide(row(DOG), 2 * SECOND).event == Event("enter", "dog", 0.0)


def test_in_the_dark_nothing_is_there() -> None:
    """A dark frame ends what was there, and what its scores say counts for nothing."""
    decider = Decider(DecisionSettings(smoothing_seconds=3, leave_seconds=10), NAMES)
    decider.decide(row(CAT), SECOND)
    dark = decider.decide(row(CAT), 3 * SECOND, dark=True)
    assert (dark.state, dark.event) == (DARK, Event("leave", "cat", 2.0))
    assert decider.decide(row(CAT), 4 * SECOND, dark=True).event is None
    assert decider.decide(row(DOG), 5 * SECOND).event == Event("enter", "dog", 0.0)


def test_the_end_is_a_leave() -> None:
    """What is still there when the frames end leaves with the last of them, once."""
    decider = Decider(DecisionSettings(), NAMES)
    for number in range(4):
        decider.decide(row(CAT), number * SECOND)
    assert decider.finish() == Event("leave", "cat", 3.0)
    assert decider.finish() is None


@pytest.mark.parametrize("name", [UNKNOWN, DARK])
def test_a_label_called_like_a_state_enters_and_leaves(name: str) -> None:
    """A network with a class 'unknown' tells when it comes and goes."""
    frames = stream((CAT, 1), (NOTHING, 1), (CAT, 1), (DOG, 1))
    told = events(frames, DecisionSettings(), (name, "dog", "parcel", "sofa"))
    assert [what[:2] for what in told] == [
        *(("enter", name), ("leave", name), ("enter", name), ("leave", name), ("enter", "dog"))
    ]


def test_two_outputs_of_one_name_are_one_label() -> None:
    """ImageNet has two cranes: from one to the other nothing leaves."""
    frames = stream((CAT, 1), (DOG, 1), (CAT, 1))
    assert [what[:2] for what in events(frames, DecisionSettings(), ("crane", "crane", "ox", "fox"))] == [
        ("enter", "crane")
    ]


def test_a_group_is_sure_where_none_of_its_labels_is() -> None:
    """Three breeds at 0.3 are a dog at 0.9, in the answer as in the state; the labels are no longer told apart."""
    settings = DecisionSettings(groups={"any dog": ("beagle", "*terrier")}, unknown_margin=0.5, unknown_entropy=0.5)
    names = ("cat", "beagle", "Border terrier", "Boston terrier")
    decision = Decider(settings, names).decide(row((0.1, 0.3, 0.3, 0.3)), 0)
    assert (decision.state, decision.event) == ("any dog", Event("enter", "any dog", 0.0))
    assert [(label.label, label.score) for label in decision.top] == [("any dog", 0.9), ("cat", 0.1)]


@pytest.mark.parametrize(
    ("limits", "state"),
    [
        (UnknownThresholds(), "cat"),
        (UnknownThresholds(score=0.55), UNKNOWN),
        (UnknownThresholds(margin=0.05), UNKNOWN),
        (UnknownThresholds(entropy=0.45), UNKNOWN),
        (UnknownThresholds(0.5, 0.03, 0.6), "cat"),
    ],
)
def test_what_the_converter_fitted_decides_what_is_unknown(limits: UnknownThresholds, state: str) -> None:
    """A frame that misses any of the model file's thresholds lets nothing enter, unless the settings say otherwise."""
    unsure = row((0.52, 0.48, 0.0, 0.0))
    constants = DecisionConstants(unknown=limits)
    assert Decider(DecisionSettings(), NAMES, constants).decide(unsure, 0).state == state
    free = DecisionSettings(unknown_score=0.0, unknown_margin=0.0, unknown_entropy=1.0)
    assert Decider(free, NAMES, constants).decide(unsure, 0).state == "cat"
    strict = DecisionSettings(unknown_margin=0.2)
    assert Decider(strict, NAMES, constants).decide(unsure, 0).state == UNKNOWN


@pytest.mark.parametrize(("own", "used", "state"), [(0.0, 2.0, "cat"), (1.0, 1.0, "cat"), (3.0, 3.0, UNKNOWN)])
def test_scores_are_scaled_before_they_are_judged(own: float, used: float, state: str) -> None:
    """The model file's temperature, or the settings', lowers what is shown and what is compared with the threshold."""
    decider = Decider(DecisionSettings(temperature=own, threshold=0.55), NAMES, DecisionConstants(2.0))
    decision = decider.decide(row((0.9, 0.04, 0.03, 0.03)), 0)
    powers = [score ** (1 / used) for score in (0.9, 0.04, 0.03, 0.03)]
    assert decision.top[0].score == pytest.approx(powers[0] / sum(powers), abs=1e-4)
    assert decision.state == state


def test_run_and_classify_scale_alike(
    labelcam: Callable[..., object],
    colour_entries: dict[str, str | bytes],
    pack: Callable[..., Path],
    toy: Callable[..., bytes],
    manifest_of: Callable[..., Manifest],
    photographs: Path,
    tmp_path: Path,
) -> None:
    """Both show scores by the model file's temperature; its goldens are compared as the network gives them."""
    network = toy(declares_labels=True)
    answers = []
    for temperature in (1.0, 3.0):
        manifest = manifest_to_json(manifest_of(network, decision=DecisionConstants(temperature)))
        model = pack(network, colour_entries | {MANIFEST: manifest}, tmp_path / f"{temperature}.tflite")
        picture = photographs / "1_red.png"
        classified = json.loads(labelcam("classify", "--json", model, picture).stdout)
        words = ("--json", "--model", model, "--camera", f"photos:{photographs}")
        first = json.loads(labelcam("run", *words).stdout.splitlines()[0])
        assert first["top"] == classified["top"][:3]
        answers.append(first["score"])
        assert "goldens  4 reproduced" in labelcam("check", "--model", model, "--camera", "synthetic:8x6").stdout
    assert answers[0] == pytest.approx(250 / 255, abs=0.01)
    assert answers[1] == pytest.approx(0.52, abs=0.01)


def test_a_wrong_label_in_the_settings_ends_the_start(
    labelcam: Callable[..., object], colours: Path, tmp_path: Path, the_error: Callable[[str], str]
) -> None:
    """Which labels there are is known with the model: `run` and `check` refuse others with what was probably meant."""
    settings = tmp_path / "mine.toml"
    settings.write_text('[decision]\ndeny = ["gren"]\n[decision.groups]\nwarm = ["red", "Blue"]\n')
    words = ("--settings", settings, "--model", colours, "--camera", "synthetic:8x6")
    done = labelcam("run", *words)
    assert (done.returncode, done.stdout) == (78, "")
    for part in ("deny: 'gren' names none of the 3 labels; did you mean 'green'?", "'Blue'", "did you mean 'blue'?"):
        assert part in the_error(done.stderr)
    assert labelcam("check", *words).returncode == 78
