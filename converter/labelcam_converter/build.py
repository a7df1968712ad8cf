# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""`labelcam-convert build`: from a float network to one model file, stage by stage."""

from collections.abc import Sequence
from dataclasses import asdict, replace

from labelcam.console import note, step
from labelcam.errors import GateFailed
from labelcam.model_file import Manifest
from labelcam.preprocess import Preprocess
from labelcam.scores import DecisionConstants

from . import calibration_card, cost, decision_constants, fidelity, labels, networks, pictures, scaling
from .assembly import write_model
from .edgetpu.compiler import Compilation
from .edgetpu.packing import compiled_scheme
from .edgetpu.stage import compile_checked, judge_mapping
from .fidelity import gate
from .fidelity.advice import what_helps
from .fingerprint import unchanged
from .flatbuffer import Graph
from .networks import first_layer
from .networks.network_form import Form, classifier_form
from .plan import Options, Plan, plan_build
from .quantization.by_tensorflow import quantize_with_tensorflow
from .quantization.effort import Quantised, quantize_network
from .quantization.schemes import Wanted
from .report.conversion import Conversion, report_of_build
from .report.page import write_report
from .result import Result
from .stages import Stages


def build(options: Options) -> Result:
    """Build the model file, or find that it is there already and unchanged.

    Raises GateFailed, with the report written and no model, where the network does not answer like the float one.
    """
    stages = Stages()
    with stages.time("describe"):
        plan = plan_build(options)
        # A report shows more than a model file tells.
        manifest = None if options.report else unchanged(plan.output, plan.fingerprint)
    if manifest is not None:
        return Result(plan.output, manifest, {**manifest.fidelity, "worst": []}, stages.seconds, reused=True)
    return _convert(options, plan, stages)


def _convert(options: Options, plan: Plan, stages: Stages) -> Result:
    with stages.time("float"):
        network = networks.to_float_tflite(plan.source, options.verbose)
        form = classifier_form(Graph(network.data), str(plan.source.path or plan.source.name))
    named = _named(plan, form)
    if plan.choice.default:
        note("  calibrating on ten photographs: enough for a try, too few for a product; give yours by --images DIR")
    how = _preprocess(plan.source, network, options)
    with stages.time("calibrate"):
        chosen = plan.choice.calibration
        seen, skipped = pictures.prepare(chosen, options.samples, options.seed, form.size, how, "reading images")
        if warning := first_layer.doubt(network.data, seen, how, network.norm):
            note(f"  warning: {warning}")
    with stages.time("quantize"):
        made = _quantised(options, plan, network.data, seen, how)
    with stages.time("compare"):
        compared = _compared(plan.choice, seen, form, how)
        classes = {path: name for path, name in plan.choice.classes.items() if path not in plan.learned}
        held_out = bool(plan.choice.held_out)
        found = fidelity.compare(network.data, made.data, compared, how, named.names, held_out, classes)
        if plan.learned:
            count = len(plan.learned)
            note(f"  the network has learned from {count} of these images: they do not count for its accuracy")
    card = calibration_card.card(plan.choice, seen, len(skipped), options.seed, made)
    manifest = Manifest(
        name=plan.source.name,
        architecture=plan.source.entry.architecture if plan.source.entry else "custom",
        alpha=plan.source.alpha,
        input=form.size,
        preprocess=how,
        scheme=made.scheme,
        weights=plan.source.origin,
        labels=named.origin,
        calibration=asdict(card),
        fidelity=found.figures(),
        decision=_decision(found, [picture.path not in plan.learned for picture in compared]),
        tools=plan.tools,
        fingerprint=plan.fingerprint,
    )
    for warning in card.warnings:
        note(f"  warning: {warning}")
    judged = _judged(found, plan.source, options)
    account = Conversion(
        manifest, len(named.names), found, card, judged, len(network.data), len(made.data), seconds=stages.seconds
    )
    # An Edge TPU leaves no other way to quantise: what remains to be said is about the images and the layers.
    effort = "max" if plan.compiler else options.effort or "normal"
    advice = what_helps(found, made.scheme, effort, card.images, judged.limit) if judged else ()
    for sentence in advice:
        note(f"  {sentence}")
    account = replace(account, advice=advice, cost=_cost(plan.source.title, network.data, made.data))
    compilation = _passed(options, plan, account, made.data, stages)
    with stages.time("write"), step("packing and checking"):
        manifest = write_model(plan, made.data, compilation, named.names, manifest)
    _report(options, replace(account, manifest=manifest, edgetpu=compilation.log if compilation else None))
    return Result(plan.output, manifest, found.as_json(), stages.seconds, reused=False, report=options.report)


def _quantised(
    options: Options, plan: Plan, float_model: bytes, seen: Sequence[pictures.Picture], how: Preprocess
) -> Quantised:
    if plan.compiler:
        with step("quantising with TensorFlow"):
            data = quantize_with_tensorflow(
                plan.source, seen, how, io_type=plan.io, per_channel_dense=False, verbose=options.verbose
            )
        return Quantised(data, compiled_scheme(plan.io), "minmax")
    wanted = Wanted(
        options.scheme,
        plan.io,
        options.ranges or "auto",
        options.effort or "normal",
        options.seed,
        blamed=str(plan.source.path or plan.source.name),
        verbose=options.verbose,
    )
    return quantize_network(float_model, seen, how, wanted)


def _passed(options: Options, plan: Plan, account: Conversion, network: bytes, stages: Stages) -> Compilation | None:
    """Hold the network against its gates, the Edge TPU's last; where one of them fails, the report says so."""
    try:
        if account.verdict:
            account.verdict.enforce()
        if not plan.compiler:
            return None
        with stages.time("compile"):
            compilation = compile_checked(plan.compiler, network, options.min_mapped)
        account = replace(account, edgetpu=compilation.log)  # for the report, most of all where it is too little
        judge_mapping(compilation, options.min_mapped)
        return compilation
    except GateFailed as failure:
        limit = account.verdict.limit if account.verdict else 0.0
        _report(options, replace(account, verdict=gate.Verdict(limit, failed=True, message=str(failure))))
        raise


def _report(options: Options, account: Conversion) -> None:
    """Write what was asked for; only of a network that became a file or failed a gate, never of half a build."""
    if options.report:
        write_report(report_of_build(account, options.command, options.include_images), options.report)


def _named(plan: Plan, form: Form) -> labels.Named:
    if plan.named is None:
        note(f"  no labels: the answers will be numbered 0 to {form.outputs - 1}; name them by --labels FILE")
        return labels.numbers(form.outputs)
    labels.check_count(plan.named.names, form.outputs, plan.named.blamed)
    return plan.named


def _preprocess(source: networks.Source, network: networks.FloatNetwork, options: Options) -> Preprocess:
    if options.preprocess:
        how = scaling.parse(options.preprocess)
    elif source.entry is not None:
        how = source.entry.preprocess
    else:
        # -1 to 1 is what MobileNets that do not scale their input themselves have learned from.
        how = network.expected or scaling.parse("tf")
        note(f"  the network is taken to expect {scaling.in_words(how)}; if not, say so by --preprocess")
    return replace(how, fit=options.fit)


def _compared(
    choice: pictures.Choice, seen: list[pictures.Picture], form: Form, how: Preprocess
) -> list[pictures.Picture]:
    if choice.held_out:
        return pictures.prepare(choice.held_out, 0, 0, form.size, how, "reading held-out images")[0]
    # Too few to spare any: on the very images that calibrated, and the figures say so.
    return [picture for picture in seen if picture.whole]


def _cost(title: str, exact: bytes, quantised: bytes) -> cost.Cost:
    """The layers as the float network has them, which no scheme changes; the memory that the quantised one needs."""
    return replace(cost.count(Graph(exact), title), memory=cost.count(Graph(quantised), title).memory)


def _decision(found: fidelity.Fidelity, new: Sequence[bool]) -> DecisionConstants:
    """What fits the images that are `new` to the network: it is too sure of those that it has learned from."""
    if not found.held_out:
        return DecisionConstants(method="nothing was fitted: no images could be held out")
    seen = found.evidence
    right = [label for label, kept in zip(seen.right, new, strict=True) if kept]
    return decision_constants.fit(seen.got[list(new)], seen.wanted[list(new)], right)


def _judged(found: fidelity.Fidelity, source: networks.Source, options: Options) -> gate.Verdict | None:
    if not found.probabilities:
        note("  warning: the scores of a picture do not add up to 1: each says yes or no to its own label")
    if source.origin.source.startswith("random") and options.min_agreement is None:
        note("  random weights: how int8 agrees with float says nothing about a trained network")
        return None
    verdict = gate.verdict(found, options.min_agreement)
    if verdict.message and not verdict.failed:
        note(f"  warning: {verdict.message}")
    return verdict
