# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""`labelcam-convert build`: from a float network to one model file, stage by stage."""

import hashlib
from dataclasses import asdict, replace
from pathlib import Path

from labelcam.classifier import Classifier
from labelcam.console import note, step
from labelcam.errors import LabelcamError
from labelcam.golden import check_goldens
from labelcam.model_file import LABELS, MAKER, MANIFEST, Manifest, ModelFile, manifest_to_json
from labelcam.preprocess import Preprocess

from . import calibration, fidelity, goldens, labels, networks, pictures, scaling
from .fingerprint import unchanged
from .flatbuffer import Graph
from .metadata import metadata
from .model_writer import new_file, pack
from .network_form import Form, classifier_form
from .plan import Options, Plan, plan_build
from .quantize import SCHEME, quantize
from .result import Result
from .stages import Stages


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
    with stages.time("float"):
        network = networks.to_float_tflite(plan.source, options.verbose)
        float_model, graph = network.data, Graph(network.data)
        form = classifier_form(graph, str(plan.source.path or plan.source.name))
    named = _named(plan, form)
    if plan.choice.default:
        note("  calibrating on ten photographs: enough for a try, too few for a product; give yours by --images DIR")
    how = _preprocess(plan.source, network.scales_itself or scaling.scales_itself(graph), options)
    with stages.time("calibrate"):
        chosen = plan.choice.calibration
        seen, skipped = pictures.prepare(chosen, options.samples, options.seed, form.size, how, "reading images")
        ranges = calibration.measure(float_model, seen, how)
    with stages.time("quantize"), step("quantising to int8"):
        quantised = quantize(float_model, ranges)
    with stages.time("compare"):
        compared = _compared(plan.choice, seen, form, how)
        found = fidelity.compare(
            float_model, quantised, compared, how, named.names, held_out=bool(plan.choice.held_out)
        )
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
        labels=named.origin,
        calibration=asdict(calibration.card(plan.choice, seen, len(skipped), options.seed)),
        fidelity=found.figures(),
        tools=plan.tools,
        fingerprint=plan.fingerprint,
    )
    with stages.time("write"), step("packing and checking"):
        manifest = _write(plan, quantised, named.names, manifest)
    return Result(plan.output, manifest, found.as_json(), stages.seconds, reused=False)


def _named(plan: Plan, form: Form) -> labels.Named:
    if plan.named is None:
        note(f"  no labels: the answers will be numbered 0 to {form.outputs - 1}; name them by --labels FILE")
        return labels.numbers(form.outputs)
    labels.check_count(plan.named.names, form.outputs, plan.named.blamed)
    return plan.named


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
    if not found.probabilities:
        note("  warning: the scores will be raw logits: thresholds mean nothing; end the network with a softmax")
    if source.origin.source.startswith("random") and asked is None:
        note("  random weights: how int8 agrees with float says nothing about a trained network")
    elif warning := fidelity.judge(found, asked):
        note(f"  warning: {warning}")


def _write(plan: Plan, quantised: bytes, names: tuple[str, ...], manifest: Manifest) -> Manifest:
    described = metadata(manifest.name, f"{manifest.scheme}, {MAKER}", manifest.preprocess)
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
