# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The daemon: opened resources, and the loop over them."""

import sys

from .ending import Ending, Outcome
from .loop import Loop
from .pictures import Pictures
from .plan import Plan
from .publish import run_publishers
from .reload import Reloader
from .running import Running
from .trace import Trace

# The GIL's default of 5 ms between hand-overs can exceed a whole invoke; a tenth of it keeps both threads flowing.
SWITCH_INTERVAL_S = 0.0005


def serve(plan: Plan, reloader: Reloader, pictures: Pictures, ending: Ending, trace: Trace | None = None) -> Outcome:
    """Classify frames until the source or the run ends, or something fails for good.

    Raises CameraLost, InferenceFailed or MemoryGrown if there never was a reading.
    """
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    with Running(plan, trace) as running:

        def may_wait() -> bool:
            return not running.plan.spec.live and not ending.cannot_wait()

        with run_publishers(plan.made(), may_wait, trace.published if trace else None) as out:
            loop = Loop(running, reloader, out, pictures, ending, trace)
            failure = loop.run()
            loop.finish(failure)
        # Once more: what the publishers did not get rid of in time counts as well.
        return Outcome(loop.summary(), failure)
