# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""What `make demo` shows at the end: what a frame costs, how good the network is, what to type next."""

import shlex
from pathlib import Path
from typing import Any

from labelcam.console import facts, table


def show(model: Path, summary: dict[str, Any], built: dict[str, Any]) -> None:
    """Print the daemon's summary and what `build` said of the model."""
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
            ("fidelity", fidelity_in_words(built["fidelity"])),
            ("memory", f"{summary['rss_mb']:.0f} MB resident"),
            ("model file", str(model)),
        ]
    )
    print(
        f"\nNext:\n  .venv/bin/labelcam classify {shlex.quote(str(model))} YOUR_PHOTO.jpg\n"
        "  make demo CAMERA=v4l2:/dev/video0      your own camera\n"
        "  .venv/bin/labelcam-convert build --help      your own network and pictures"
    )


def fidelity_in_words(fidelity: dict[str, Any] | None) -> str:
    """Return how well the int8 network answers like float; None stands for a file that is not ours."""
    if fidelity is None:
        return "not known: not made by labelcam-convert"
    agreement, images = fidelity.get("top1_agreement"), fidelity.get("images")
    if not agreement or not images:
        return "not known: its manifest does not say"
    pictures = "1 picture" if images == 1 else f"{images} pictures"
    where = "" if fidelity.get("held_out") else ", the very images it was calibrated on"
    return (
        f"{agreement['value']:.1%} of {pictures} get the float network's label "
        f"(95% interval {agreement['low']:.1%} to {agreement['high']:.1%}){where}"
    )
