# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The same for every Pi, at once; one that fails does not stop the others, and Ctrl-C stops them all."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from labelcam.console import complain, note
from labelcam.errors import LabelcamError

from . import password
from .ctrl_c import Stopped, stop
from .pi import Pi

T = TypeVar("T")


def each(program: str, pis: Sequence[Pi], work: Callable[[Pi], str]) -> int:
    """Let ourselves in everywhere, then do the work everywhere, and return the gravest exit code."""
    with ThreadPoolExecutor(len(pis)) as pool:
        try:
            wanted = list(pool.map(lambda pi: _tried(program, lambda: password.is_wanted(pi)), pis))
            # One prompt after the other, while nothing else is said.
            known = [_let_in(program, pi, found) for pi, found in zip(pis, wanted, strict=True)]
            done = list(pool.map(lambda pi: _done(program, pi, work), known))
        except KeyboardInterrupt:
            meaning = stop()
            for pi in pis:
                pi.hang_up()  # the shared connection holds our pipes too, and its network may be gone
            note(f"{program}: " + "; ".join(["stopped", *meaning]))
            raise
    return max(found.exit_code if isinstance(found, LabelcamError) else 0 for found in done)


def _let_in(program: str, pi: Pi, wanted: bool | LabelcamError) -> Pi | LabelcamError:
    if wanted is True:
        return _tried(program, lambda: password.asked_for(pi))
    return pi if wanted is False else wanted


def _done(program: str, pi: Pi | LabelcamError, work: Callable[[Pi], str]) -> LabelcamError | None:
    if isinstance(pi, LabelcamError):
        return pi
    return _tried(program, lambda: print(f"{pi.host}: {work(pi)}", flush=True))


def _tried(program: str, act: Callable[[], T]) -> T | LabelcamError:
    try:
        return act()
    except LabelcamError as error:
        if not isinstance(error, Stopped):
            complain(program, error)
        return error
