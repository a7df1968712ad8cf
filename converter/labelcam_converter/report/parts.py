# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Turns what the stages of a conversion found into the parts of a report."""

import re
import shlex
from collections.abc import Sequence
from pathlib import Path

from labelcam.model_file import Manifest, Origin
from labelcam.records import Label

from .. import calibration_card
from .. import cost as costs
from .. import fidelity as fidelities
from ..edgetpu.mapping import MappingLog
from ..fidelity.gate import Verdict
from ..fidelity.layers import BROKEN_DB, Layer, breaking
from ..fidelity.shares import Share
from ..plurals import images
from ..scaling import in_words
from . import data
from .thumbnails import thumbnail

_SCHEMES = ("dynamic", "int16x8", "float16", "float32", "int8")


def short_scheme(words: str) -> str:
    """Return the short name of a scheme in full words; "quantised" for one that has none."""
    return next((name for name in _SCHEMES if name in words), "quantised")


def verdict_of(found: fidelities.Fidelity, judged: Verdict | None) -> data.Verdict:
    """Return how the fidelity gate ended, in words; None stands for nothing that was asked for."""
    if judged is not None and judged.message:
        state = data.State.FAILED if judged.failed else data.State.WARNED
        return data.Verdict(state, f"{judged.message}.")
    which = images(found.images).replace(" ", " held-out ", 1) if found.held_out else images(found.images)
    said = f"The quantised network gives the float network's label on {found.agreed} of {which}"
    if judged is None:
        return data.Verdict(data.State.NOT_JUDGED, f"{said}; no limit was asked for.")
    if judged.failed:
        return data.Verdict(data.State.FAILED, f"{said}; at least {judged.limit:.0%} were asked for.")
    return data.Verdict(data.State.PASSED, f"{said}; at least {judged.limit:.0%} were asked for.")


def fidelity_of(found: fidelities.Fidelity, limit: float | None, include_images: bool) -> data.Fidelity:
    """Return how well the quantised network answers like float; the images themselves only where asked for."""
    right = found.accuracy
    accuracy = None if right is None else data.Accuracy(share_of(right.of_float), share_of(right.of_int8))
    return data.Fidelity(
        images=found.images,
        held_out=found.held_out,
        top1_agreement=share_of(Share(found.agreed, found.images)),
        top5_agreement=None if found.agreed_top5 is None else share_of(Share(found.agreed_top5, found.images)),
        kl=found.kl,
        limit=limit,
        accuracy=accuracy,
        accuracy_note=found.accuracy_note,
        layers=_layers(found.layers),
        broken_db=BROKEN_DB,
        points=tuple(
            data.Point(Path(answer.image).name, answer.of_float[0].score, answer.echo, answer.agreed)
            for answer in found.answers
        ),
        worst=tuple(_worst(answer, include_images) for answer in found.worst),
    )


def _layers(layers: Sequence[Layer]) -> tuple[data.Layer, ...]:
    broken = breaking(layers)
    return tuple(
        data.Layer(layer.name, layer.kind, layer.sqnr_db, layer.channel_db, layer.lost_db, layer in broken)
        for layer in layers
    )


def _worst(answer: fidelities.Answer, include_image: bool) -> data.Worst:
    path = Path(answer.image)
    return data.Worst(
        path.name,
        _answers(answer.of_float),
        _answers(answer.of_int8),
        answer.right,
        answer.kl,
        thumbnail(path) if include_image else None,
    )


def _answers(labels: Sequence[Label]) -> tuple[data.Answer, ...]:
    return tuple(data.Answer(label.label, label.score) for label in labels)


def share_of(share: Share) -> data.Share:
    """Return a part of the images with its interval."""
    return data.Share(**share.as_json())


def cost_of(network: costs.Cost) -> data.Cost:
    """Return what a network costs, its memory as its activations are."""
    memory = network.memory[0]
    return data.Cost(
        macs=network.macs,
        parameters=network.parameters,
        standard_convolution_macs=network.standard_convolution_macs,
        activation_bytes_peak=memory.peak_bytes,
        arena_bytes=memory.arena_bytes,
        layers=tuple(
            data.CostLayer(layer.name, layer.kind, layer.output, layer.macs, layer.parameters)
            for layer in network.layers
        ),
        separable=tuple(
            data.Separable(pair.depthwise, pair.kernel, (pair.inputs, pair.outputs), pair.macs, pair.standard_macs)
            for pair in network.separable
        ),
    )


def calibration_of(card: calibration_card.Card) -> data.Calibration:
    """Return the calibration card."""
    rows = [
        ("source", card.source),
        ("images", f"{card.images} of {card.found} found"),
        ("random crops of them", str(card.crops) if card.crops else ""),
        ("held out for comparing", str(card.held_out)),
        ("ranges", card.ranges),
        ("corrections", ", ".join(card.corrections)),
        ("seed", str(card.seed)),
    ]
    dropped = {
        "cannot be read": card.dropped.unreadable,
        "nearly the same as another": card.dropped.near_duplicates,
        "not needed": card.dropped.not_needed,
    }
    histograms = [data.Histogram("brightness", card.brightness, card.brightness_histogram)]
    histograms += [data.Histogram(name, colour.mean, colour.histogram) for name, colour in card.colours.items()]
    return data.Calibration(
        facts=tuple(data.Fact(name, text) for name, text in rows if text),
        warnings=card.warnings,
        classes=dict(card.classes),
        dropped={why: count for why, count in dropped.items() if count},
        histograms=tuple(histograms),
        clipped=tuple(data.Clipped(name, share) for name, share in card.clipped.items()),
    )


def edgetpu_of(log: MappingLog) -> data.EdgeTpu:
    """Return what the Edge TPU's compiler made of the network."""
    words = f"Compiled by edgetpu_compiler {log.compiler}." if log.compiler else ""
    if log.on_chip_bytes is not None:
        words += f" {log.on_chip_bytes / 2**20:.2f} MiB of parameters stay in the chip's memory"
        words += f", {log.off_chip_bytes / 2**20:.2f} MiB are sent for every frame." if log.off_chip_bytes else "."
    rows = tuple(data.Mapped(row.operation, row.count, row.mapped, row.status) for row in log.rows)
    return data.EdgeTpu(rows, words.strip())


def facts_of(manifest: Manifest, labels: int) -> tuple[data.Fact, ...]:
    """Return what a manifest says of the network's input and output."""
    how = manifest.preprocess
    rows = [
        ("architecture", manifest.architecture),
        ("width multiplier", "" if manifest.alpha is None else f"{manifest.alpha:g}"),
        ("input", f"{manifest.input}, RGB"),
        ("pictures are made to fit by", how.fit.value),
        ("the network learned from", in_words(how)),
        ("labels", str(labels)),
        ("sha256 of the network", _short(manifest.flatbuffer_sha256)),
        ("fingerprint of the build", _short(manifest.fingerprint)),
    ]
    return tuple(data.Fact(name, text) for name, text in rows if text)


def _short(sha256: str) -> str:
    return f"{sha256[:12]}…" if sha256 else ""


def licences_of(manifest: Manifest) -> tuple[data.Licence, ...]:
    """Return where weights and labels come from."""
    return _licence("weights", manifest.weights), _licence("labels", manifest.labels)


def _licence(part: str, origin: Origin) -> data.Licence:
    return data.Licence(part, origin.source, origin.licence, origin.sha256)


def shown_command(program: str, arguments: Sequence[str]) -> str:
    """Return a command as it can be typed again, without the folders of whoever typed it first.

    A path that begins at the root, at a home or above is cut down to its name: `--images …/birds`.
    """
    return " ".join([program, *map(_shown, arguments)])


def _shown(argument: str) -> str:
    option, equals, value = argument.partition("=") if argument.startswith("--") else ("", "", argument)
    if re.match("-o.", argument):  # -oOUT.tflite
        option, value = "-o", argument[2:]
    if re.match(r"/|~|\.\./", value):
        value = f"…/{Path(value).name}"
    return option + equals + (shlex.quote(value) if re.search(r"[\s'\"$`\\;&|<>*?()#!\[\]{}]", value) else value)
