# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""A network on the Edge TPU, in a child process: to its user it is a network like any other."""

import mmap
import os

from ..network import Array, Delegation, Tensor
from .exchange import arrays, tensor
from .faults import EdgeTpuFault, fault
from .leash import Child, Ended, in_memory
from .machine import Machine


class IsolatedNetwork:
    """The compiled network in a child process that owns the Edge TPU. `invoke` raises EdgeTpuFault once it is lost."""

    def __init__(self, compiled: bytes, machine: Machine, threads: int = 1) -> None:
        """Start the child and wait until it can answer. Raises EdgeTpuFault if it cannot."""
        self._machine = machine
        self.threads = threads
        memory, model = in_memory(), in_memory(compiled)  # the child knows how much is to be shared
        try:
            self._child = Child(machine.library, memory, model, threads)
            about = self._child.ready(machine.patience)
            self.input: Tensor = tensor(about["input"])
            self.output: Tensor = tensor(about["output"])
            self.written, self._result = arrays(self.input, self.output, mmap.mmap(memory, 0))
        except Ended as ended:
            raise fault(ended.end, machine) from None
        except OSError as error:
            raise EdgeTpuFault(
                f"the Edge TPU's process cannot be started ({error.strerror}); end other programs"
            ) from None
        finally:
            os.close(memory)
            os.close(model)
        self.quantised: bool = about["quantised"]
        self._delegation = Delegation(**about["delegation"])

    @property
    def pid(self) -> int:
        """The number of the child process, while it lives."""
        return self._child.pid

    def write(self, values: Array) -> None:
        self.written[...] = values

    def invoke(self) -> None:
        """Have the child run the network, and wait for it no longer than `patience.invoke`."""
        try:
            self._child.ask(self._machine.patience.invoke)
        except Ended as ended:
            raise fault(ended.end, self._machine) from None

    def read(self) -> Array:
        return self._result.copy()

    def delegation(self) -> Delegation:
        return self._delegation

    def close(self) -> None:
        self._child.end()
