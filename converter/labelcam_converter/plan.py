# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""What a build was asked for, and everything about it that is known before TensorFlow or an interpreter is needed."""

from dataclasses import asdict, dataclass
from pathlib import Path

from labelcam.errors import UsageError
from labelcam.preprocess import Fit

from . import goldens, labels, networks, pictures, scaling, zoo
from .fingerprint import fingerprint, tool_versions
from .model_writer import check_output


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
    golden_images: str | None = None
    """A folder, or none."""

    min_agreement: float | None = None
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


def plan_build(options: Options) -> Plan:
    """Return the plan. Raises LabelcamError, in one line, for whatever is wrong with what was asked."""
    if options.output:
        check_output(options.output, Path(options.model) if zoo.is_file_name(options.model) else None)
    if options.preprocess:
        scaling.parse(options.preprocess)
    given = labels.from_file(options.labels) if options.labels else None
    choice = pictures.choose(options.images, options.samples, options.seed)
    source = _open(options, given)
    named = given or (labels.of_zoo(source.entry) if source.entry else labels.beside(source.path))
    output = options.output or Path(f"{source.title}_int8.tflite")
    check_output(output, source.path)
    folder = Path(options.golden_images) if options.golden_images not in (None, "none") else None
    golden_files = () if options.golden_images == "none" else tuple(goldens.candidates(folder, choice.calibration))
    tools = tool_versions(source.needs_tensorflow, bool(source.entry and source.entry.keras and not given))
    asked = {
        **{name: getattr(options, name) for name in ("samples", "seed", "fit", "preprocess", "min_agreement")},
        "goldens": len(golden_files),
        "labels": named and [named.names, asdict(named.origin)],
        "source": [source.name, source.kind, source.alpha, source.size, asdict(source.origin)],
        "tools": tools,
    }
    every = (*choice.calibration, *choice.held_out, *golden_files)
    return Plan(source, output, named, choice, golden_files, tools, fingerprint(asked, every))


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
