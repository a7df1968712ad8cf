# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Plans are made on threads of their own: the first, which may take long, and those that settings read anew ask for."""

import logging
import threading
from queue import Empty, SimpleQueue

from .errors import LabelcamError
from .plan import Plan, Planner

log = logging.getLogger(__name__)


def first_plan(planner: Planner, stop: threading.Event) -> Plan | None:
    """Make the plan to begin with; return None where `stop` is set before there is one.

    A stick that hangs may keep it waiting for half a minute. Raises what the planner raises.
    """
    made: SimpleQueue[Plan | Exception] = SimpleQueue()

    def make() -> None:
        try:
            made.put(planner.plan())
        except Exception as error:  # noqa: BLE001, raised again where it is waited for
            made.put(error)

    threading.Thread(target=make, name="plan", daemon=True).start()
    while not stop.is_set():
        try:
            found = made.get(timeout=0.1)  # short, so that a signal is answered soon
        except Empty:
            continue
        if isinstance(found, Exception):
            raise found
        return found
    return None


class Reloader:
    """Makes a new plan beside the running one. `request` may be called from a signal handler."""

    def __init__(self, planner: Planner) -> None:
        self._planner = planner
        self._requested = threading.Event()
        self._busy = False
        self._result: tuple[Plan, Plan | LabelcamError] | None = None
        """What ran when the preparation began, and what came of it."""

    def request(self) -> None:
        """Ask for the settings to be read anew."""
        self._requested.set()

    def has_news(self) -> bool:
        """Whether `poll` would do something."""
        return self._result is not None or (self._requested.is_set() and not self._busy)

    def poll(self, running: Plan) -> Plan | LabelcamError | None:
        """Begin what was requested; return what came of it, once: a plan, or why there is none. Takes no time."""
        if self._result is not None:
            (before, result), self._result, self._busy = self._result, None, False
            if isinstance(result, LabelcamError) or before is running:
                return result
            # A model has been sent back meanwhile, and must not come again by a plan that builds on it: make another.
            if result.classifier is not before.classifier:
                result.classifier.close()
            self._requested.set()
        if self._requested.is_set() and not self._busy:
            self._requested.clear()
            self._busy = True
            threading.Thread(target=self._prepare, args=(running,), name="reload", daemon=True).start()
        return None

    def _prepare(self, running: Plan) -> None:
        log.info("reload: reading settings and model anew")
        try:
            self._result = running, self._planner.plan(running)
        except LabelcamError as error:
            self._result = running, error
        except Exception as error:  # noqa: BLE001, whatever it is must not end what runs
            self._result = (
                running,
                LabelcamError(f"settings and model cannot be read anew ({error!r}); please report it"),
            )
