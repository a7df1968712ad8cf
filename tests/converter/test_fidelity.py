# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The figures of the comparison, and the gate that they are for."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labelcam_converter.fidelity import compare_scores, kl, wilson


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
    assert {"image", "float", "int8"} == set(fidelity["worst"][0])


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
