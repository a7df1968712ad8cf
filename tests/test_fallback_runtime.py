# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""tflite-runtime, where no LiteRT wheel exists: it runs, it answers the same, and it says what is lost."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from absent import absent
from labelcam_converter.pictures.photographs import photographs

ROOT = Path(__file__).parents[1]

# Its last wheels are for Python 3.11, and with numpy 2 they fail only when a model is loaded.
WANTED = (
    "tflite-runtime==2.14.0",
    "numpy==1.26.4",
    "opencv-python-headless==4.11.0.86",
    "cattrs>=24.1",
    "paho-mqtt>=2.1,<3",
    "rich>=13.7",
)

pytestmark = pytest.mark.skipif(
    sys.version_info[:2] != (3, 11), reason="tflite-runtime has wheels up to Python 3.11: run the tests with that one"
)


@pytest.fixture(scope="module")
def fallback_python(pytestconfig: pytest.Config) -> Path:
    """A Python with tflite-runtime in LiteRT's place, kept between runs."""
    venv = pytestconfig.cache.mkdir("tflite-runtime")
    python, finished = venv / "bin" / "python", venv / "finished"
    if not finished.is_file() or finished.read_text() != repr(WANTED):
        shutil.rmtree(venv)
        subprocess.run([sys.executable, "-m", "venv", venv], check=True, timeout=120)
        install = [python, "-m", "pip", "install", "--quiet", "--only-binary=:all:", "--retries=1", *WANTED]
        done = subprocess.run(install, capture_output=True, text=True, check=False, timeout=300)
        if done.returncode:
            absent(f"tflite-runtime cannot be installed here: {' '.join(done.stderr.split())[-200:]}")
        finished.write_text(repr(WANTED))
    return python


@dataclass(frozen=True)
class Run:
    """What one `labelcam run` over the photographs said."""

    labels: dict[str, str]
    summary: dict[str, Any]
    warnings: list[str]


def run_over_photographs(python: Path, model: Path, folder: Path) -> Run:
    summary = folder / f"{python.parents[1].name}.json"
    command = [python, "-m", "labelcam", "run", "--json", "--model", model, "--camera", f"photos:{folder / 'photos'}"]
    done = subprocess.run(
        [*command, "--summary", summary],
        env={**os.environ, "PYTHONPATH": str(ROOT / "device")},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    readings = [json.loads(line) for line in done.stdout.splitlines()]
    return Run(
        labels={reading["source"]: reading["label"] for reading in readings},
        summary=json.loads(summary.read_text()),
        warnings=[line for line in done.stderr.splitlines() if line.startswith("WARNING") and "XNNPACK" in line],
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("fallback")
    (folder / "photos").mkdir()
    for picture in photographs():
        shutil.copy(picture, folder / "photos")
    return folder


@pytest.fixture(scope="module")
def fallback(fallback_python: Path, person_model: Path, folder: Path) -> Run:
    return run_over_photographs(fallback_python, person_model, folder)


def test_the_summary_names_the_runtime_that_ran(fallback: Run) -> None:
    """Nobody can take its figures for LiteRT's."""
    assert fallback.summary["runtime"] == "tflite-runtime 2.14.0"


def test_no_operation_is_said_to_be_delegated(fallback: Run) -> None:
    """tflite-runtime's XNNPACK takes no operation of an int8 network, and we count what is, not what should be."""
    taken, total = fallback.summary["delegated_ops"]
    assert taken == 0
    assert total > 0
    assert fallback.summary["delegate"] == "none"


def test_one_line_says_what_is_lost_and_the_remedy(fallback: Run) -> None:
    """An int8 network at a tenth of its speed is no secret."""
    (warning,) = fallback.warnings
    assert "tflite-runtime 2.14.0" in warning
    assert "without XNNPACK" in warning
    assert "pip install ai-edge-litert" in warning


def test_it_answers_as_litert_does(fallback: Run, person_model: Path, folder: Path) -> None:
    """The same model file gives the same best label for every photograph, and LiteRT has nothing to warn of."""
    usual = run_over_photographs(Path(sys.executable), person_model, folder)
    assert usual.summary["runtime"].startswith("ai-edge-litert ")
    assert usual.warnings == []
    assert len(usual.labels) == len(photographs())
    assert fallback.labels == usual.labels
