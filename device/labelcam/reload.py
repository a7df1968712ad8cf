# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Settings and model read anew while frames go on: prepared on a thread of its own, taken over between two frames."""

import logging
import threading

from .errors import LabelcamError
from .plan import Plan, Planner

log = logging.getLogger(__name__)


class Reloader:
    """Makes a new plan beside the running one. `request` may be called from a signal handler."""

    def __init__(self, planner: Planner) -> None:
        self._planner = planner
        self._requested = threading.Event()
        self._busy = False
        self._result: Plan | LabelcamError | None = None

    def request(self) -> None:
        """Ask for the settings to be read anew."""
        self._requested.set()

    def poll(self, running: Plan) -> Plan | LabelcamError | None:
        """Begin what was requested; return what came of it, once: a plan, or why there is none. Takes no time."""
        if self._result is not None:
            result, self._result, self._busy = self._result, None, False
            return result
        if self._requested.is_set() and not self._busy:
            self._requested.clear()
            self._busy = True
            threading.Thread(target=self._prepare, args=(running,), name="reload", daemon=True).start()
        return None

    def _prepare(self, running: Plan) -> None:
        log.info("reload: reading settings and model anew")
        try:
            self._result = self._planner.plan(running)
        except LabelcamError as error:
            self._result = error
        except Exception as error:  # noqa: BLE001, whatever it is must not end what runs
            self._result = LabelcamError(f"settings and model cannot be read anew ({error!r}); please report it")
