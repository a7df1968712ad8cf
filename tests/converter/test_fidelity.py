# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The figures of the comparison, and the gate that they are for."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labelcam.errors import ModelFileError
from labelcam.preprocess import Preprocess
from labelcam_converter.fidelity import compare, compare_scores
from labelcam_converter.fidelity.divergence import kl, softmax
from labelcam_converter.fidelity.gate import verdict
from labelcam_converter.fidelity.shares import wilson
from labelcam_converter.pictures import Picture


def test_wilson_s_interval_is_the_published_one() -> None:
    """81 of 263 is the worked example of Newcombe (1998), method 3."""
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)


@given(st.integers(1, 2000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_interval_holds_the_share(case: tuple[int, int]) -> None:
    """Low, share and high stand in order and never leave 0 to 1, even where all or none agree."""
    agreed, images = case
    low, high = wilson(agreed, images)
    assert 0 <= low <= agreed / images + 1e-12
    assert agreed / images - 1e-12 <= high <= 1
    assert high > low


def test_kl_is_zero_for_equals_and_counts_nats() -> None:
    """Natural logarithm, floored at 1/1024 and renormalised, so that a zero costs much but not everything."""
    even, sure = np.array([0.5, 0.5]), np.array([1.0, 0.0])
    assert kl(even, even) == 0
    p, q = np.array([0.5, 0.5]), np.array([1.0, 1 / 1024]) / (1 + 1 / 1024)
    assert kl(even, sure) == pytest.approx(float(np.sum(p * np.log(p / q))))


def test_a_diffuse_answer_costs_nothing() -> None:
    """A thousand labels whose tail is less than a byte can say are the same distribution in float and uint8."""
    wanted = np.full((1, 1000), 0.6 / 999)
    wanted[0, 7] = 0.4
    got = np.round(wanted * 256) / 256
    found = compare_scores(wanted, got, ["a"], [str(number) for number in range(1000)], held_out=True)
    assert (found.agreed, found.probabilities) == (1, True)
    assert found.kl < 0.001


def test_logits_are_compared_through_a_softmax() -> None:
    """One rule, decided by the float network, holds for both, even where an int8 answer happens to sum up to 1."""
    wanted, got = np.array([[0.55, 0.5], [3.0, -1.0]]), np.array([[0.5, 0.5], [3.0, -1.0]])
    found = compare_scores(wanted, got, ["a", "b"], ["x", "y"], held_out=True)
    assert not found.probabilities
    assert found.kl < 0.001


def test_top_five_is_a_share_like_top_one() -> None:
    """The float network's best label counts where it is among the five best; few labels have no top five."""
    wanted, got = np.full((2, 8), 0.05), np.full((2, 8), 0.05)
    wanted[:, 0] = 0.65
    got[0, 7], got[1, [1, 2, 3, 4, 5]] = 0.65, 0.17
    figures = compare_scores(wanted, got, ["a", "b"], list("ijklmnop"), held_out=True).figures()
    assert (figures["top1_agreement"]["value"], figures["top5_agreement"]["value"]) == (0.0, 0.5)
    assert set(figures["top5_agreement"]) == {"value", "low", "high"}
    assert compare_scores(wanted[:, :3], got[:, :3], ["a", "b"], list("xyz"), True).figures()["top5_agreement"] is None


def test_folders_show_who_is_right() -> None:
    """Accuracy is of the images whose folder is a label; the others are compared all the same."""
    wanted = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.7, 0.3]])
    got = np.array([[0.8, 0.2], [0.7, 0.3], [0.6, 0.4], [0.3, 0.7]])
    found = compare_scores(wanted, got, list("abcd"), ["Cat", "dog"], True, ["cat", "1_dog", "newt", "dog"])
    accuracy = found.figures()["accuracy"]
    assert (found.agreed, accuracy["images"]) == (2, 3)
    assert (accuracy["float"]["value"], accuracy["int8"]["value"]) == (0.6667, 0.6667)
    assert found.accuracy_note == "no label is called newt: not in the accuracy"
    assert [answer.right for answer in found.answers] == ["Cat", "dog", None, "dog"]


def test_the_worst_come_first() -> None:
    """Disagreements first, then by KL; where both say the very same there is no worst image."""
    wanted = np.array([[0.9, 0.1], [0.51, 0.49], [0.6, 0.4]])
    got = np.array([[0.6, 0.4], [0.49, 0.51], [0.6, 0.4]])
    found = compare_scores(wanted, got, ["far", "flipped", "same"], ["x", "y"], held_out=False)
    assert [answer.image for answer in found.worst] == ["flipped", "far"]
    worst = found.as_json()["worst"][0]
    assert (worst["image"], worst["float"], worst["int8"]) == ("flipped", "x", "y")
    assert worst["float_top"] == [{"label": "x", "score": 0.51}, {"label": "y", "score": 0.49}]


@pytest.mark.parametrize("logits", ["wanted", "got"])
def test_one_of_two_may_lack_the_softmax(logits: str) -> None:
    """A file that ends in logits and one that ends in probabilities are compared as probabilities."""
    scores = {name: np.array([[4.0, -2.0, 1.0], [-3.0, 2.0, 0.0]]) for name in ("wanted", "got")}
    for name in {"wanted", "got"} - {logits}:
        scores[name] = softmax(scores[name])
    assert compare_scores(scores["wanted"], scores["got"], ["a", "b"], list("xyz"), held_out=True).kl < 1e-6


def test_a_network_that_answers_with_no_number_is_refused(networks: Path) -> None:
    """Damaged weights give NaN, of which every figure would be NaN as well: invalid JSON, and a gate that passes."""
    data, picture = (networks / "colours.tflite").read_bytes(), np.zeros((32, 32, 3), np.uint8)
    eight = np.float32(8).tobytes()  # the weights of the last layer
    damaged = data.replace(eight, np.float32(np.nan).tobytes())
    assert damaged != data
    for pair, which in (((damaged, data), "float"), ((data, damaged), "quantised")):
        with pytest.raises(ModelFileError, match=f"the {which} network answers with nan"):
            compare(*pair, [Picture(Path("a.png"), picture, whole=True)], Preprocess(), list("rgb"), held_out=None)


def judged(agreed: int, of: int, held_out: bool, asked: float | None) -> tuple[bool, bool]:
    """Whether the gate fails, and whether it says anything."""
    wanted, got = np.tile([0.9, 0.1], (of, 1)), np.tile([0.9, 0.1], (of, 1))
    got[agreed:] = [0.1, 0.9]
    found = verdict(compare_scores(wanted, got, [""] * of, ["x", "y"], held_out), asked)
    return found.failed, found.message is not None


@pytest.mark.parametrize(
    ("agreed", "of", "held_out", "asked", "said"),
    [
        (90, 100, True, None, (False, False)),
        (89, 100, True, None, (True, True)),
        (44, 50, True, None, (True, True)),
        (43, 49, True, None, (False, True)),
        (50, 100, False, None, (False, True)),
        (9, 10, False, 0.95, (True, True)),
        (50, 100, True, 0.5, (False, False)),
    ],
)
def test_the_gate(agreed: int, of: int, held_out: bool, asked: float | None, said: tuple[bool, bool]) -> None:
    """0.90 of at least 50 held-out images by the point estimate; fewer only warn, unless a limit is asked for."""
    assert judged(agreed, of, held_out, asked) == said


def test_the_gate_fails_the_build(networks: Path, grey_images: Path, convert, the_error, left_behind) -> None:
    """Below 0.90 on at least 50 held-out images: exit code 3, and no model where `make flash` would take it."""
    done = convert("build", "--model", networks / "colours.tflite", "--images", grey_images)
    assert (done.returncode, "no model was written" in the_error(done)) == (3, True), done.stderr
    assert left_behind() == []


def test_the_gate_can_be_lowered(networks: Path, grey_images: Path, convert) -> None:
    """--min-agreement 0 lets anything pass, and the figures say what they were measured on."""
    arguments = ("--images", grey_images, "--min-agreement", 0)
    done = convert("build", "--json", "--model", networks / "colours.tflite", *arguments)
    fidelity = json.loads(done.stdout)["fidelity"]
    assert (fidelity["held_out"], fidelity["images"]) == (True, 80)
    share = fidelity["top1_agreement"]
    assert share["low"] < share["value"] < share["high"]
    assert {"image", "float", "int8"} <= set(fidelity["worst"][0])


def test_few_images_only_warn(networks: Path, grey_images: Path, convert, tmp_path: Path) -> None:
    """With fewer than 50 held-out images a low agreement is a warning, unless a limit was asked for."""
    folder = tmp_path / "few"
    folder.mkdir()
    for path in sorted(grey_images.iterdir())[:20]:
        (folder / path.name).write_bytes(path.read_bytes())
    arguments = ("build", "--model", networks / "colours.tflite", "--images", folder)
    done = convert(*arguments)
    assert (done.returncode, "warning: int8 agrees" in done.stderr) == (0, True), done.stderr
    assert convert(*arguments, "--min-agreement", 0.99).returncode == 3
