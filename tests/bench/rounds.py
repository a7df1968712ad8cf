# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The contest: the bare interpreter, labelcam and MediaPipe take turns, so that a slow minute slows all of them."""

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from child import ChildFailed, output_of

from labelcam.camera import open_camera, parse_spec
from labelcam.camera.synthetic import PATTERNS
from labelcam.console import note, progress

Turn = Callable[[float], Any]

CAMERA = "synthetic:640x480"
HERE = Path(__file__).parent
LABELCAM = Path(sys.executable).with_name("labelcam")


@dataclass(frozen=True, slots=True)
class Round:
    """What each contestant reached in one round, in frames per second."""

    raw_fps: float
    labelcam_fps: float
    everything_fps: float | None
    """labelcam's with JSON lines, MQTT and metrics on; None where there is no broker."""

    mediapipe_fps: float | None
    """None where MediaPipe cannot be had, or cannot run this model."""

    stages_ms: dict[str, Any]
    """Where labelcam's time went, as its summary says it."""


@dataclass(frozen=True, slots=True)
class Runners:
    """The contestants' commands."""

    model: Path
    mediapipe: Path | None
    """The Python that has MediaPipe."""

    folder: Path
    """Where the frames for MediaPipe and labelcam's summaries lie."""

    settings: Path | None = None
    """Of the daemon with everything on."""

    @classmethod
    def prepare(cls, model: Path, mediapipe: Path | None, folder: Path, settings: Path | None) -> Self:
        """Export the synthetic camera's frames, and find out whether MediaPipe runs this model."""
        runners = cls(model, mediapipe, folder, settings)
        if mediapipe is None:
            return runners
        np.save(runners._frames, _synthetic_frames())
        try:
            runners._mediapipe_fps(0.2)
        except ChildFailed as error:
            note(f"  MediaPipe is left out, it does not run this model: {error}")
            return cls(model, None, folder, settings)
        return runners

    @property
    def _frames(self) -> Path:
        return self.folder / "frames.npy"

    def raw(self, seconds: float) -> float:
        return float(output_of([sys.executable, HERE / "raw_loop.py", self.model, seconds]))

    def labelcam(self, seconds: float, settings: Path | None = None) -> dict[str, Any]:
        """Run the daemon as a user would, and return its summary."""
        summary = self.folder / "summary.json"
        command = [LABELCAM, "run", "--model", self.model, "--camera", CAMERA]
        with_settings = ["--settings", settings] if settings else []
        output_of([*command, *with_settings, "--seconds", seconds, "--summary", summary])
        return dict(json.loads(summary.read_text()))

    def everything_fps(self, seconds: float) -> float | None:
        return float(self.labelcam(seconds, self.settings)["fps"]) if self.settings else None

    def mediapipe_fps(self, seconds: float) -> float | None:
        return None if self.mediapipe is None else self._mediapipe_fps(seconds)

    def _mediapipe_fps(self, seconds: float) -> float:
        return float(output_of([self.mediapipe, HERE / "mediapipe_loop.py", self.model, self._frames, seconds]))


def run_rounds(runners: Runners, count: int, seconds: float) -> Sequence[Round]:
    """Let every contestant run for so many seconds, `count` times."""
    rounds = []
    contestants = 2 + (runners.mediapipe is not None) + (runners.settings is not None)
    with progress(f"{count} rounds of {contestants} times {seconds:g} s", count) as advance:
        for number in range(count):
            # Every other round the other way round, so that neither is always the one that follows MediaPipe's.
            if number % 2:
                full, summary, raw = _turns(runners.everything_fps, runners.labelcam, runners.raw, seconds)
            else:
                raw, summary, full = _turns(runners.raw, runners.labelcam, runners.everything_fps, seconds)
            fps = float(summary["fps"])
            rounds.append(Round(raw, fps, full, runners.mediapipe_fps(seconds), summary["stages_ms"]))
            advance()
    return rounds


def _turns(first: Turn, second: Turn, third: Turn, seconds: float) -> tuple[Any, Any, Any]:
    return first(seconds), second(seconds), third(seconds)


def _synthetic_frames() -> np.ndarray[Any, np.dtype[np.uint8]]:
    """The very frames that labelcam sees, frames x height x width x 3."""
    with open_camera(parse_spec(CAMERA), max_fps=1000, timeout_s=1) as camera:
        return np.stack([camera.capture().pixels for _ in range(PATTERNS)])
