# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Whether an Edge TPU can be opened here, tried in a child process."""

import os

from .faults import fault
from .leash import Child, Ended, in_memory
from .machine import Machine
from .usb import Finding


def probe(machine: Machine) -> Finding:
    """Load the library and open a stick, in a child process that may crash or hang over it.

    A library that was built for another interpreter may show that only when it meets a network: what this finds good,
    a compiled model file may still find wrong.
    """
    memory = in_memory()
    child = Child(machine.library, memory)
    try:
        child.ready(machine.patience)
    except Ended as ended:
        what, _, remedy = str(fault(ended.end, machine)).partition("; ")
        return Finding(False, what, remedy)
    finally:
        child.end()
        os.close(memory)
    return Finding(True, f"{machine.library} opens an Edge TPU")
