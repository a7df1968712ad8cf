# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The compiled network in a process of its own, and what becomes of that process."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest

from edgetpu_library import Stick, ended, soon
from labelcam.classifier import Classifier
from labelcam.edgetpu.faults import EdgeTpuFault
from labelcam.edgetpu.isolated import IsolatedNetwork
from labelcam.edgetpu.machine import Machine
from labelcam.errors import ModelFileError
from labelcam.model_file import ModelFile
from labelcam.runtime import Interpreter

PICTURE = np.random.default_rng(7).integers(0, 256, (1, 6, 8, 3), np.uint8)
FORSAKEN = """
import sys, time
from pathlib import Path
from labelcam.edgetpu.leash import Child, in_memory
child = Child(sys.argv[1], in_memory(), in_memory(Path(sys.argv[2]).read_bytes()))
print(child.pid, flush=True)
time.sleep(600)
"""


@pytest.fixture
def isolated(compiled: Callable[..., Path]) -> Iterator[Callable[[Machine], IsolatedNetwork]]:
    """Open the toy model's compiled network, and close it after the test."""
    with ExitStack() as stack:

        def begin(machine: Machine) -> IsolatedNetwork:
            network = IsolatedNetwork(compiled().read_bytes(), machine)
            stack.callback(network.close)
            return network

        yield begin


def answer(network: IsolatedNetwork | Interpreter) -> np.ndarray:
    network.write(PICTURE)
    network.invoke()
    return network.read()


def test_it_answers_like_a_network_in_this_process(
    stick: Stick, isolated: Callable[[Machine], IsolatedNetwork], toy: Callable[..., bytes]
) -> None:
    """Shape, type, scale and scores come across; every operation is the Edge TPU's."""
    network, own = isolated(stick.machine()), Interpreter(toy())
    for theirs, ours in ((network.input, own.input), (network.output, own.output)):
        assert (theirs.shape, theirs.dtype, theirs.scale) == (ours.shape, ours.dtype, ours.scale)
        assert theirs.zero_point == ours.zero_point
    for _ in range(3):
        assert np.abs(answer(network).astype(int) - answer(own)).max() <= 1
    found = network.delegation()
    assert (found.delegate, found.taken, found.total, dict(found.left)) == ("edgetpu", 1, 1, {})
    assert network.quantised


def test_a_real_compiled_network_runs(stick: Stick, shared_data: Path) -> None:
    """What Google's compiler made: a plain file without a twin, its one operation taken by the stand-in."""
    path = shared_data / "models" / "mobilenet_v1_0.25_128_quant_edgetpu.tflite"
    classifier = Classifier(ModelFile.load(path), delegate="edgetpu", machine=stick.machine())
    try:
        assert classifier.interpreter.delegation().delegate == "edgetpu"
        assert not classifier.on_twin
        prepared = classifier.input_array()
        prepared[..., :] = np.arange(prepared.size, dtype=np.uint32).astype(np.uint8).reshape(prepared.shape)
        columns = prepared.reshape(-1)
        wanted = [columns[label::1001].mean() for label in range(1001)]
        assert np.abs(classifier.scores(prepared) * 256 - wanted).max() <= 0.51
    finally:
        classifier.close()


def test_handing_over_costs_little(stick: Stick, isolated: Callable[[Machine], IsolatedNetwork]) -> None:
    """Some 0.03 ms alone on the machine it was written on; here with room for a busy one."""
    network, laps = isolated(stick.machine()), []
    for _ in range(300):
        begun = time.perf_counter_ns()
        answer(network)
        laps.append(time.perf_counter_ns() - begun)
    assert np.percentile(laps, 25) < 1e6


def test_an_abort_is_an_error_here(stick: Stick, isolated: Callable[[Machine], IsolatedNetwork]) -> None:
    """Libedgetpu ends its process on a USB fault; its last words are told, and asking on is the same error."""
    stick.behave("abort 3")
    network = isolated(stick.machine())
    answer(network)
    with pytest.raises(
        EdgeTpuFault, match=r"during invoke \(SIGABRT: F driver/usb.*USB transfer error 2\); plug"
    ) as told:
        answer(network)
    assert told.value.exit_code == 1
    assert isinstance(told.value, RuntimeError)
    assert ended(network.pid)


def test_a_hang_is_ended_in_time(stick: Stick, isolated: Callable[[Machine], IsolatedNetwork]) -> None:
    """A frame may cost the time limit, not the daemon."""
    stick.behave("stall 2")
    network = isolated(stick.machine(invoke_s=0.3))
    with pytest.raises(EdgeTpuFault, match=r"gave no answer within 0\.3 s during invoke; plug the stick in anew"):
        answer(network)
    assert ended(network.pid)


def test_a_refusal_is_told_in_its_words(stick: Stick, isolated: Callable[[Machine], IsolatedNetwork]) -> None:
    """The interpreter's own error, where nothing crashed."""
    stick.behave("refuse 2")
    network = isolated(stick.machine())
    with pytest.raises(EdgeTpuFault, match=r"invoke failed .*failed to invoke"):
        answer(network)


def test_an_old_library_shows_when_it_meets_a_network(
    stick: Stick, isolated: Callable[[Machine], IsolatedNetwork]
) -> None:
    """What was built against TensorFlow 2.5 opens the stick and then crashes: the build to take is named."""
    stick.behave("old")
    with pytest.raises(EdgeTpuFault, match=r"crashes \(SIG.*another interpreter.*feranick/libedgetpu"):
        isolated(stick.machine())


def test_closing_ends_the_child(stick: Stick, isolated: Callable[[Machine], IsolatedNetwork]) -> None:
    """Another process may then have the Edge TPU; closing twice is no mistake."""
    network = isolated(stick.machine())
    network.close()
    assert ended(network.pid)
    network.close()


@pytest.mark.parametrize("how", ["works", "hang", "stall 1"])
def test_the_child_never_outlives_its_parent(stick: Stick, compiled: Callable[..., Path], how: str) -> None:
    """Not even while the library hangs; it would keep the Edge TPU from whoever comes next."""
    stick.behave(how)
    command = [sys.executable, "-c", FORSAKEN, stick.library, compiled()]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert soon(lambda: stick.openings == 1)
        parent.kill()
    assert ended(child)


def test_a_signal_to_the_whole_group_is_the_parents(
    stick: Stick, isolated: Callable[[Machine], IsolatedNetwork]
) -> None:
    """Systemd's SIGTERM goes to every process of the unit: the last frames are answered all the same."""
    network = isolated(stick.machine())
    for number in (signal.SIGTERM, signal.SIGINT):
        os.kill(network.pid, number)
    answer(network)
    assert os.getpgid(network.pid) != os.getpgid(0)


@pytest.mark.parametrize("delegate", ["edgetpu", "auto"])
def test_without_a_twin_there_must_be_one(
    delegate: str, stick: Stick, compiled: Callable[..., Path], shared_data: Path
) -> None:
    """Somebody else's compiled file cannot run without: 78, with the reason and the remedy."""
    path = shared_data / "models" / "mobilenet_v1_0.25_128_quant_edgetpu.tflite"
    stick.behave("none")
    with pytest.raises(ModelFileError, match=r"has no CPU twin, but no Coral.*is plugged in; plug one in") as told:
        Classifier(ModelFile.load(path), delegate=delegate, machine=stick.machine())
    assert told.value.exit_code == 78


def test_a_file_that_is_not_compiled_is_refused_or_runs_on_the_cpu(stick: Stick, colours: Path) -> None:
    """Whoever asks for "edgetpu" means it; "auto" takes what the file is made for."""
    model = ModelFile.load(colours)
    with pytest.raises(ModelFileError, match=r"is not compiled for the Edge TPU; build it by .* --edgetpu, or set"):
        Classifier(model, delegate="edgetpu", machine=stick.machine())
    auto, usual = Classifier(model, delegate="auto", machine=stick.machine()), Classifier(model)
    assert auto.interpreter.delegation() == usual.interpreter.delegation()
