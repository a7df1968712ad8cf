# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""`labelcam-convert build`: from a float network to one model file, stage by stage."""

import hashlib
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from labelcam.classifier import Classifier
from labelcam.console import note, step
from labelcam.errors import LabelcamError
from labelcam.golden import check_goldens
from labelcam.model_file import LABELS, MANIFEST, Manifest, ModelFile, Origin, manifest_to_json
from labelcam.preprocess import Preprocess

from . import calibration, fidelity, goldens, labels, networks, pictures, scaling
from .fingerprint import unchanged
from .flatbuffer import Graph
from .metadata import metadata
from .model_writer import new_file, pack
from .network_form import Form, classifier_form
from .plan import Options, Plan, plan_build
from .quantize import SCHEME, quantize
from .stages import Stages

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Result:
    """A model file, and how it came about."""

    output: Path
    manifest: Manifest
    fidelity: dict[str, Any]
    seconds: dict[str, float]
    reused: bool

    def as_json(self) -> dict[str, Any]:
        """Return the public form."""
        return {
            "schema": SCHEMA,
            "output": str(self.output),
            "bytes": self.output.stat().st_size,
            "scheme": self.manifest.scheme,
            "model": self.manifest.name,
            "weights": asdict(self.manifest.weights),
            "seconds": self.seconds,
            "calibration": dict(self.manifest.calibration),
            "fidelity": self.fidelity,
            "edgetpu": None,
            "report": None,
            "reused": self.reused,
        }


def build(options: Options) -> Result:
    """Build the model file, or find that it is there already and unchanged."""
    stages = Stages()
    with stages.time("describe"):
        plan = plan_build(options)
        manifest = unchanged(plan.output, plan.fingerprint)
    if manifest is not None:
        return Result(plan.output, manifest, {**manifest.fidelity, "worst": []}, stages.seconds, reused=True)
    return _convert(options, plan, stages)


def _convert(options: Options, plan: Plan, stages: Stages) -> Result:
    if plan.choice.default:
        note("  calibrating on ten photographs: enough for a try, too few for a product; give yours by --images DIR")
    with stages.time("float"):
        network = networks.to_float_tflite(plan.source, options.verbose)
        float_model, graph = network.data, Graph(network.data)
        form = classifier_form(graph, plan.source.name)
    names, named_by = _labels(plan, form, options)
    how = _preprocess(plan.source, network.scales_itself or scaling.scales_itself(graph), options)
    with stages.time("calibrate"):
        chosen = plan.choice.calibration
        seen, skipped = pictures.prepare(chosen, options.samples, options.seed, form.size, how, "reading images")
        ranges = calibration.measure(float_model, seen, how)
    with stages.time("quantize"), step("quantising to int8"):
        quantised = quantize(float_model, ranges)
    with stages.time("compare"):
        compared = _compared(plan.choice, seen, form, how)
        found = fidelity.compare(float_model, quantised, compared, how, names, held_out=bool(plan.choice.held_out))
    _judge(found, plan.source, options.min_agreement)
    entry = plan.source.entry
    manifest = Manifest(
        name=plan.source.name,
        architecture=entry.architecture if entry else "custom",
        alpha=plan.source.alpha,
        input=form.size,
        preprocess=how,
        scheme=SCHEME,
        weights=plan.source.origin,
        labels=named_by,
        calibration=asdict(calibration.card(plan.choice, seen, len(skipped), options.seed)),
        fidelity=found.figures(),
        tools=plan.tools,
        fingerprint=plan.fingerprint,
    )
    with stages.time("write"), step("packing and checking"):
        manifest = _write(plan, quantised, names, manifest)
    return Result(plan.output, manifest, found.as_json(), stages.seconds, reused=False)


def _labels(plan: Plan, form: Form, options: Options) -> tuple[tuple[str, ...], Origin]:
    entry = plan.source.entry
    if plan.names is not None:
        labels.check_count(plan.names, form.outputs, f"--labels {options.labels}")
        return plan.names, labels.origin(plan.names, f"file {options.labels.name if options.labels else ''}", "own")
    if entry is not None:
        names = labels.imagenet_labels() if entry.keras else labels.PERSON
        labels.check_count(names, form.outputs, f"the zoo's {entry.name}")
        return names, labels.origin(names, entry.labels, "MIT" if entry.keras else entry.licence)
    packed = labels.packed_with(plan.source.path)
    if packed is not None:
        labels.check_count(packed, form.outputs, str(plan.source.path))
        return packed, labels.origin(packed, "the float model file", "as its owner says")
    note(f"  no labels: the answers will be numbered 0 to {form.outputs - 1}; name them by --labels FILE")
    names = tuple(str(number) for number in range(form.outputs))
    return names, labels.origin(names, "numbers", "none needed")


def _preprocess(source: networks.Source, scales_itself: bool, options: Options) -> Preprocess:
    if options.preprocess:
        how = scaling.parse(options.preprocess)
    elif source.entry is not None:
        how = source.entry.preprocess
    else:
        # -1 to 1 is what MobileNets that do not scale their input themselves have learned from.
        how = scaling.parse("raw" if scales_itself else "tf")
        note(f"  the network is taken to expect {scaling.in_words(how)}; if not, say so by --preprocess")
    return replace(how, fit=options.fit)


def _compared(
    choice: pictures.Choice, seen: list[pictures.Picture], form: Form, how: Preprocess
) -> list[pictures.Picture]:
    if choice.held_out:
        return pictures.prepare(choice.held_out, 0, 0, form.size, how, "reading held-out images")[0]
    # Too few to spare any: on the very images that calibrated, and the figures say so.
    return [picture for picture in seen if picture.whole]


def _judge(found: fidelity.Fidelity, source: networks.Source, asked: float | None) -> None:
    if source.origin.source.startswith("random") and asked is None:
        note("  random weights: how int8 agrees with float says nothing about a trained network")
    elif warning := fidelity.judge(found, asked):
        note(f"  warning: {warning}")


def _write(plan: Plan, quantised: bytes, names: tuple[str, ...], manifest: Manifest) -> Manifest:
    described = metadata(manifest.name, f"{manifest.scheme}, by labelcam", manifest.preprocess)
    flatbuffer = Graph(quantised).with_metadata(described)
    manifest = replace(manifest, flatbuffer_sha256=hashlib.sha256(flatbuffer).hexdigest())
    entries = {LABELS: "".join(f"{name}\n" for name in names).encode(), MANIFEST: manifest_to_json(manifest).encode()}
    with new_file(plan.output) as new:
        if plan.golden_files:
            new.write_bytes(flatbuffer)
            bare = ModelFile(new, len(flatbuffer), "", names, manifest)
            entries |= goldens.make_goldens(plan.golden_files, Classifier(bare), manifest.preprocess)
        new.write_bytes(pack(flatbuffer, entries))
        _prove(new)
    return manifest


def _prove(new: Path) -> None:
    """Read the finished file back as a device would, and run its own goldens."""
    model = ModelFile.load(new)
    for result in check_goldens(model, Classifier(model)):
        if not result.passed:
            raise LabelcamError(f"the file fails its own golden {result.name}: {result.detail}; please report it")
