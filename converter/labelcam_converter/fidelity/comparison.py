# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""`labelcam-convert compare`: the fidelity of any two networks on a folder of images."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from labelcam.console import note
from labelcam.errors import GateFailed, ModelFileError, UsageError
from labelcam.model_file import ModelFile
from labelcam.preprocess import Fit, Preprocess, Size

from .. import labels, networks, pictures, scaling
from ..edgetpu.package import CUSTOM_OPERATION
from ..flatbuffer import Graph, Tensor
from ..inspection import scheme_of
from ..plurals import images
from . import Fidelity, compare
from .advice import what_helps
from .gate import DEFAULT_AGREEMENT, Verdict, verdict

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Asked:
    """What `compare` was asked for."""

    float_path: Path
    """.keras, .h5, SavedModel folder or .tflite."""

    int8_path: Path
    """A .tflite of any scheme."""

    images: Path
    samples: int
    """Images to compare on, at most."""

    seed: int = 0
    preprocess: str | None = None
    fit: Fit | None = None
    min_agreement: float | None = None
    verbose: bool = False


@dataclass(frozen=True, slots=True)
class Comparison:
    """How far two networks agree."""

    asked: Asked
    scheme: str
    how: Preprocess
    choice: pictures.Choice
    fidelity: Fidelity
    verdict: Verdict | None
    """None where no agreement was asked for."""

    help: tuple[str, ...]
    """What to try where they agree too rarely."""

    def enforce(self) -> None:
        """Raise GateFailed where less agreement was found than was asked for."""
        if self.verdict is not None and self.verdict.failed:
            agreed, found = self.fidelity.agreement, images(self.fidelity.images)
            raise GateFailed(
                f"{self.asked.int8_path}: agrees on {agreed:.1%} of {found}, {self.verdict.limit:g} asked for; "
                "convert it again as the advice says, or lower --min-agreement"
            )

    def as_json(self) -> dict[str, Any]:
        """Return the public form."""
        return {
            "schema": SCHEMA,
            **self.fidelity.as_json(),
            "files": {"float": str(self.asked.float_path), "int8": str(self.asked.int8_path)},
            "scheme": self.scheme,
            "preprocess": {"fit": str(self.how.fit), "mean": self.how.mean, "std": self.how.std},
            "found": self.choice.found,
            "unreadable": self.choice.unreadable,
            "near_duplicates": self.choice.near_duplicates,
            "passed": None if self.verdict is None else not self.verdict.failed,
            "help": list(self.help),
        }


def compare_files(asked: Asked) -> Comparison:
    """Compare two files. Raises LabelcamError, in one line, where they cannot be compared."""
    quantised, model = _cpu_network(asked.int8_path)
    source = networks.open_file(asked.float_path)
    coarse = Graph(quantised)
    size, outputs = _form(coarse, asked.int8_path)
    float_model, expected = _float_network(source, asked.verbose)
    exact = _form(Graph(float_model), asked.float_path)
    if exact != (size, outputs):
        raise UsageError(
            f"{asked.float_path} takes {exact[0]} and has {exact[1]} labels, {asked.int8_path} takes {size} and has "
            f"{outputs}; compare two forms of one network"
        )
    how = _preprocess(asked, model, coarse.inputs[0], expected)
    names = model.labels or labels.packed_with(source.path) or labels.numbers(outputs).names
    labels.check_count(names, outputs, str(asked.int8_path if model.labels else asked.float_path))
    choice = pictures.choose_to_compare(asked.images, asked.samples, asked.seed)
    seen, _ = pictures.prepare(choice.held_out, 0, asked.seed, size, how, "reading images")
    found = compare(float_model, quantised, seen, how, names, held_out=None, classes=choice.classes)
    said = model.manifest.scheme if model.manifest else scheme_of(coarse)
    limit = DEFAULT_AGREEMENT if asked.min_agreement is None else asked.min_agreement
    judged = None if asked.min_agreement is None else verdict(found, asked.min_agreement)
    calibrated_on = (model.manifest.calibration if model.manifest else {}).get("images")
    return Comparison(asked, said, how, choice, found, judged, what_helps(found, said, None, calibrated_on, limit))


def _float_network(source: networks.Source, verbose: bool) -> tuple[bytes, Preprocess | None]:
    """The network, a .tflite as it is, quantised or not, and what it must be fed, where that shows."""
    if source.kind != "tflite" or source.path is None:
        network = networks.to_float_tflite(source, verbose)
        return network.data, network.expected
    data, model = _cpu_network(source.path)
    return data, model.manifest.preprocess if model.manifest else scaling.of_graph(Graph(data))


def _cpu_network(path: Path) -> tuple[bytes, ModelFile]:
    """The bytes that this machine can run."""
    if path.is_dir() or path.suffix.lower() != ".tflite":
        raise UsageError(f"{path}: the second network is a .tflite file; the float network comes first")
    model = ModelFile.load(path)
    data = path.read_bytes()[: model.flatbuffer_bytes]
    if all(step.kind != CUSTOM_OPERATION for step in Graph(data).operations):
        return data, model
    twin = model.twin()
    if twin is None:
        raise ModelFileError(
            f"{path}: is compiled for the Edge TPU and has no CPU twin inside; give the int8 file it was compiled from"
        )
    note("  compiled for the Edge TPU: its CPU twin is compared")
    return twin, model


def _form(graph: Graph, path: Path) -> tuple[Size, int]:
    """The size of the picture and the number of labels."""
    if len(graph.inputs) != 1 or len(graph.outputs) != 1:
        raise ModelFileError(
            f"{path}: has {len(graph.inputs)} inputs and {len(graph.outputs)} outputs; give a classifier"
        )
    fed, told = graph.inputs[0].shape, graph.outputs[0].shape
    if len(fed) != 4 or fed[0] != 1 or fed[3] != 3 or min(fed) < 1 or max(told, default=0) < 2:
        raise ModelFileError(
            f"{path}: takes {list(fed)} and answers {list(told)}; a classifier takes [1, height, width, 3] "
            "and answers [1, labels]"
        )
    if sum(side > 1 for side in told) > 1:
        raise ModelFileError(f"{path}: its output is {list(told)}, but one score per label, [1, labels], is needed")
    return Size(width=fed[2], height=fed[1]), max(told)


def _preprocess(asked: Asked, model: ModelFile, fed: Tensor, expected: Preprocess | None) -> Preprocess:
    """What both are fed: as asked, as the model file says, as its input is quantised, or as the float network shows."""
    fit = asked.fit or model.preprocess.fit
    if asked.preprocess:
        how = scaling.parse(asked.preprocess)
    elif model.manifest:
        how = model.preprocess
    elif fed.scales:
        how = _span(fed)
    elif expected:
        how = expected
    else:
        how = scaling.parse("tf")
        note(f"  both are taken to expect {scaling.in_words(how)}; if not, say so by --preprocess")
    return replace(how, fit=fit)


def _span(fed: Tensor) -> Preprocess:
    """The scaling of which every byte is one step of a quantised input: the named one nearby, or exactly that."""
    if fed.dtype not in ("int8", "uint8"):
        return scaling.parse("tf")
    lowest = -128 if fed.dtype == "int8" else 0
    step, zero = fed.scales[0], fed.zero_points[0] if fed.zero_points else 0
    black, white = (lowest - zero) * step, (lowest + 255 - zero) * step
    for mean, std in scaling.NAMED.values():
        if max(abs((0 - mean) / std - black), abs((255 - mean) / std - white)) < 0.75 * step:
            return Preprocess(mean=mean, std=std)
    return Preprocess(mean=float(zero - lowest), std=1 / step)
