# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The demonstration tells the truth about what it shows."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from labelcam.model_file import ModelFile
from labelcam_converter.demo import _looped, _model, _shown
from labelcam_converter.demo_report import fidelity_in_words


@pytest.mark.parametrize(
    ("camera", "looped"),
    [
        ("photos:a", "photos:a?loop"),
        ("photos:a?loop", "photos:a?loop"),
        ("video:a.mp4?fps=5", "video:a.mp4?fps=5&loop"),
        ("video:a.mp4?fps=5&loop", "video:a.mp4?fps=5&loop"),
        ("v4l2:/dev/video0", "v4l2:/dev/video0"),
    ],
)
def test_files_do_not_run_out(camera: str, looped: str) -> None:
    """A folder or a video starts again, so that as many frames are measured as are promised."""
    assert _looped(camera) == looped


def test_a_password_is_not_printed() -> None:
    """The address of a camera loses user and password before it is shown."""
    assert _shown("rtsp://me:p@ss@host:554/a") == "rtsp://…@host:554/a"
    assert _shown("photos:a@b") == "photos:a@b"


def test_a_finished_model_of_others_runs_as_it_is(shared_data: Path) -> None:
    """A quantised .tflite without our manifest is not converted, and nothing is claimed of its fidelity."""
    path = shared_data / "models" / "vww_96_int8.tflite"
    model, built = _model(str(path))
    assert model == path
    assert fidelity_in_words(built["fidelity"]) == "not known: not made by labelcam-convert"


def test_fidelity_says_what_it_was_measured_on(person_model: Path) -> None:
    """Figures of the very images that were calibrated on are called so; a manifest without figures is no error."""
    manifest = ModelFile.load(person_model).manifest
    assert manifest is not None
    assert fidelity_in_words(dict(manifest.fidelity)).endswith(", the very images it was calibrated on")
    assert fidelity_in_words({}).startswith("not known")


def test_ctrl_c_lets_the_converter_clean_up(networks: Path, tmp_path: Path) -> None:
    """Ctrl-C amid the conversion reaches both programs, and leaves no temporary folder."""
    (tmp_path / "tmp").mkdir()
    command = [sys.executable, "-m", "labelcam_converter.demo", "--model", str(networks / "colours.keras")]
    env = {**os.environ, "TMPDIR": str(tmp_path / "tmp")}
    demo = subprocess.Popen(command, cwd=tmp_path, env=env, stderr=subprocess.PIPE, text=True, start_new_session=True)
    while not list((tmp_path / "tmp").glob("labelcam-*/request.json")):
        assert demo.poll() is None
        time.sleep(0.05)
    time.sleep(1)
    os.killpg(demo.pid, signal.SIGINT)
    _, said = demo.communicate(timeout=20)
    assert (demo.returncode, "Traceback" in said) == (130, False)
    assert list((tmp_path / "tmp").iterdir()) == []
