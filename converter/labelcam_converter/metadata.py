# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""TFLite Metadata, written by hand: what MediaPipe and other tools read about a model's input and its labels.

The tables and slot numbers are those of metadata_schema.fbs, version 1.0.0. Google's own writers cannot be used:
mediapipe 1.2's do not import, tflite-support stops at Python 3.11.
"""

import flatbuffers

from labelcam.model_file import LABELS
from labelcam.preprocess import Preprocess

_IMAGE_PROPERTIES = 2  # member of the union ContentProperties
_NORMALISATION = 1  # member of the union ProcessUnitOptions
_RGB = 1  # of ColorSpaceType
_TENSOR_AXIS_LABELS = 2  # of AssociatedFileType


def metadata(name: str, description: str, preprocess: Preprocess) -> bytes:
    """Return a ModelMetadata table for one RGB image in and one score per label out."""
    builder = flatbuffers.Builder(1024)
    input_tensor = _input_tensor(builder, preprocess)
    output_tensor = _output_tensor(builder)
    inputs, outputs = _vector(builder, [input_tensor]), _vector(builder, [output_tensor])
    graph = _table(builder, 10, {2: inputs, 3: outputs})
    graphs = _vector(builder, [graph])
    texts = {slot: builder.CreateString(text) for slot, text in ((0, name), (1, description), (7, "1.0.0"))}
    root = _table(builder, 8, {**texts, 3: graphs})
    builder.Finish(root, file_identifier=b"M001")
    return bytes(builder.Output())


def _input_tensor(builder: flatbuffers.Builder, preprocess: Preprocess) -> int:
    name = builder.CreateString("image")
    builder.StartObject(2)
    builder.PrependInt8Slot(0, _RGB, 0)
    properties = builder.EndObject()
    content = _union(builder, 2, _IMAGE_PROPERTIES, properties)
    mean, std = _floats(builder, preprocess.mean), _floats(builder, preprocess.std)
    options = _table(builder, 2, {0: mean, 1: std})
    unit = _union(builder, 2, _NORMALISATION, options)
    units = _vector(builder, [unit])
    return _table(builder, 7, {0: name, 2: content, 3: units})


def _output_tensor(builder: flatbuffers.Builder) -> int:
    name, file_name = builder.CreateString("scores"), builder.CreateString(LABELS)
    builder.StartObject(5)
    builder.PrependUOffsetTRelativeSlot(0, file_name, 0)
    builder.PrependInt8Slot(2, _TENSOR_AXIS_LABELS, 0)
    labels = builder.EndObject()
    files = _vector(builder, [labels])
    return _table(builder, 7, {0: name, 6: files})


def _table(builder: flatbuffers.Builder, slots: int, fields: dict[int, int]) -> int:
    builder.StartObject(slots)
    for slot, offset in fields.items():
        builder.PrependUOffsetTRelativeSlot(slot, offset, 0)
    return int(builder.EndObject())


def _union(builder: flatbuffers.Builder, slots: int, kind: int, offset: int) -> int:
    # A union takes two slots: which member it is, and the member.
    builder.StartObject(slots)
    builder.PrependUint8Slot(0, kind, 0)
    builder.PrependUOffsetTRelativeSlot(1, offset, 0)
    return int(builder.EndObject())


def _vector(builder: flatbuffers.Builder, offsets: list[int]) -> int:
    builder.StartVector(4, len(offsets), 4)
    for offset in reversed(offsets):
        builder.PrependUOffsetTRelative(offset)
    return int(builder.EndVector())


def _floats(builder: flatbuffers.Builder, value: float) -> int:
    builder.StartVector(4, 1, 4)
    builder.PrependFloat32(value)
    return int(builder.EndVector())
