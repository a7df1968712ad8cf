# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Reads what the Edge TPU compiler has written into a .tflite: one custom operation that carries a DWN1 package.

The package is a flatbuffer of its own (executable.fbs of google-coral/libedgetpu): slot 0 is the oldest runtime that
can run it, slot 4 the version of the compiler, which release builds leave at 'cl/'.
"""

import struct
from dataclasses import dataclass

import flatbuffers.table
from flatbuffers import number_types

from ..flatbuffer import Graph

CUSTOM_OPERATION = "edgetpu-custom-op"

_IDENTIFIER = b"DWN1"
_SLOT_RUNTIME, _SLOT_COMPILER = 0, 4


@dataclass(frozen=True, slots=True)
class Compiled:
    """What a compiled network says of itself."""

    parts: int
    """Custom operations: pieces of the network that run on the Edge TPU."""

    left: int
    """Operations beside them, which run on the CPU."""

    runtime_version: int | None
    """The oldest Edge TPU runtime (libedgetpu's own count, 10 to 14) that can run it; None where it cannot be read."""

    compiler: str | None
    """As the package names it; None where it names none."""


def read_compiled(graph: Graph) -> Compiled | None:
    """Return what the compiler has written into a network; None for one that is not compiled."""
    places = [number for number, step in enumerate(graph.operations) if step.kind == CUSTOM_OPERATION]
    if not places:
        return None
    runtimes, compiler = [], None
    for place in places:
        runtime, named = _read_package(graph.custom_options(place))
        compiler = compiler or named
        runtimes += [] if runtime is None else [runtime]
    return Compiled(len(places), len(graph.operations) - len(places), max(runtimes, default=None), compiler)


def _read_package(carried: bytes) -> tuple[int | None, str | None]:
    begin = carried.find(_IDENTIFIER) - 4  # the identifier stands behind the offset of the root table
    if begin < 0:
        return None, None
    package = bytearray(carried[begin:])
    try:
        table = flatbuffers.table.Table(package, struct.unpack_from("<I", package)[0])
        runtime = table.GetSlot(4 + 2 * _SLOT_RUNTIME, 0, number_types.Int32Flags)
        text = table.Offset(4 + 2 * _SLOT_COMPILER)
        named = table.String(text + table.Pos).decode() if text else ""
    except (struct.error, ValueError, TypeError, IndexError):  # a package of another kind, or a damaged one
        return None, None
    return runtime or None, named.removeprefix("cl/") or None
