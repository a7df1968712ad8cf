# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""From what `cost --model` names to the graph that is counted, without fetching trained weights."""

from pathlib import Path

from labelcam.errors import UsageError
from labelcam.model_file import ModelFile

from .. import networks, zoo
from ..flatbuffer import Graph
from .counting import count
from .record import Cost


def cost_of(model: str, alpha: float | None, size: int | None, *, verbose: bool) -> Cost:
    """Return the cost of a network of the zoo, or of a file of any kind, a quantised .tflite included.

    What a network costs does not depend on its weights: one of the zoo gets random ones. (`person` exists only
    together with its weights.) A .tflite needs no TensorFlow.
    """
    if not zoo.is_file_name(model):
        return _of_zoo(zoo.find(model), alpha, size, verbose)
    if alpha is not None or size is not None:
        raise UsageError("--alpha and --size are for networks of the zoo; a file has its own")
    path = Path(model)
    if path.suffix.lower() == ".tflite" and path.is_file():
        whole = ModelFile.load(path)
        # What is compiled for the Edge TPU hides its layers; the network that it was compiled from does not.
        return count(Graph(whole.twin() or path.read_bytes()[: whole.flatbuffer_bytes]), path.stem)
    source = networks.open_file(path)
    return count(Graph(networks.to_float_tflite(source, verbose).data), source.title)


def _of_zoo(entry: zoo.Entry, alpha: float | None, size: int | None, verbose: bool) -> Cost:
    width, side = entry.alpha if alpha is None else alpha, entry.size if size is None else size
    zoo.check_variant(entry, width, side, trained=False)
    source = networks.open_zoo(entry, width, side, "none" if entry.keras else "imagenet", 0)
    return count(Graph(networks.to_float_tflite(source, verbose).data), source.title)
