# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The report of a `compare`."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import labelcam

from ..fidelity.comparison import Comparison
from ..scaling import in_words
from . import data, parts


def report_of_comparison(found: Comparison, command: Sequence[str], include_images: bool) -> data.Report:
    """Return the report; `command` is what was typed behind the program's name."""
    asked = found.asked
    rows = [
        ("float", asked.float_path.name),
        ("compared with it", asked.int8_path.name),
        ("pictures are made to fit by", found.how.fit.value),
        ("both were fed", in_words(found.how)),
        ("images found", str(found.choice.found)),
        ("nearly the same as another", str(found.choice.near_duplicates or "")),
        ("cannot be read", str(found.choice.unreadable or "")),
        ("seed", str(asked.seed)),
    ]
    return data.Report(
        kind="compare",
        title=asked.int8_path.stem,
        scheme=f"{found.scheme}, against {asked.float_path.name}",
        short=parts.short_scheme(found.scheme),
        # Its own words would speak of a model that is not written.
        verdict=parts.verdict_of(found.fidelity, found.verdict and replace(found.verdict, message=None)),
        advice=found.help,
        facts=tuple(data.Fact(name, text) for name, text in rows if text),
        float_bytes=_bytes(asked.float_path),
        model_bytes=_bytes(asked.int8_path),
        fidelity=parts.fidelity_of(found.fidelity, found.verdict.limit if found.verdict else None, include_images),
        tools={"labelcam": labelcam.__version__},
        command=parts.shown_command("labelcam-convert", command),
    )


def _bytes(path: Path) -> int | None:
    # Of another format the size would compare what cannot be compared: optimiser's state, text, compression.
    return path.stat().st_size if path.suffix.lower() == ".tflite" else None
