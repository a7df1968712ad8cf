# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The driver of Google's compiler, against a stand-in that says what the real one says."""

import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

import edgetpu_stand_in
from labelcam.errors import GateFailed, LabelcamError
from labelcam_converter.edgetpu.compiler import Compilation, Compiler, compile_network, find_compiler
from labelcam_converter.edgetpu.mapping import judge
from labelcam_converter.edgetpu.package import read_compiled
from labelcam_converter.edgetpu.stage import compile_checked
from labelcam_converter.flatbuffer import Graph


@pytest.fixture
def compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Compiler:
    """The stand-in, on the PATH; its temporary files go where a test can look for them."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "tmp").mkdir()
    program = edgetpu_stand_in.install(tmp_path / "bin")
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    return Compiler(program, edgetpu_stand_in.VERSION)


@pytest.fixture
def compiled(
    compiler: Compiler, byte_network: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Compilation]:
    """Compile the small network by a stand-in that behaves as named; nothing temporary may stay, whatever happens."""

    def run(mode: str, network: bytes = byte_network, seconds: int = 60) -> Compilation:
        monkeypatch.setenv("STAND_IN", mode)
        try:
            return compile_network(compiler, network, seconds)
        finally:
            assert list((tmp_path / "tmp").iterdir()) == []

    return run


def test_a_network_is_compiled(compiled: Callable[..., Compilation], byte_network: bytes) -> None:
    """The compiled network has one custom operation and the same ends; the log tells of every operation and byte."""
    compilation = compiled("all")
    graph, given = Graph(compilation.flatbuffer), Graph(byte_network)
    assert graph.histogram() == {"edgetpu-custom-op": 1}
    assert [(tensor.shape, tensor.dtype) for tensor in (*graph.inputs, *graph.outputs)] == [
        (tensor.shape, tensor.dtype) for tensor in (*given.inputs, *given.outputs)
    ]
    log = compilation.log
    assert (log.compiler, log.subgraphs, log.off_chip_bytes) == ("16.0.384591198", 1, 0)
    assert {row.operation: row.count for row in log.rows} == given.histogram()
    assert log.mapped == log.operations == len(given.operations)
    assert judge(log, None) is judge(log, 1.0) is None


def test_the_package_inside_is_read(compiled: Callable[..., Compilation]) -> None:
    """Which runtime a compiled network needs stands in the package that its custom operation carries."""
    found = read_compiled(Graph(compiled("ends").flatbuffer))
    assert found is not None
    assert (found.parts, found.left, found.runtime_version, found.compiler) == (1, 1, 14, None)


@pytest.mark.parametrize(
    ("mode", "said"),
    [
        ("internal", "Internal compiler error; try again, it is known to fail by chance"),
        ("version", "it does not know version 3 of QUANTIZE; labelcam-convert inspect"),
        ("dynamic", "Model failed in Tflite interpreter"),
        ("large", "due to large activation tensors in model; build it for smaller pictures: --size"),
        ("custom", "it does not know the operation Atan"),
        ("exception", "it crashed (std::out_of_range: vector); try again"),
        ("slow", "usually caused by large activations; build it for smaller pictures: --size"),
        ("silent", "it wrote no file and gave no reason (it said: Compilation failed!)"),
        ("no file", "it wrote no file and gave no reason"),
        ("SIGSEGV", "it was ended by SIGSEGV; try again"),
        ("garbage", "wrote a damaged file"),
        ("truncated", "wrote a damaged file"),
        ("empty", "wrote a damaged file"),
        ("liar", "operations, but its file shows none"),
        ("other", "wrote a network with another input or output"),
    ],
)
def test_each_failure_is_one_line_with_a_remedy(
    mode: str,
    said: str,
    compiled: Callable[..., Compilation],
    networks: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whatever the compiler does wrong, the line says what, in its own words where it has any, and what to do."""
    other = tmp_path / "other.tflite"
    other.write_bytes(edgetpu_stand_in.wrapped((networks / "nested.tflite").read_bytes()))
    monkeypatch.setenv("STAND_IN_FILE", str(other))
    with pytest.raises(LabelcamError) as failure:
        compiled(mode)
    assert said in str(failure.value)
    assert str(failure.value).startswith("--edgetpu: ")
    assert "\n" not in str(failure.value)
    assert "; " in str(failure.value)
    assert failure.value.exit_code == 1


def test_a_full_disk(compiled: Callable[..., Compilation]) -> None:
    """A compiler that the full disk has ended is no broken compiler."""
    with pytest.raises(LabelcamError, match=r"the temporary folder .* is full; free space or set TMPDIR"):
        compiled("SIGXFSZ")


def test_a_compiler_that_hangs_is_ended(
    compiled: Callable[..., Compilation], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It goes with its child, though both ignore being asked to, and the line says how long it was waited for."""
    child = tmp_path / "child"
    monkeypatch.setenv("STAND_IN_CHILD", str(child))
    monkeypatch.setattr("labelcam_converter.edgetpu.compiler._PATIENCE_SECONDS", 3)
    with pytest.raises(LabelcamError, match="did not end within 4 s and was stopped; try again"):
        compiled("hang", seconds=1)
    assert edgetpu_stand_in.soon(lambda: edgetpu_stand_in.gone(child))


def test_ctrl_c_leaves_no_compiler(
    compiled: Callable[..., Compilation], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C while the compiler works ends it and its child, and takes the temporary folder away."""
    child = tmp_path / "child"
    monkeypatch.setenv("STAND_IN_CHILD", str(child))

    def press() -> None:
        edgetpu_stand_in.soon(lambda: child.is_file() and child.read_text() != "")
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    thread = threading.Thread(target=press)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        compiled("hang")
    thread.join()
    assert edgetpu_stand_in.soon(lambda: edgetpu_stand_in.gone(child))


def test_compiled_successfully_is_not_enough(compiled: Callable[..., Compilation]) -> None:
    """The compiler calls it a success to have mapped nothing; the gate does not, even with --min-mapped 0."""
    log = compiled("nothing").log
    assert (log.mapped, log.subgraphs) == (0, 0)
    for asked in (None, 0.0):
        with pytest.raises(GateFailed, match="mapped nothing to the Edge TPU"):
            judge(log, asked)


def test_the_ends_may_stay_behind(compiled: Callable[..., Compilation]) -> None:
    """A QUANTIZE or SOFTMAX on the CPU is nothing to talk about, unless --min-mapped says otherwise."""
    log = compiled("ends").log
    assert log.left == {"QUANTIZE": 1}
    assert judge(log, None) is None
    with pytest.raises(GateFailed, match=r"less than --min-mapped 1: 1 QUANTIZE \(Operation is otherwise supported"):
        judge(log, 1.0)


def test_a_partial_mapping_fails_unless_it_is_accepted(compiled: Callable[..., Compilation]) -> None:
    """The line names what stayed behind and why, with exit code 3, and the figure that would let it pass."""
    log = compiled("half").log
    with pytest.raises(GateFailed, match=r"Operation not supported.*accept it by --min-mapped 0\.\d") as failure:
        judge(log, None)
    assert failure.value.exit_code == 3
    accepted = float(str(failure.value).rsplit(" ", 1)[1])
    assert "stay on the CPU" in (judge(log, accepted) or "")
    with pytest.raises(GateFailed):
        judge(log, accepted + 0.2)


def test_parameters_that_do_not_fit_are_told(compiled: Callable[..., Compilation]) -> None:
    """Parameters that are streamed slow every frame down: no failure, but a warning with the amount."""
    log = compiled("streams").log
    assert (log.on_chip_bytes, log.on_chip_free_bytes, log.off_chip_bytes) == (6375342, 0, 1782579)
    assert "1.70 MiB of parameters" in (judge(log, None) or "")


def test_the_same_network_gives_the_same_bytes(compiled: Callable[..., Compilation]) -> None:
    """Nothing of where and when it was compiled gets into the file or the log."""
    assert compiled("all") == compiled("all")


def test_the_stage_looks_before_it_compiles(compiler: Compiler, networks: Path, byte_network: bytes) -> None:
    """A network that is sure to be refused never reaches the compiler."""
    assert compile_checked(compiler, byte_network, None).log.mapped
    broken = Compiler(Path("/no/such/compiler"), "16.0")
    with pytest.raises(GateFailed, match="the network is not quantised: it computes in float32"):
        compile_checked(broken, (networks / "colours.tflite").read_bytes(), None)
    with pytest.raises(LabelcamError, match="cannot be started"):
        compile_checked(broken, byte_network, None)


def test_the_compiler_is_found_on_the_path(compiler: Compiler, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one on the PATH is asked for its version, which stands in the manifest later."""
    assert find_compiler() == compiler
    monkeypatch.setenv("STAND_IN_VERSION", "2.1.302470888")
    with pytest.raises(LabelcamError, match=r"is version 2\.1\.302470888; install version 16"):
        find_compiler()


def test_no_compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is none, or one that cannot be started, the line says where to read on."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(LabelcamError, match=r"edgetpu_compiler is not on the PATH; .* docs/edgetpu.md says how"):
        find_compiler()
    program = tmp_path / "edgetpu_compiler"
    program.write_text("#!/bin/sh\nexit 0\n")
    with pytest.raises(LabelcamError, match=r"is not executable .*chmod"):
        find_compiler()
    program.chmod(0o755)
    with pytest.raises(LabelcamError, match="does not say its version"):
        find_compiler()
    program.write_bytes(b"\x7fELF of another machine")
    with pytest.raises(LabelcamError, match=r"cannot be started .Exec format error.; it needs an x86-64 Linux"):
        find_compiler()
