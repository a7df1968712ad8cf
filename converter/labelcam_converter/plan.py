# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""What a build was asked for, and everything about it that is known before TensorFlow or an interpreter is needed."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from labelcam.errors import UsageError
from labelcam.preprocess import Fit

from . import goldens, labels, networks, pictures, scaling, zoo
from .edgetpu.compiler import PROGRAM, Compiler, find_compiler
from .edgetpu.packing import SUFFIX
from .fingerprint import fingerprint, tool_versions
from .learned import learned_among
from .model_writer import check_output
from .quantization.schemes import Effort, Io, RangeChoice, Scheme, io_of
from .report.place import check_report


@dataclass(frozen=True, slots=True)
class Options:
    """What `build` was asked for; None means the default of the network."""

    model: str
    alpha: float | None = None
    size: int | None = None
    weights: str = "imagenet"
    labels: Path | None = None
    images: Path | None = None
    samples: int = 100
    """Pictures to calibrate on; random crops make up for missing images."""

    seed: int = 0
    fit: Fit = Fit.CROP
    preprocess: str | None = None
    scheme: Scheme = Scheme.INT8
    io: Io | None = None
    ranges: RangeChoice | None = None
    effort: Effort | None = None
    golden_images: str | None = None
    """A folder, or none."""

    min_agreement: float | None = None
    edgetpu: bool = False
    """Compile the int8 network for the Edge TPU."""

    min_mapped: float | None = None
    """Least share of operations on the Edge TPU; None: all but the two ends of the network."""

    report: Path | None = None
    include_images: bool = False
    """Put the worst images into the report."""

    command: tuple[str, ...] = ()
    """What was typed, for the report to repeat."""

    output: Path | None = None
    verbose: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """A build that can begin: its source is there, its images are chosen, its output can be written."""

    source: networks.Source
    output: Path
    named: labels.Named | None
    """None: the answers will be numbered."""

    choice: pictures.Choice
    golden_files: tuple[Path, ...]
    tools: dict[str, str]
    fingerprint: str
    learned: frozenset[Path]
    """Images to compare on that the network is known to have learned from: they tell nothing of its accuracy."""

    io: Io
    compiler: Compiler | None
    """The Edge TPU's, where the network is to be compiled for it."""


def plan_build(options: Options) -> Plan:
    """Return the plan. Raises LabelcamError, in one line, for whatever is wrong with what was asked."""
    _check_options(options)
    compiler = find_compiler() if options.edgetpu else None
    given = labels.from_file(options.labels) if options.labels else None
    choice = pictures.choose(options.images, options.samples, options.seed)
    source = _open(options, given)
    named = given or (labels.of_zoo(source.entry) if source.entry else labels.beside(source.path))
    if compiler and source.kind == "tflite":
        raise UsageError(
            f"--edgetpu: TensorFlow cannot quantise the .tflite of {source.name}; "
            "give the .keras, .h5 or SavedModel it was made from"
        )
    output = options.output or Path(f"{source.title}_{options.scheme}{SUFFIX if compiler else ''}.tflite")
    check_output(output, source.path)
    if options.report:
        check_report(options.report, output, source.path)
    folder = Path(options.golden_images) if options.golden_images not in (None, "none") else None
    golden_files = () if options.golden_images == "none" else tuple(goldens.candidates(folder, choice.calibration))
    # Tuning for --effort max is TensorFlow's work as well.
    with_tensorflow = source.needs_tensorflow or options.effort == "max"
    tools = tool_versions(with_tensorflow, bool(source.entry and source.entry.keras and not given))
    if compiler:
        tools |= {PROGRAM: compiler.version}
    asked = {
        **{name: getattr(options, name) for name in _DECIDING},
        "goldens": len(golden_files),
        "labels": named and [named.names, asdict(named.origin)],
        "source": [source.name, source.kind, source.alpha, source.size, asdict(source.origin)],
        "choice": _told_of(choice),
        "tools": tools,
    }
    every = (*choice.calibration, *choice.held_out, *golden_files)
    made_of = fingerprint(asked, every)
    io = io_of(options.scheme, options.io)
    learned = learned_among(source.path, choice.held_out or choice.calibration)
    return Plan(source, output, named, choice, golden_files, tools, made_of, learned, io, compiler)


def _told_of(choice: pictures.Choice) -> list[Any]:
    """What the manifest tells of the images beside what is in them: renaming a folder renames a class."""
    used = (*choice.calibration, *choice.held_out)
    classes = [choice.classes.get(path) for path in used]
    return [choice.found, choice.unreadable, choice.near_duplicates, len(choice.calibration), classes]


_DECIDING = (
    *("samples", "seed", "fit", "preprocess", "scheme", "io", "ranges", "effort"),
    *("min_agreement", "edgetpu", "min_mapped"),
)
"""Options that have a part in the bytes of the file, or in whether there is one."""


def _check_options(options: Options) -> None:
    """Refuse what does not go together, before anything is read. Raises UsageError."""
    if options.output:
        check_output(options.output, Path(options.model) if zoo.is_file_name(options.model) else None)
    if options.report:
        check_report(options.report, options.output)
    if options.include_images and not options.report:
        raise UsageError("--include-images is for the report; give --report as well, or leave it out")
    if options.preprocess:
        scaling.parse(options.preprocess)
    _check_scheme(options)
    if options.edgetpu:
        _check_edgetpu(options)
    elif options.min_mapped is not None:
        raise UsageError("--min-mapped is for files of the Edge TPU; give --edgetpu as well, or leave it out")


def _check_scheme(options: Options) -> None:
    io_of(options.scheme, options.io)
    if options.ranges and not options.scheme.integer:
        raise UsageError(f"--ranges: {options.scheme} has no ranges to choose; leave --ranges out")
    if options.effort == "max" and options.scheme is not Scheme.INT8:
        raise UsageError(f"--effort max: only int8 is tuned; leave it out for {options.scheme}")


def _check_edgetpu(options: Options) -> None:
    if options.scheme is not Scheme.INT8 or options.io == "float32":
        raise UsageError("--edgetpu: it computes int8 only; leave --scheme and --io out")
    for name in ("ranges", "effort"):
        if getattr(options, name):
            # Its compiler is proven with TFLiteConverter's files only, which goes by ranges of its own.
            raise UsageError(f"--edgetpu: TensorFlow's quantiser takes no --{name}; leave it out")


def _open(options: Options, given: labels.Named | None) -> networks.Source:
    if zoo.is_file_name(options.model):
        if options.alpha is not None or options.size is not None or options.weights != "imagenet":
            raise UsageError("--alpha, --size and --weights are for networks of the zoo; a file has its own")
        return networks.open_file(Path(options.model))
    entry = zoo.find(options.model)
    if entry.keras is None and options.weights == "none":
        raise UsageError(f"--weights none: {entry.name} has trained weights only; leave --weights out, or give a FILE")
    alpha = entry.alpha if options.alpha is None else options.alpha
    size = entry.size if options.size is None else options.size
    zoo.check_variant(entry, alpha, size, trained=options.weights == "imagenet")
    if given is not None:
        labels.check_count(given.names, entry.outputs, given.blamed)
    return networks.open_zoo(entry, alpha, size, options.weights, options.seed)
