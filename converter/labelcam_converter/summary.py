# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""What `build` and `models` tell a person at the end."""

import os
import shlex
import shutil
import sys
from pathlib import Path
from typing import Any

from . import zoo
from .plurals import images
from .result import Result
from .zoo import weights

_FIGURES = range(1, 5)
"""The columns of `models` that are numbers, and stand right-aligned."""


def print_result(result: Result) -> None:
    """Say where the model file is, how good it is, what is inside and what to type next."""
    size = result.output.stat().st_size / 1e6
    how = "unchanged, reused" if result.reused else f"written in {sum(result.seconds.values()):.0f} s"
    print(f"{result.output}: {size:.2f} MB, {result.manifest.scheme}; {how}")
    if mapping := result.manifest.edgetpu:
        mapped = f"{mapping['mapped']} of {mapping['operations']} operations"
        print(f"{mapped} run on the Edge TPU; the CPU twin lies inside for machines without one")
    print(f"it answers like float on {_agreement(result.fidelity)}, KL {result.fidelity['kl']:.4f}")
    if right := result.fidelity["accuracy"]:
        ours, exact = right["int8"]["value"], right["float"]["value"]
        print(f"it is right on {ours:.1%} of {images(right['images'])}, float on {exact:.1%}")
    if result.report:
        print(f"{result.report}: the report; open it in a browser")
    if _has_pictures(result.output):
        whose = "" if "scikit-image" in result.manifest.calibration["source"] else " of yours"
        print(f"pictures{whose} lie inside for devices to check themselves on; --golden-images none leaves them out")
    print(f"next: {_labelcam()} classify {shlex.quote(str(result.output))} IMAGE")


def _labelcam() -> str:
    """How to start `labelcam` from here, without a virtual environment being active."""
    if shutil.which("labelcam"):
        return "labelcam"
    script = Path(sys.executable).with_name("labelcam")
    if not script.is_file():
        return f"{shlex.quote(sys.executable)} -m labelcam"
    return shlex.quote(min(os.path.relpath(script), str(script), key=len))


def _agreement(fidelity: dict[str, Any]) -> str:
    share = fidelity["top1_agreement"]
    where = "held-out images" if fidelity["held_out"] else "the very images it was calibrated on"
    interval = f"95% interval {share['low']:.1%} to {share['high']:.1%}"
    return f"{share['value']:.1%} of {images(fidelity['images'])} ({interval}), {where}"


def _has_pictures(path: Path) -> bool:
    from labelcam.model_file import SCORES, ModelFile

    return ModelFile.load(path).has_entry(SCORES)


def _cached(entry: zoo.Entry) -> bool:
    return weights.path_of(entry, entry.alpha, entry.size).is_file()


def models_as_json() -> dict[str, Any]:
    """Return the zoo in the public form."""
    return {
        "schema": 1,
        "models": [
            {
                "name": entry.name,
                "alpha": entry.alpha,
                "size": entry.size,
                "alphas": list(entry.alphas),
                "sizes": list(entry.sizes),
                "parameters": entry.parameters,
                "macs": entry.macs,
                "weights": entry.weights,
                "licence": entry.licence,
                "cached": _cached(entry),
            }
            for entry in zoo.ENTRIES
        ],
    }


def print_models() -> None:
    """Print the zoo as a table that fits into 80 columns; nothing in it is ever folded."""
    header = ("name", "alpha", "size", "params", "MACs", "licence", "weights")
    rows = [
        (
            entry.name,
            f"{entry.alpha:g}",
            str(entry.size),
            f"{entry.parameters / 1e6:.2f} M",
            f"{entry.macs / 1e6:.0f} M",
            entry.licence,
            "cached" if _cached(entry) else "pip" if entry.package else "Keras",
        )
        for entry in zoo.ENTRIES
    ]
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    for row in (header, *rows):
        cells = (
            text.rjust(width) if number in _FIGURES else text.ljust(width)
            for number, (text, width) in enumerate(zip(row, widths, strict=True))
        )
        print("  ".join(cells).rstrip())
