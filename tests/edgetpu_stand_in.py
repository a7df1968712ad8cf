# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Stands in for Google's `edgetpu_compiler`, which can be had nowhere that tests run: it says what version 16 says.

The words are those that its users have shown (google-coral/edgetpu 356, 358, 444, 512, 686, 728, 800, 829 and 879).
What it 'compiles' is a real flatbuffer with one edgetpu-custom-op, which carries a real, empty package. How it behaves
is told by the environment variable STAND_IN, by default as a compiler that maps everything.
"""

import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

VERSION = "16.0.384591198"
BEGUN = f"Edge TPU Compiler version {VERSION}\nStarted a compilation timeout timer of 180 seconds.\n"
ENDED = "Compilation child process completed within timeout period.\n"
FAILED = ENDED + "Compilation failed! \n"

FAILURES = {
    "internal": BEGUN + "\nInternal compiler error. Aborting! \n",
    "version": f"Edge TPU Compiler version {VERSION}\nERROR: Didn't find op for builtin opcode 'QUANTIZE' version '3'. "
    "An older version of this builtin might be supported. Are you using an old TFLite binary with a newer model?\n\n"
    "ERROR: Registration failed.\n\nInvalid model: network.tflite\nModel could not be parsed\n",
    "dynamic": BEGUN
    + "ERROR: Attempting to use a delegate that only supports static-sized tensors with a graph that has dynamic-sized "
    "tensors.\nCompilation failed: Model failed in Tflite interpreter. Please ensure model can be loaded/run in Tflite "
    "interpreter.\n" + FAILED,
    "large": BEGUN
    + "ERROR: Restored original execution plan after delegate application failure.\n"
    + "Compilation failed: Compilation failed due to large activation tensors in model.\n"
    + FAILED,
    "custom": BEGUN
    + "ERROR: Encountered unresolved custom op: Atan.\nERROR: Node number 1 (Atan) failed to prepare.\n"
    + FAILED,
    "exception": BEGUN + "libc++abi: terminating with uncaught exception of type std::out_of_range: vector\n" + FAILED,
    "slow": BEGUN + "Compilation timeout. This is usually caused by large activations.\nCompilation failed! \n",
    "silent": BEGUN + FAILED,
}
"""What it says where it fails, with exit code 1."""

REASONS = {
    "SOFTMAX": "Operation is otherwise supported, but not mapped due to some unspecified limitation",
    "QUANTIZE": "Operation is otherwise supported, but not mapped due to some unspecified limitation",
}
UNKNOWN = "Operation not supported"
BEHIND = "More than one subgraph is not supported"


def install(folder: Path) -> Path:
    """Put the stand-in into a folder, for the PATH, under the compiler's name; return its path."""
    program = folder / "edgetpu_compiler"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{__file__}" "$@"\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return program


def wrapped(network: bytes, left: int = 0) -> bytes:
    """Return a network in compiled form: all operations but the last `left` are one edgetpu-custom-op."""
    import numpy as np
    from ai_edge_litert import schema_py_generated as schema
    from ai_edge_litert.tools import flatbuffer_utils

    model = flatbuffer_utils.read_model_from_bytearray(np.frombuffer(network, np.uint8))
    graph = model.subgraphs[0]
    kept = graph.operators[len(graph.operators) - left :]
    custom, code = schema.OperatorT(), schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.CUSTOM
    code.customCode, code.version = b"edgetpu-custom-op", 1
    custom.opcodeIndex, custom.inputs = len(model.operatorCodes), list(graph.inputs)
    custom.outputs = [int(kept[0].inputs[0])] if kept else list(graph.outputs)
    custom.customOptions = np.frombuffer(package(), np.uint8)
    graph.operators, model.metadata = [custom, *kept], None
    model.operatorCodes = [*model.operatorCodes, code]
    model.description = b"Exported from Subgraph."
    return bytes(flatbuffer_utils.convert_object_to_bytearray(model))


def package(runtime: int = 14, compiler: str = "cl/") -> bytes:
    """Return the package that a custom operation carries, without anything to run, as executable.fbs lays it out."""
    import flatbuffers

    builder = flatbuffers.Builder(64)
    named = builder.CreateString(compiler)
    builder.StartObject(8)
    builder.PrependInt32Slot(0, runtime, 0)
    builder.PrependUOffsetTRelativeSlot(4, named, 0)
    builder.Finish(builder.EndObject(), file_identifier=b"DWN1")
    return b"1\0\0\0" + bytes(builder.Output())


def kinds(network: bytes) -> list[str]:
    """The operations of a network, in the order of execution."""
    from labelcam_converter.flatbuffer import Graph

    return [step.kind for step in Graph(network).operations]


def table(mapped: list[str], left: list[tuple[str, str]]) -> str:
    """The operations in the compiler's columns."""
    rows = [(kind, mapped.count(kind), "Mapped to Edge TPU") for kind in dict.fromkeys(mapped)]
    rows += [(kind, left.count((kind, why)), why) for kind, why in dict.fromkeys(left)]
    told = "".join(f"{kind:31}{count:<11}{status}\n" for kind, count, status in rows)
    return f"Operator                       Count      Status\n\n{told}"


def compile_here(network: bytes, left: int) -> None:
    """Write the compiled network and its log, and say so."""
    every = kinds(network)
    mapped, rest = every[: len(every) - left], every[len(every) - left :]
    why = [(kind, REASONS.get(kind, UNKNOWN if place == 0 else BEHIND)) for place, kind in enumerate(rest)]
    compiled = wrapped(network, left) if mapped else network
    Path("network_edgetpu.tflite").write_bytes(compiled)
    rows = table(mapped, why)
    Path("network_edgetpu.log").write_text(
        f"Edge TPU Compiler version {VERSION}\nInput: network.tflite\nOutput: network_edgetpu.tflite\n\n{rows}"
    )
    partly = (
        "\nModel successfully compiled but not all operations are supported by the Edge TPU. A percentage of the model "
        "will instead run on the CPU, which is slower. If possible, consider updating your model to use only "
        "operations supported by the Edge TPU. For details, visit g.co/coral/model-reqs.\n"
        f"Number of operations that will run on Edge TPU: {len(mapped)}\n"
        f"Number of operations that will run on CPU: {len(rest)}\n"
    )
    streamed = os.environ.get("STAND_IN") == "streams"
    print(
        f"{BEGUN}\nModel compiled successfully in 86 ms.\n\nInput model: network.tflite\n"
        f"Input size: {len(network) / 1024:.2f}KiB\nOutput model: ./network_edgetpu.tflite\n"
        f"Output size: {len(compiled) / 1024:.2f}KiB\n"
        f"On-chip memory used for caching model parameters: {'6.08MiB' if streamed else '252.50KiB'}\n"
        f"On-chip memory remaining for caching model parameters: {'0.00B' if streamed else '7.56MiB'}\n"
        f"Off-chip memory used for streaming uncached model parameters: {'1.70MiB' if streamed else '0.00B'}\n"
        f"Number of Edge TPU subgraphs: {1 if mapped else 0}\nTotal number of operations: {len(every)}\n"
        f"Operation log: ./network_edgetpu.log\n{partly if rest else ''}\n{rows}{ENDED}Compilation succeeded! "
    )


def hang() -> None:
    """Stay, with a child that also stays, and heed no request to end; the child's number goes into a file."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    child = subprocess.Popen(["sh", "-c", "trap '' TERM; sleep 300"])
    Path(os.environ["STAND_IN_CHILD"]).write_text(str(child.pid))
    print(BEGUN, flush=True)
    time.sleep(300)


def gone(child: Path) -> bool:
    """Whether the child that `hang` left has ended, though nobody may have asked for its exit code yet."""
    try:
        return "\nState:\tZ" in Path(f"/proc/{child.read_text()}/status").read_text()
    except OSError:
        return True


def soon(true: Callable[[], bool]) -> bool:
    """Wait for something that is about to happen."""
    deadline = time.monotonic() + 30
    while not true() and time.monotonic() < deadline:
        time.sleep(0.05)
    return true()


def main(arguments: list[str]) -> int:
    """Do what the real one is documented to do with `-s -t SECONDS -o DIR network.tflite`, in the way asked for."""
    mode = os.environ.get("STAND_IN", "all")
    if "--version" in arguments:
        print(f"Edge TPU Compiler version {os.environ.get('STAND_IN_VERSION', VERSION)}")
        return 0
    if mode in FAILURES:
        print(FAILURES[mode])
        return 1
    if mode in ("SIGSEGV", "SIGXFSZ"):
        signal.signal(getattr(signal, mode), signal.SIG_DFL)
        os.kill(os.getpid(), getattr(signal, mode))
    assert (arguments[0], arguments[-1]) == ("-s", "network.tflite"), arguments
    os.chdir(arguments[arguments.index("-o") + 1])
    work(mode, Path("network.tflite").read_bytes())
    return 0


def work(mode: str, network: bytes) -> None:
    """Compile well, or write what nobody wants."""
    if mode == "hang":
        hang()
    if mode == "no file":
        return
    left = {"nothing": len(kinds(network)), "ends": 1, "half": len(kinds(network)) // 2}
    compile_here(network, left.get(mode, 0))
    output = Path("network_edgetpu.tflite")
    spoilt = {"garbage": os.urandom(5000), "truncated": output.read_bytes()[:600], "empty": b"", "liar": network}
    if mode == "other":
        shutil.copy(os.environ["STAND_IN_FILE"], output)
    elif mode in spoilt:
        output.write_bytes(spoilt[mode])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
