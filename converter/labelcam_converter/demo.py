# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""`make demo`: convert a network, run the daemon over photographs or a camera, and show what it costs.

Both programs are started as a user would start them; nothing is done here that their command lines cannot do.
"""

import argparse
import contextlib
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from labelcam.console import answer, note, progress
from labelcam.errors import ModelFileError
from labelcam.model_file import ModelFile

from .demo_report import show
from .flatbuffer import Graph
from .pictures.photographs import photographs

STATISTICS_FRAMES = 200
"""Frames that are measured after the first look at each photograph."""

FOLDER = Path("build/demo")

PATIENCE_S = 10.0
"""How long a program that was asked to end may take for it."""


@dataclass(frozen=True, slots=True)
class Demo:
    """What is to be shown."""

    model: Path
    camera: str
    first_look: int
    """Readings that are printed one by one."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the demonstration and return its exit code."""
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--model", default="person")
    parser.add_argument("--camera", default="")
    args = parser.parse_args(argv)
    return answer("make demo", lambda: _show_all(args.model, args.camera))


def _show_all(model_name: str, camera: str) -> int:
    FOLDER.mkdir(parents=True, exist_ok=True)
    try:
        model, built = _model(model_name)
        demo = _demo(model, camera)
        show(demo.model, _run(demo), built)
    except subprocess.CalledProcessError as error:
        return error.returncode  # the program has said why
    return 0


def _model(name: str) -> tuple[Path, dict[str, Any]]:
    """Build the model, or take a finished model file as it is; returns it with what `build` says of it."""
    path = Path(name)
    if path.suffix == ".tflite" and path.is_file():
        with contextlib.suppress(ModelFileError):  # the converter will say what is wrong
            finished = ModelFile.load(path)
            if finished.manifest or _is_quantised(finished):
                fidelity = finished.manifest.fidelity if finished.manifest else None
                return path, {"bytes": path.stat().st_size, "fidelity": fidelity}
    output = FOLDER / f"{path.stem if path.suffix else name}_int8.tflite"
    note(f"1. the converter: {name} to int8")
    command = [sys.executable, "-m", "labelcam_converter", "build", "--model", name, "-o", str(output), "--json"]
    built = json.loads(_answer(command))
    if built["reused"]:
        note("   unchanged, reused")
    return output, built


def _is_quantised(model: ModelFile) -> bool:
    fed = Graph(model.path.read_bytes()[: model.flatbuffer_bytes]).inputs
    return any(tensor.dtype != "float32" for tensor in fed)


def _answer(command: Sequence[str]) -> str:
    # Not subprocess.run: a quarter of a second after Ctrl-C it kills, and what was half done would stay in /tmp.
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as program:
        try:
            said, _ = program.communicate()
        except KeyboardInterrupt:
            _let_end(program)
            raise
    if program.returncode:
        raise subprocess.CalledProcessError(program.returncode, command)
    return said


def _let_end(program: "subprocess.Popen[str]") -> None:
    """Wait for a program that Ctrl-C has reached as well; one that does not end is told to."""
    try:
        program.wait(PATIENCE_S)
    except subprocess.TimeoutExpired:
        program.terminate()


def _demo(model: Path, camera: str) -> Demo:
    if camera:
        return Demo(model, _looped(camera), first_look=20)
    folder = FOLDER / "photos"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    pictures = photographs()
    for picture in pictures:
        shutil.copy(picture, folder)
    return Demo(model, f"photos:{folder}?loop", first_look=len(pictures))


def _looped(camera: str) -> str:
    """A camera that does not run out of frames before they are measured."""
    if not camera.startswith(("photos:", "video:")) or re.search(r"[?&]loop(&|$)", camera):
        return camera
    return camera + ("&loop" if re.search(r"\?fps=[^&?]*$", camera) else "?loop")


def _shown(camera: str) -> str:
    """The camera without the user and password of its address, mistyped as it may be."""
    if camera.startswith(("photos:", "video:", "v4l2:", "synthetic:")):
        return camera
    return re.sub(r"^(\w*:?/*).*@", r"\1…@", camera)


def _run(demo: Demo) -> dict[str, Any]:
    note(f"2. the daemon: {_shown(demo.camera)}")
    summary, settings = FOLDER / "summary.json", FOLDER / "labelcam.toml"
    FOLDER.mkdir(parents=True, exist_ok=True)
    # Whoever tries it wants to know at once that the camera is not there; settings of the machine have no part in it.
    settings.write_text("[camera]\nstart_seconds = 1\ngive_up_seconds = 5\n")
    command = [sys.executable, "-m", "labelcam", "run", "--json", "--model", str(demo.model), "--camera", demo.camera]
    command += ["--settings", str(settings)]
    command += ["--frames", str(demo.first_look + STATISTICS_FRAMES), "--summary", str(summary)]
    with (
        tempfile.TemporaryFile("w+") as log,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True) as daemon,
    ):
        assert daemon.stdout is not None  # noqa: S101, a pipe was asked for
        try:
            _watch(demo, daemon.stdout)
        except KeyboardInterrupt:
            daemon.terminate()
            _let_end(daemon)
            raise
        code = daemon.wait()
        log.seek(0)
        for line in log:
            if line.startswith("WARNING") or code:
                print(line, end="", file=sys.stderr)
    if code:
        raise subprocess.CalledProcessError(code, command)
    return dict(json.loads(summary.read_text()))


def _watch(demo: Demo, lines: IO[str]) -> None:
    readings: Iterator[dict[str, Any]] = (line for line in map(json.loads, lines) if line["label"] is not None)
    for number, reading in enumerate(readings, 1):
        name = reading["source"] or f"frame {reading['seq']}"
        print(f"   {name:20} {reading['label']:30.30} {reading['score']:.2f}", flush=True)
        if number == demo.first_look:
            break
    else:
        return  # it ended before there was anything to measure, and says why
    with progress(f"measuring {STATISTICS_FRAMES} more frames", STATISTICS_FRAMES) as advance:
        for _ in readings:
            advance()


if __name__ == "__main__":
    sys.exit(main())
