# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The report of a `build`, whether it passed the gate or not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from labelcam.model_file import Manifest

from .. import calibration_card
from .. import cost as costs
from .. import fidelity as fidelities
from ..edgetpu.mapping import MappingLog
from ..fidelity.gate import Verdict
from . import data, parts


@dataclass(frozen=True, slots=True)
class Conversion:
    """What a build has found by the time that its gate has judged."""

    manifest: Manifest
    labels: int
    """How many."""

    fidelity: fidelities.Fidelity
    card: calibration_card.Card
    verdict: Verdict | None
    """None where nothing is judged: a network of random weights."""

    float_bytes: int
    """Size of the float network, as .tflite; so is the next."""

    model_bytes: int
    cost: costs.Cost | None = None
    edgetpu: MappingLog | None = None
    advice: Sequence[str] = ()
    seconds: Mapping[str, float] = field(default_factory=dict)


def report_of_build(built: Conversion, command: Sequence[str], include_images: bool) -> data.Report:
    """Return the report; `command` is what was typed behind the program's name."""
    manifest = built.manifest
    width = "" if manifest.alpha is None else f" {float(manifest.alpha)}"
    return data.Report(
        kind="build",
        title=f"{manifest.name}{width}, {manifest.input}",
        scheme=manifest.scheme,
        short=parts.short_scheme(manifest.scheme),
        verdict=parts.verdict_of(built.fidelity, built.verdict),
        advice=tuple(built.advice),
        facts=parts.facts_of(manifest, built.labels),
        float_bytes=built.float_bytes,
        model_bytes=built.model_bytes,
        fidelity=parts.fidelity_of(built.fidelity, built.verdict.limit if built.verdict else None, include_images),
        cost=None if built.cost is None else parts.cost_of(built.cost),
        calibration=parts.calibration_of(built.card),
        edgetpu=None if built.edgetpu is None else parts.edgetpu_of(built.edgetpu),
        seconds=dict(built.seconds),
        tools=dict(manifest.tools),
        licences=parts.licences_of(manifest),
        command=parts.shown_command("labelcam-convert", command),
    )
