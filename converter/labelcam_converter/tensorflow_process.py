# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Starts the worker process, which alone has TensorFlow, gives it one task and brings back the answer."""

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from labelcam.console import note, progress
from labelcam.errors import LabelcamError, ModelFileError

from .worker.refusal import FULL


@dataclass(frozen=True, slots=True)
class Answer:
    """What a task came to. Its folder is gone after the `with` block."""

    values: Mapping[str, Any]
    folder: Path

    def file(self, name: str) -> bytes:
        """Return a file that the task has left."""
        return (self.folder / name).read_bytes()


def require_tensorflow(what: str) -> None:
    """Raise LabelcamError, with the remedy, where TensorFlow or Keras is not installed, which `what` needs."""
    for package in ("tensorflow", "keras"):
        if importlib.util.find_spec(package) is None:
            raise LabelcamError(
                f"{package} is not installed, and {what} needs it: pip install 'labelcam[converter]' "
                "(a float .tflite converts without)"
            )


@contextmanager
def tensorflow_task(
    task: str, blamed: str, request: Mapping[str, Any], files: Mapping[str, bytes] | None = None, *, verbose: bool
) -> Iterator[Answer]:
    """Have a task done, and give its answer; `files` are laid into its folder first.

    Raises ModelFileError with the worker's reason if it refuses, LabelcamError if it fails; both name `blamed`.
    """
    with tempfile.TemporaryDirectory(prefix="labelcam-") as name:
        folder = Path(name)
        try:
            for file, data in (files or {}).items():
                (folder / file).write_bytes(data)
            (folder / "request.json").write_text(json.dumps({**request, "task": task}))
        except OSError:
            raise _full(folder) from None
        _run(folder, blamed, verbose)
        reply = json.loads((folder / "reply.json").read_text())
        if "refused" in reply:
            raise ModelFileError(f"{blamed}: {reply['refused']}")
        yield Answer(reply, folder)


def _run(folder: Path, blamed: str, verbose: bool) -> None:
    # -P: a keras.py that lies in the working directory is none of ours.
    command = [sys.executable, "-P", "-m", "labelcam_converter.worker", str(folder)]
    # Its own temporary files come here as well, so that they go even if it is killed, and so does what Keras would
    # put into ~/.keras: weights are named by their paths.
    surroundings = {**os.environ, "TMPDIR": str(folder), "KERAS_HOME": str(folder)}
    with (
        tempfile.TemporaryFile("w+", errors="replace") as said,
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=None if verbose else said, text=True, env=surroundings
        ) as worker,
    ):
        try:
            assert worker.stdout is not None  # noqa: S101 - it is a pipe
            _follow(worker.stdout)
            code = worker.wait()
        except BaseException:
            worker.kill()
            raise
        if code == FULL:
            raise _full(folder)
        if code:
            said.seek(0)
            last = (said.read().strip().splitlines() or [f"exit code {code}"])[-1]
            raise LabelcamError(f"{blamed}: TensorFlow failed on it ({last[:200]}); -v shows what it said")


def _full(folder: Path) -> LabelcamError:
    return LabelcamError(f"the temporary folder {folder.parent} is full; free space or set TMPDIR to another")


def _follow(lines: Iterator[str]) -> None:
    """Show what the worker reports, as `console.progress` does, until it closes its stdout."""
    with ExitStack() as shown:
        tick = None
        for line in lines:
            report = json.loads(line)
            if "note" in report:
                note(f"  {report['note']}")
            elif "title" in report:
                shown.pop_all().close()
                tick = shown.enter_context(progress(report["title"], report["total"]))
            elif tick is not None:
                tick()
