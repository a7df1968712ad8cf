# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The Edge TPU's part of a build: look, compile, judge."""

from labelcam.console import note

from ..flatbuffer import Graph
from .compiler import Compilation, Compiler, compile_network
from .mapping import judge
from .preflight import judge_preflight, preflight


def compile_checked(compiler: Compiler, network: bytes, min_mapped: float | None) -> Compilation:
    """Return an int8 network compiled, if enough of it can be mapped as far as its operations tell.

    Raises GateFailed, naming the operation, where too little would run on the Edge TPU; LabelcamError where the
    compiler fails.
    """
    judge_preflight(preflight(Graph(network)), min_mapped)
    return compile_network(compiler, network)


def judge_mapping(compilation: Compilation, min_mapped: float | None) -> None:
    """Hold what the compiler has mapped against the gate. Raises GateFailed where it is too little."""
    if warning := judge(compilation.log, min_mapped):
        note(f"  warning: {warning}")
