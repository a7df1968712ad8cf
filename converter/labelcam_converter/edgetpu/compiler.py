# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Drives Google's `edgetpu_compiler`: finds it, runs it, and believes nothing it has not proved.

A closed program of 2021, for x86-64 Linux only; docs/edgetpu.md says how to get it. Its 'compiled successfully' and its
exit code are not enough: it says so of a network of which it has mapped nothing.
"""

import errno
import os
import re
import shutil
import signal
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from labelcam.console import step
from labelcam.errors import LabelcamError, ModelFileError

from ..flatbuffer import Graph, Tensor
from .bounded_process import Ended, OutOfTime, run_bounded
from .mapping import MappingLog, parse, version_in
from .package import read_compiled

PROGRAM = "edgetpu_compiler"

OLDEST = 16
"""What the preflight knows, and the last that was made."""

COMPILE_SECONDS = 180
"""The compiler's own limit, which is also its default; MobileNets take a few seconds."""

_PATIENCE_SECONDS = 20
"""On top of it, before the compiler is ended from outside."""

_ANSWER_SECONDS = 20
"""To say its version; a container has to start first."""

_GUIDE = "docs/edgetpu.md says how"

_REASONS = (
    (re.compile(r"Didn't find op for builtin opcode '(\w+)' version '(\d+)'"), r"it does not know version \2 of \1"),
    (re.compile(r"Encountered unresolved custom op: (\w+)"), r"it does not know the operation \1"),
    (re.compile(r"terminating with uncaught exception(?: of type)? (.+)"), r"it crashed (\1)"),
    (re.compile(r"(Compilation timeout\. .+)"), r"\1"),
    (re.compile(r"Compilation failed: (?:Compilation failed )?(.+)"), r"\1"),
    (re.compile(r"(Internal compiler error)"), r"\1"),
    (re.compile(r"ERROR: (.+)"), r"\1"),
    (re.compile(r"(Model could not be parsed)"), r"\1"),
)
"""What the compiler says where it fails, the most telling first, and how we say it."""


@dataclass(frozen=True, slots=True)
class Compiler:
    """An Edge TPU compiler that answers."""

    path: Path
    version: str


@dataclass(frozen=True, slots=True)
class Compilation:
    """A compiled network, and what the compiler tells of it."""

    flatbuffer: bytes
    log: MappingLog


def find_compiler() -> Compiler:
    """Return the compiler on the PATH. Raises LabelcamError if there is none, or none that can be used."""
    found = shutil.which(PROGRAM)
    if found is None:
        lies = next((path for path in map(Path, _search_path()) if (path / PROGRAM).is_file()), None)
        reason = "not on the PATH" if lies is None else f"not executable ({lies / PROGRAM}: chmod +x makes it so)"
        raise LabelcamError(f"--edgetpu: {PROGRAM} is {reason}; install it or run it in a container, {_GUIDE}")
    with tempfile.TemporaryDirectory(prefix="labelcam-") as folder:
        ended = _run([found, "--version"], Path(folder), _ANSWER_SECONDS)
    version = version_in(ended.said)
    if version is None:
        raise LabelcamError(f"--edgetpu: {found} does not say its version{_last_words(ended)}; install it, {_GUIDE}")
    if int(version.partition(".")[0]) < OLDEST:
        raise LabelcamError(f"--edgetpu: {found} is version {version}; install version {OLDEST}, {_GUIDE}")
    return Compiler(Path(found), version)


def _search_path() -> Sequence[str]:
    return [folder for folder in os.environ.get("PATH", "").split(os.pathsep) if folder]


def compile_network(compiler: Compiler, network: bytes, seconds: int = COMPILE_SECONDS) -> Compilation:
    """Return an int8 network compiled for the Edge TPU.

    Raises LabelcamError, with what the compiler said, if it fails, hangs or gives anything but a compiled network of
    the same input and output. Whether enough of it was mapped is for `mapping.judge` to say.
    """
    with tempfile.TemporaryDirectory(prefix="labelcam-") as name, step("compiling for the Edge TPU"):
        folder = Path(name)
        try:
            (folder / "network.tflite").write_bytes(network)
        except OSError:
            raise _full(folder) from None
        # Relative names, run in the folder: so a wrapper script can hand the folder to a container.
        command = [str(compiler.path), "-s", "-t", str(seconds), "-o", ".", "network.tflite"]
        ended = _run(command, folder, seconds + _PATIENCE_SECONDS)
        text = ended.said + _read_text(folder / "network_edgetpu.log")
        if _killed_by(ended) == signal.SIGXFSZ or shutil.disk_usage(folder).free == 0:
            raise _full(folder)
        if ended.code or "Compilation failed" in text or not (folder / "network_edgetpu.tflite").is_file():
            raise LabelcamError(f"--edgetpu: {PROGRAM} {compiler.version} failed: {_reason(ended)}")
        compiled = (folder / "network_edgetpu.tflite").read_bytes()
    log = parse(text)
    _check(compiled, network, log)
    return Compilation(compiled, log)


def _run(command: Sequence[str], folder: Path, seconds: float) -> Ended:
    try:
        return run_bounded(command, folder, seconds)
    except OutOfTime:
        raise LabelcamError(
            f"--edgetpu: {command[0]} did not end within {seconds:g} s and was stopped; try again, or a smaller --size"
        ) from None
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise _full(folder) from None
        raise LabelcamError(
            f"--edgetpu: {command[0]} cannot be started ({error.strerror}); it needs an x86-64 Linux, {_GUIDE}"
        ) from None


def _full(folder: Path) -> LabelcamError:
    return LabelcamError(f"the temporary folder {folder.parent} is full; free space or set TMPDIR to another")


def _read_text(path: Path) -> str:
    try:
        return "\n" + path.read_text(errors="replace")
    except OSError:
        return ""  # its stdout says the same


def _reason(ended: Ended) -> str:
    for pattern, words in _REASONS:
        if found := pattern.search(ended.said):
            said = found.expand(words).strip().rstrip(".! ")
            return f"{said}; {_remedy(said)}"
    if number := _killed_by(ended):
        return f"it was ended by {number.name}; try again, it is known to fail by chance"
    return f"it wrote no file and gave no reason{_last_words(ended)}; try again, or another network"


def _killed_by(ended: Ended) -> signal.Signals | None:
    # A shell, and so a wrapper script, tells the number of the signal on top of 128.
    number = -ended.code if ended.code < 0 else ended.code - 128
    return signal.Signals(number) if number in signal.Signals.__members__.values() else None


def _remedy(said: str) -> str:
    if "does not know" in said:
        return "labelcam-convert inspect on the int8 file names the operation; quantise it by build --edgetpu"
    if "activation" in said:
        return "build it for smaller pictures: --size"
    if "Internal compiler error" in said or "crashed" in said:
        return "try again, it is known to fail by chance; if it stays, build another network or size"
    return "build another network, or report it with LABELCAM_DEBUG=1"


def _last_words(ended: Ended) -> str:
    lines = ended.said.split("\n")
    last = next((line.strip() for line in reversed(lines) if line.strip()), "")
    return f" (it said: {last[:120]})" if last else ""


def _check(compiled: bytes, network: bytes, log: MappingLog) -> None:
    """Refuse what is no compiled form of the network that was given to the compiler."""
    if not log.rows:
        raise LabelcamError(f"--edgetpu: {PROGRAM} does not list what it mapped; install version {OLDEST}, {_GUIDE}")
    try:
        graph, given = Graph(compiled), Graph(network)
        found = read_compiled(graph)
        same = _ends(graph) == _ends(given)
    except (ModelFileError, ValueError, IndexError, TypeError, AttributeError) as error:
        # The reader of flatbuffers raises nearly anything for random bytes.
        raise LabelcamError(
            f"--edgetpu: {PROGRAM} wrote a damaged file ({type(error).__name__}); is the disk full? Try again"
        ) from None
    if found is None and log.mapped:
        raise LabelcamError(
            f"--edgetpu: {PROGRAM} says it mapped {log.mapped} operations, but its file shows none; "
            f"install it anew, {_GUIDE}"
        )
    if not same:
        raise LabelcamError(
            f"--edgetpu: {PROGRAM} wrote a network with another input or output; install it anew, {_GUIDE}"
        )


def _ends(graph: Graph) -> list[tuple[tuple[int, ...], str, tuple[float, ...], tuple[int, ...]]]:
    def described(tensor: Tensor) -> tuple[tuple[int, ...], str, tuple[float, ...], tuple[int, ...]]:
        return tensor.shape, tensor.dtype, tensor.scales, tensor.zero_points

    return [described(tensor) for tensor in (*graph.inputs, *graph.outputs)]
