# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Puts back what the compiler drops: metadata and manifest; and adds the CPU twin."""

import hashlib
from collections.abc import Mapping
from dataclasses import replace

from labelcam.model_file import TWIN, Manifest

from ..flatbuffer import Graph
from ..quantization.schemes import Io
from .compiler import Compilation

SUFFIX = "_edgetpu"
"""At the end of the file's name: pycoral, Frigate and others tell a compiled file by it."""


def compiled_scheme(io: Io) -> str:
    """Return the scheme of such a file in full words, as its manifest has it; `io` is its input's and output's type."""
    return (
        f"full-integer int8, per-channel weights but in dense layers, {io} input and output, compiled for the Edge TPU"
    )


def compiled_parts(
    compilation: Compilation, network: bytes, described: bytes, manifest: Manifest
) -> tuple[bytes, Manifest, Mapping[str, bytes]]:
    """Return the flatbuffer to write, its manifest, and the zip entry that holds the twin.

    `network` is the int8 network that was compiled, and the twin; `described` the TFLite Metadata. The twin has none of
    its own: it would announce labels that are packed behind the compiled one only.
    """
    flatbuffer = Graph(compilation.flatbuffer).with_metadata(described)
    manifest = replace(
        manifest,
        flatbuffer_sha256=hashlib.sha256(flatbuffer).hexdigest(),
        twin_sha256=hashlib.sha256(network).hexdigest(),
        edgetpu=compilation.log.as_json(),
    )
    return flatbuffer, manifest, {TWIN: network}
