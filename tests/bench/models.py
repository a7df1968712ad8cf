# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The networks that are measured, built by the real converter, which leaves a file alone whose inputs are unchanged."""

import sys
from collections.abc import Sequence
from pathlib import Path

from child import output_of

from labelcam.console import step
from labelcam.errors import UsageError

FOLDER = Path("build/bench")

# Random weights do for mobilenet_v2: they change no latency, and need no model hub; nor does it matter how well they
# are quantised.
QUICKLY = ("--weights", "none", "--effort", "fast", "--ranges", "minmax")
BUILDS = {"mobilenet_v2": ("--model", "mobilenet_v2", *QUICKLY), "person": ("--model", "person")}


def model_files(chosen: Sequence[Path]) -> dict[str, Path]:
    """Return every model's file by its name: those chosen as FILE or NAME=FILE, else the ones we build."""
    if chosen:
        return dict(_named(str(choice)) for choice in chosen)
    return {name: _build(name, options) for name, options in BUILDS.items()}


def _named(choice: str) -> tuple[str, Path]:
    name, _, path = choice.rpartition("=")
    if not Path(path).is_file():
        raise UsageError(f"--model {choice}: is not there; check the path")
    return name or Path(path).stem, Path(path)


def _build(name: str, options: Sequence[str]) -> Path:
    path = FOLDER / f"{name}_int8.tflite"
    FOLDER.mkdir(parents=True, exist_ok=True)
    with step(f"the int8 {name}"):
        output_of([sys.executable, "-m", "labelcam_converter", "build", *options, "-o", path])
    return path
