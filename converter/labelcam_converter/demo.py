# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""`make demo`: convert a network, run the daemon over photographs or a camera, and show what it costs.

Both programs are started as a user would start them; nothing is done here that their command lines cannot do.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from labelcam.console import answer, facts, note, progress, table
from labelcam.errors import ModelFileError
from labelcam.model_file import ModelFile

from .photographs import photographs

STATISTICS_FRAMES = 200
"""Frames that are measured after the first look at each photograph."""

FOLDER = Path("build/demo")


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
        _show(demo, _run(demo), built)
    except subprocess.CalledProcessError as error:
        return error.returncode  # the program has said why
    return 0


def _model(name: str) -> tuple[Path, dict[str, Any]]:
    """Build the model, or take a finished model file as it is; returns it with what `build` says of it."""
    path = Path(name)
    if path.suffix == ".tflite" and path.is_file():
        try:
            finished = ModelFile.load(path)
        except ModelFileError:
            finished = None  # a float network without our manifest: the converter will say
        if finished and finished.manifest:
            return path, {"bytes": path.stat().st_size, "fidelity": finished.manifest.fidelity}
    output = FOLDER / f"{path.stem if path.suffix else name}_int8.tflite"
    note(f"1. the converter: {name} to int8")
    command = [sys.executable, "-m", "labelcam_converter", "build", "--model", name, "-o", str(output), "--json"]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    return output, json.loads(done.stdout)


def _demo(model: Path, camera: str) -> Demo:
    if camera:
        return Demo(model, camera, first_look=20)
    folder = FOLDER / "photos"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    pictures = photographs()
    for picture in pictures:
        shutil.copy(picture, folder)
    return Demo(model, f"photos:{folder}?loop", first_look=len(pictures))


def _run(demo: Demo) -> dict[str, Any]:
    note(f"2. the daemon: {demo.camera}")
    summary = FOLDER / "summary.json"
    command = [sys.executable, "-m", "labelcam", "run", "--json", "--model", str(demo.model), "--camera", demo.camera]
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
    readings: Iterator[dict[str, Any]] = map(json.loads, lines)
    for number, reading in enumerate(readings, 1):
        name = reading["source"] or f"frame {reading['seq']}"
        print(f"   {name:20} {reading['label']:30.30} {reading['score']:.2f}", flush=True)
        if number == demo.first_look:
            break
    with progress(f"measuring {STATISTICS_FRAMES} more frames", STATISTICS_FRAMES) as advance:
        for _ in readings:
            advance()


def _show(demo: Demo, summary: dict[str, Any], built: dict[str, Any]) -> None:
    stages = {**summary["stages_ms"], "age": summary["age_ms"]}
    rows = [(stage, *(f"{ms[share]:.2f}" for share in ("p50", "p95", "p99"))) for stage, ms in stages.items()]
    print()
    table(rows, header=("milliseconds", "p50", "p95", "p99"))
    taken, total = summary["delegated_ops"]
    print()
    facts(
        [
            ("frames per second", f"{summary['fps']:.1f}"),
            ("delegate", f"{summary['delegate']} took {taken} of {total} operations ({summary['runtime']})"),
            ("int8 model", f"{built['bytes'] / 1e6:.2f} MB"),
            ("fidelity", _fidelity(built["fidelity"])),
            ("memory", f"{summary['rss_mb']:.0f} MB resident"),
            ("model file", str(demo.model)),
        ]
    )
    print(
        f"\nNext:\n  .venv/bin/labelcam classify {demo.model} YOUR_PHOTO.jpg\n"
        "  make demo CAMERA=v4l2:/dev/video0      your own camera\n"
        "  make demo MODEL=mobilenet_v2           another network (.venv/bin/labelcam-convert models lists them)"
    )


def _fidelity(fidelity: dict[str, Any]) -> str:
    agreement, images = fidelity["top1_agreement"], fidelity["images"]
    return (
        f"{agreement['value']:.1%} of {images} pictures get the float network's label "
        f"(95% interval {agreement['low']:.1%} to {agreement['high']:.1%})"
    )


if __name__ == "__main__":
    sys.exit(main())
