# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""From a folder of images to a trained network that `build` takes."""

import io
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from labelcam.console import note
from labelcam.errors import UsageError
from labelcam.preprocess import Fit, Preprocess

from .. import networks, scaling, zoo
from ..learned import marked
from ..model_writer import new_file
from ..report.data import Epoch
from ..report.place import check_report
from ..stages import Stages
from ..tensorflow_process import require_tensorflow, tensorflow_task
from .dataset import Dataset, gather
from .keras_file import timeless
from .record import Trained, judge


@dataclass(frozen=True, slots=True)
class Options:
    """What `train` was asked for; None means the default of the network."""

    model: str
    images: Path
    output: Path
    alpha: float | None = None
    size: int | None = None
    weights: str = "imagenet"
    preprocess: str | None = None
    fit: Fit = Fit.CROP
    epochs: int = 30
    """At most, of each phase."""

    seed: int = 0
    validation: float = 0.2
    """The part of each label's images that judges."""

    fine_tune: bool = False
    report: Path | None = None
    """Where the caller will put a page; checked before the work begins."""

    verbose: bool = False


def train(options: Options) -> Trained:
    """Train, save the network and its labels, and return how good it is. Raises LabelcamError in one line."""
    stages = Stages()
    source = _open(options)
    names = _check_output(options.output, source.path)
    if options.report:
        check_report(options.report, options.output, names, source.path)
    require_tensorflow("train")
    with stages.time("images"):
        dataset = gather(options.images, options.validation, options.seed)
    with (
        stages.time("train"),
        tensorflow_task("train", options.model, _request(options, source, dataset), verbose=options.verbose) as answer,
    ):
        learned = [path for paths in dataset.learned for path in paths]
        network, told = marked(timeless(answer.file("model.keras")), learned), answer.values
        scores = np.load(io.BytesIO(answer.file("scores.npy")))
    _tell_scaling(options, source, told["scaling"])
    confusion, mistakes = judge(dataset, scores)
    with stages.time("write"):
        _write(options.output, network, names, dataset.labels)
    return Trained(
        options.output,
        names,
        source.title,
        source.origin.source,
        tuple(told["size"]),
        dataset,
        confusion,
        mistakes,
        tuple(Epoch(**epoch) for epoch in told["epochs"]),
        told["best"],
        stages.seconds,
        options.report,
    )


def _open(options: Options) -> networks.Source:
    if zoo.is_file_name(options.model):
        if options.alpha is not None or options.size is not None or options.weights != "imagenet":
            raise UsageError("--alpha, --size and --weights are for networks of the zoo; a file has its own")
        source = networks.open_file(Path(options.model))
        if source.kind != "keras":
            raise UsageError(f"--model {options.model}: only a .keras or .h5 file can be trained on, or a zoo network")
        return source
    entry = zoo.find(options.model)
    if options.weights == "none" and entry.keras is None:
        raise UsageError(f"--weights none: {entry.name} has trained weights only; leave --weights out")
    alpha = entry.alpha if options.alpha is None else options.alpha
    size = entry.size if options.size is None else options.size
    zoo.check_variant(entry, alpha, size, trained=options.weights == "imagenet")
    return networks.open_zoo(entry, alpha, size, options.weights, options.seed)


def _check_output(output: Path, source: Path | None) -> Path:
    """Return where the labels go; refuse a place where the two files would destroy something. Raises UsageError."""
    _check_place(output)
    names = output.with_suffix(".txt")
    for path in (output, names):
        if path.exists() and not path.is_file():
            raise UsageError(f"-o {output}: {path} is no regular file; choose another name")
    if source and source.exists() and output.exists() and output.samefile(source):
        raise UsageError(f"-o {output}: is the network that is to be trained on; choose another name")
    if names.exists() and not output.exists():
        raise UsageError(f"-o {output}: the labels go into {names}, which is something else's; choose another name")
    return names


def _check_place(output: Path) -> None:
    if output.is_dir():
        raise UsageError(f"-o {output}: is a folder; name a .keras file")
    if output.suffix.lower() != ".keras":
        raise UsageError(f"-o {output}: a trained network ends with .keras; name it {output.name}.keras")
    if not output.parent.is_dir():
        raise UsageError(f"-o {output}: there is no folder {output.parent}; make it first: mkdir -p {output.parent}")
    if not os.access(output.parent, os.W_OK | os.X_OK):
        raise UsageError(f"-o {output}: the folder {output.parent} is not writable; choose another")


def _request(options: Options, source: networks.Source, dataset: Dataset) -> dict[str, Any]:
    how = _scaling(options, source)
    sides = ((dataset.learned, False), (dataset.judged, True))
    files = [
        (str(path.resolve()), number, judging)
        for side, judging in sides
        for number, paths in enumerate(side)
        for path in paths
    ]
    return {
        **networks.request_of(source),
        "scaling": how and [how.mean, how.std],
        "files": [file for file, _, _ in files],
        "targets": [number for _, number, _ in files],
        "validation": [judging for _, _, judging in files],
        "fit": options.fit,
        "epochs": options.epochs,
        "seed": options.seed,
        "fine_tune": options.fine_tune,
        "scratch": options.weights == "none",
    }


def _scaling(options: Options, source: networks.Source) -> Preprocess | None:
    if options.preprocess:
        return scaling.parse(options.preprocess)
    return source.entry.preprocess if source.entry else None


def _tell_scaling(options: Options, source: networks.Source, taken: list[float]) -> None:
    if not options.preprocess and source.entry is None:
        how = scaling.in_words(Preprocess(mean=taken[0], std=taken[1]))
        note(f"  {source.name} is taken to expect {how}; if not, say so by --preprocess")


def _write(output: Path, network: bytes, names: Path, labels: tuple[str, ...]) -> None:
    with new_file(output) as new, new_file(names) as new_names:
        new.write_bytes(network)
        new_names.write_text("".join(f"{label}\n" for label in labels), encoding="utf-8")
