# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The Edge TPU's part of a build: look, compile, judge."""

from labelcam.console import note

from ..flatbuffer import Graph
from .compiler import Compilation, Compiler, compile_network
from .mapping import judge
from .preflight import judge_preflight, preflight


def compile_checked(compiler: Compiler, network: bytes, min_mapped: float | None) -> Compilation:
    """Return an int8 network compiled, with enough of it mapped.

    Raises GateFailed, naming the operation, where the preflight or the compiler's own log says that too little of it
    would run on the Edge TPU; LabelcamError where the compiler fails.
    """
    judge_preflight(preflight(Graph(network)), min_mapped)
    compilation = compile_network(compiler, network)
    if warning := judge(compilation.log, min_mapped):
        note(f"  warning: {warning}")
    return compilation
