# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Which network answers for a model file where the Edge TPU is asked for."""

from functools import partial

from ..errors import ModelFileError
from ..model_file import ModelFile
from ..network import Network
from ..runtime import Interpreter
from .attempts import Attempts
from .fallback import FallbackNetwork
from .faults import EdgeTpuFault
from .isolated import IsolatedNetwork
from .machine import Machine
from .proof import Proof
from .usb import corals


def open_on_edgetpu(model: ModelFile, threads: int, machine: Machine | None, *, insist: bool) -> Network:
    """Open a model file on the Edge TPU, with its CPU twin behind it where it has one.

    With `insist` the file must be compiled for the Edge TPU, else the CPU runs one that is not. Raises ModelFileError
    if the file cannot be run here.
    """
    machine = machine or Machine()
    if not model.is_compiled():
        if insist:
            raise ModelFileError(
                f"{model.path}: is not compiled for the Edge TPU; build it by labelcam-convert build --edgetpu, or set "
                "runtime.delegate = 'auto'"
            )
        return Interpreter(model.data, threads, name=str(model.path))
    start = partial(IsolatedNetwork, model.data, machine, threads)
    packed = model.twin()
    if packed is not None:
        twin = Interpreter(packed, threads, name=str(model.path))
        attempts = Attempts(machine.backoff, lambda: {coral.port for coral in corals(machine)})
        return FallbackNetwork(twin, start, attempts, Proof.of(model, twin), insist=insist)
    try:
        return start()
    except EdgeTpuFault as failure:
        raise ModelFileError(f"{model.path}: is compiled for the Edge TPU and has no CPU twin, but {failure}") from None
