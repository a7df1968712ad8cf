# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""What is checked on the host before a Pi gets anything: a failed build or gate never reaches it."""

import subprocess
import sys
from pathlib import Path

from labelcam.classifier import Classifier
from labelcam.errors import GateFailed, LabelcamError, ModelFileError
from labelcam.golden import check_goldens
from labelcam.model_file import ModelFile
from labelcam.settings import load_settings

from .ctrl_c import child
from .wheelhouse import alone, own_wheel

DEFAULT_MODEL = "person"


def checked_settings(path: Path) -> str:
    """Return the text of a settings file. Raises SettingsError for what the daemon would refuse."""
    load_settings(path)
    return path.read_text(encoding="utf-8")


def checked_model(asked: str, cache: Path) -> Path:
    """Return a model file that reproduces its own goldens here, built first where a network of the zoo was named.

    Raises LabelcamError if it cannot be built, ModelFileError or GateFailed if it is damaged.
    """
    path = Path(asked)
    if not path.is_file():
        if path.suffix or "/" in asked:
            raise LabelcamError(f"MODEL={asked}: no such file; give a model file, or a network such as {DEFAULT_MODEL}")
        with alone(cache):
            path = _built(asked, cache)
    model = ModelFile.load(path)
    for golden in check_goldens(model, Classifier(model)):
        if not golden.passed:
            raise GateFailed(f"{path}: fails its own golden {golden.name} ({golden.detail}); build it again")
    return path


def _built(name: str, cache: Path) -> Path:
    """Build a network once for each state of our sources: the same flash twice must not give two models."""
    path = own_wheel(cache).with_name(f"{name}.tflite")
    if not _is_whole(path):
        new = path.with_name(f"{name}.new.tflite")
        command = [sys.executable, "-m", "labelcam_converter", "build", "--model", name, "--output", str(new)]
        # Its last words are about the file that is renamed here.
        with child(command, stdout=subprocess.DEVNULL) as process:
            process.wait()
        if process.returncode:
            raise LabelcamError(f"{name} was not built; the Pi is as it was")
        new.rename(path)
    return path


def _is_whole(path: Path) -> bool:
    try:
        ModelFile.load(path)
    except ModelFileError:
        return False
    return True
