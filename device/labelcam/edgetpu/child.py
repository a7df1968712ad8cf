# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""What the child process does: load the Edge TPU's library, load the network, and answer, until nobody asks any more.

It says on a pipe which stage begins, then what the network is like, and from then on a byte for every byte that it is
sent. Input and output lie in memory that it shares with its parent.
"""

import fcntl
import json
import mmap
import os
import resource
import select
import signal
import sys
from contextlib import suppress

from ..errors import LabelcamError
from ..runtime import Interpreter, load_delegate
from .exchange import ANSWERED, arrays, described, line, size


def main(library: str, threads: int, leash: int, orders: int, answers: int, memory: int, model: int | None) -> None:
    """Work for the parent, at the other ends of these file descriptors. Without a `model` only open the Edge TPU."""
    for number in (signal.SIGINT, signal.SIGTERM):  # meant for the parent, which may want one more answer
        signal.signal(number, signal.SIG_IGN)
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # an abort is the usual end here, and its core is nobody's
    die_with_parent(leash)
    try:
        os.write(answers, line(stage="delegate"))
        delegate = load_delegate(library)
        if model is None:
            os.write(answers, line(ready={}))
            return
        os.write(answers, line(stage="network"))
        compiled = os.pread(model, os.fstat(model).st_size, 0)
        network = Interpreter(compiled, threads, "edgetpu", loaded=delegate)
        os.write(answers, line(stage="warm-up"))
        network.invoke()  # the first one sends the parameters as well
        _serve(network, orders, answers, memory)
    except BrokenPipeError:
        sys.exit(1)  # the parent has gone
    except (LabelcamError, ValueError, RuntimeError, OSError) as error:
        os.write(answers, line(error=str(error)))
        sys.exit(1)


def die_with_parent(leash: int) -> None:
    """Have the kernel end this process when the other end of a pipe closes, even while the library hangs in C.

    PR_SET_PDEATHSIG would end it as soon as the *thread* that started it ends.
    """
    signal.signal(signal.SIGIO, signal.SIG_DFL)  # its default is to end the process
    fcntl.fcntl(leash, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(leash, fcntl.F_SETFL, os.O_ASYNC | os.O_NONBLOCK)
    if select.select([leash], [], [], 0)[0]:
        sys.exit(1)  # it has closed already


def _serve(network: Interpreter, orders: int, answers: int, memory: int) -> None:
    os.ftruncate(memory, size(network.input, network.output))
    given, result = arrays(network.input, network.output, mmap.mmap(memory, 0))
    about = described(network.input, network.output, network.delegation(), quantised=network.quantised)
    os.write(answers, line(ready=about))
    while os.read(orders, 1):
        network.write(given)
        network.invoke()
        result[...] = network.read()
        os.write(answers, ANSWERED)


if __name__ == "__main__":
    main(**json.loads(sys.argv[1]))
