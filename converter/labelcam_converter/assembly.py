# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Puts a model file together: network, metadata, labels, manifest, goldens; and proves the finished file."""

import hashlib
from dataclasses import replace
from pathlib import Path

from labelcam.classifier import Classifier
from labelcam.errors import LabelcamError
from labelcam.golden import check_goldens
from labelcam.model_file import LABELS, MAKER, MANIFEST, Manifest, ModelFile, manifest_to_json

from . import goldens
from .edgetpu.compiler import Compilation
from .edgetpu.packing import compiled_parts
from .flatbuffer import Graph
from .metadata import metadata
from .model_writer import new_file, pack
from .plan import Plan


def write_model(
    plan: Plan, network: bytes, compilation: Compilation | None, names: tuple[str, ...], manifest: Manifest
) -> Manifest:
    """Write the model file of a quantised network and return its manifest, complete with the checksums.

    What was compiled for the Edge TPU becomes the file's network, and `network` its twin. Raises LabelcamError if the
    finished file does not reproduce its own goldens.
    """
    described = metadata(manifest.name, f"{manifest.scheme}, {MAKER}", manifest.preprocess)
    entries = {LABELS: "".join(f"{name}\n" for name in names).encode()}
    with new_file(plan.output) as new:
        if plan.golden_files:
            # By the CPU's network, for the Edge TPU as well: there is none here.
            bare = ModelFile(new, len(network), "", names, manifest, network)
            entries |= goldens.make_goldens(plan.golden_files, Classifier(bare), manifest.preprocess)
        if compilation:
            flatbuffer, manifest, twin = compiled_parts(compilation, network, described, manifest)
            entries |= twin
        else:
            flatbuffer = Graph(network).with_metadata(described)
            manifest = replace(manifest, flatbuffer_sha256=hashlib.sha256(flatbuffer).hexdigest())
        entries[MANIFEST] = manifest_to_json(manifest).encode()
        new.write_bytes(pack(flatbuffer, entries))
        _prove(new)
    return manifest


def _prove(new: Path) -> None:
    """Read the finished file back as a device would, and run its own goldens."""
    model = ModelFile.load(new)
    for result in check_goldens(model, Classifier(model)):
        if not result.passed:
            raise LabelcamError(f"the file fails its own golden {result.name}: {result.detail}; please report it")
