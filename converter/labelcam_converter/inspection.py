# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""`labelcam-convert inspect`: what is inside any .tflite, without running it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from labelcam.errors import ModelFileError
from labelcam.model_file import ModelFile, manifest_to_json

from .edgetpu.overview import overview
from .edgetpu.package import CUSTOM_OPERATION
from .flatbuffer import Graph, Tensor
from .plurals import images
from .scaling import in_words

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Inspection:
    """What a .tflite says of itself."""

    model: ModelFile
    graph: Graph

    @property
    def scheme(self) -> str:
        """The manifest's words, or what the tensors show."""
        return self.model.manifest.scheme if self.model.manifest else scheme_of(self.graph)

    def as_json(self) -> dict[str, Any]:
        """Return the public form."""
        manifest = self.model.manifest
        return {
            "schema": SCHEMA,
            "file": str(self.model.path),
            "bytes": self.model.path.stat().st_size,
            "scheme": self.scheme,
            "inputs": [_described(tensor) for tensor in self.graph.inputs],
            "outputs": [_described(tensor) for tensor in self.graph.outputs],
            "ops": self.graph.histogram(),
            "labels": len(self.model.labels or ()),
            "manifest": json.loads(manifest_to_json(manifest)) if manifest else None,
            "metadata": self.graph.has_metadata,
            "edgetpu": overview(self.graph, manifest).as_json(),
        }

    def as_rows(self) -> list[tuple[str, str]]:
        """Return what a person wants to know, one line each."""
        rows = [
            ("file", f"{self.model.path}, {self.model.path.stat().st_size / 1e6:.2f} MB"),
            ("scheme", self.scheme),
            *(("input", _in_words(tensor)) for tensor in self.graph.inputs),
            *(("output", _in_words(tensor)) for tensor in self.graph.outputs),
            ("operations", ", ".join(f"{count} {kind}" for kind, count in self.graph.histogram().items())),
            ("labels", _some(self.model.labels)),
            ("TFLite Metadata", "yes" if self.graph.has_metadata else "no"),
            *overview(self.graph, self.model.manifest).as_rows(),
        ]
        return rows + self._manifest_rows()

    def _manifest_rows(self) -> list[tuple[str, str]]:
        manifest = self.model.manifest
        if manifest is None:
            return [("manifest", "none: not made by labelcam-convert build")]
        seen = f"{images(manifest.calibration.get('images', 0))}, {manifest.calibration.get('crops', 0)} crops of them"
        return [
            ("network", manifest.name),
            (
                "preprocessing",
                f"{manifest.preprocess.fit}, {manifest.preprocess.colour}, {in_words(manifest.preprocess)}",
            ),
            ("weights", f"{manifest.weights.source} ({manifest.weights.licence})"),
            ("calibrated on", f"{seen} ({manifest.calibration.get('source')})"),
            ("agrees with float", _agreement(manifest.fidelity)),
            ("made with", ", ".join(f"{tool} {version}" for tool, version in manifest.tools.items())),
        ]


def inspect(path: Path) -> Inspection:
    """Read a .tflite of any kind. Raises ModelFileError if it is missing, damaged or no model."""
    model = ModelFile.load(path)
    found = Inspection(model, Graph(path.read_bytes()[: model.flatbuffer_bytes]))
    try:
        found.as_rows()
    except (IndexError, TypeError, ValueError) as error:  # tables that name tensors or operations which are not there
        raise ModelFileError(
            f"{path}: the network in it is damaged ({type(error).__name__}); copy or build it again"
        ) from None
    return found


def _agreement(fidelity: Mapping[str, Any]) -> str:
    share = fidelity.get("top1_agreement", {}).get("value")
    return "not known" if share is None else f"{share:.1%} of {images(fidelity.get('images', 0))}"


def _described(tensor: Tensor) -> dict[str, Any]:
    return {
        "shape": list(tensor.shape),
        "dtype": tensor.dtype,
        "scale": tensor.scales[0] if tensor.scales else None,
        "zero_point": tensor.zero_points[0] if tensor.zero_points else None,
    }


def _in_words(tensor: Tensor) -> str:
    scale = f", scale {tensor.scales[0]:.6g}, zero point {tensor.zero_points[0]}" if tensor.zero_points else ""
    return f"{'x'.join(map(str, tensor.shape))} {tensor.dtype}{scale}"


def _some(labels: tuple[str, ...] | None) -> str:
    if not labels:
        return "none"
    return f"{len(labels)}: {', '.join(labels[:3])}{', …' if len(labels) > 3 else ''}"


def scheme_of(graph: Graph) -> str:
    """Return what the tensors of a .tflite show of its scheme, in words."""
    if any(step.kind == CUSTOM_OPERATION for step in graph.operations):
        return "compiled for the Edge TPU"
    computed = {graph.tensors[index].dtype for step in graph.operations for index in step.outputs}
    weights = {tensor.dtype for tensor in graph.tensors if tensor.data is not None}
    for dtype, scheme in (("int16", "int16x8"), ("int8", "full-integer int8"), ("uint8", "full-integer uint8, legacy")):
        if dtype in computed:
            return scheme + (", with float parts" if "float32" in computed else "")
    if "int8" in weights:
        return "dynamic range: int8 weights, float32 activations"
    return "float16 weights" if "float16" in weights else "float32"
