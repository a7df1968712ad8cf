# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from labelcam.classifier import Classifier
from labelcam.decision import Decider
from labelcam.images import Pixels
from labelcam.model_file import ModelFile
from labelcam.pictures import Pictures
from labelcam.records import Decision, Label, ModelCard, Reading, Stage
from labelcam.settings import DecisionSettings
from labelcam.shadow import Shadow

RED = np.full((6, 8, 3), (250, 30, 20), np.uint8)


def reading(seq: int, label: str) -> Reading:
    decision = Decision((Label(label, 0.9), Label("other", 0.1)), label, None)
    return Reading(seq, datetime.now(UTC), None, decision, 1.0, dict.fromkeys(Stage, 1.0), 0)


def card(sha256: str) -> ModelCard:
    return ModelCard("live", ("red",), sha256, 8, 6, "", "", {}, "", "")


@pytest.fixture
def pictures() -> Pictures:
    return Pictures()


@pytest.fixture
def shadow(colours: Path, pictures: Pictures) -> Shadow:
    classifier = Classifier(ModelFile.load(colours))
    decider = Decider(DecisionSettings(), classifier.labels)
    return Shadow(classifier, decider, pictures, 1.0, clock=lambda: 0.0)


def shown(shadow: Shadow, pictures: Pictures, seq: int, label: str, pixels: Pixels = RED) -> None:
    pictures.show(reading(seq, label), pixels)
    shadow.publish(reading(seq, label))


def test_agreement_and_disagreement_are_counted(shadow: Shadow, pictures: Pictures) -> None:
    """The second model sees the very picture; where it says otherwise, that is counted and the picture disputed."""
    shown(shadow, pictures, 1, "red")
    assert not pictures.has_disputed()
    shown(shadow, pictures, 2, "blue")
    assert (shadow.account.asked, shadow.account.disagreed) == (2, 1)
    disputed = pictures.disputed()
    assert disputed is not None
    assert disputed.reading.seq == 2
    assert pictures.disputed() is None


def test_a_picture_that_is_gone_is_not_counted(shadow: Shadow) -> None:
    """Whoever comes late says nothing, rather than something about another picture."""
    shadow.publish(reading(1, "blue"))
    assert shadow.account.asked == 0


def test_another_live_model_starts_another_count(shadow: Shadow, pictures: Pictures) -> None:
    """A comparison is about two models; the same model introduced again changes nothing."""
    shadow.introduce(card("a"))
    shown(shadow, pictures, 1, "blue")
    shadow.introduce(card("a"))
    assert shadow.account.disagreed == 1
    shadow.introduce(card("b"))
    assert (shadow.account.asked, shadow.account.disagreed) == (0, 0)


def test_the_daemon_reports_how_often_they_disagree(
    labelcam: Callable[..., SimpleNamespace], colours: Path, photographs: Path, tmp_path: Path
) -> None:
    """`model.shadow` is asked about a frame every so often, groups merged as the live model's are."""
    other = tmp_path / "other.tflite"
    data = colours.read_bytes()
    other.write_bytes(data[: data.index(b"PK\x03\x04")])
    other.with_suffix(".txt").write_text("red\ngreen\nvioletblue\n")
    settings, summary = tmp_path / "labelcam.toml", tmp_path / "summary.json"
    settings.write_text(
        f'[model]\npath = "{colours}"\nshadow = "{other}"\nshadow_seconds = 0.01\n'
        '[decision.groups]\nwarm = ["red", "green"]\n'
    )
    camera = f"photos:{photographs}?fps=20&loop"
    done = labelcam("run", "--settings", settings, "--camera", camera, "--seconds", "2", "--summary", summary)
    assert done.returncode == 0, done.stderr
    account = json.loads(summary.read_text())["shadow"]
    assert account["model"] == "other"
    assert account["asked"] >= 6
    assert account["disagreed"] == pytest.approx(account["asked"] / 3, abs=2)


def test_a_shadow_that_cannot_be_loaded_is_refused(
    labelcam: Callable[..., SimpleNamespace], colours: Path, tmp_path: Path, the_error: Callable[[str], str]
) -> None:
    """A comparison that is asked for and not made would be taken for agreement: 78."""
    settings = tmp_path / "labelcam.toml"
    settings.write_text(f'[model]\npath = "{colours}"\nshadow = "{tmp_path}/none.tflite"\n')
    done = labelcam("run", "--settings", settings, "--camera", "synthetic:64x48")
    assert done.returncode == 78
    assert "none.tflite: cannot be read" in the_error(done.stderr)
