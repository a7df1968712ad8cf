# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""What is done with each frame, with each attempt to find a camera that is away, and between two frames."""

import logging
import time
from dataclasses import replace
from datetime import UTC, datetime

from .account import Summary
from .announcement import announce
from .camera import Absence, CameraLost, EndOfFrames
from .classifier import Classifier
from .ending import Ending
from .errors import InferenceFailed, LabelcamError, MemoryGrown, ModelFileError
from .ledger import Ledger, card_of
from .memory import MemoryLimit
from .metrics import resident_bytes
from .network import Delegation
from .pictures import Pictures
from .pipeline import Pipeline, Prepared
from .plan import Plan
from .publish import Publishers
from .records import Event, Notice
from .reload import Reloader
from .running import Running
from .succession import Succession
from .trace import Trace
from .watchdog import Watchdog

log = logging.getLogger(__name__)

MINUTE_S = 60.0


class Loop:
    """Goes from frame to frame."""

    def __init__(
        self,
        running: Running,
        reloader: Reloader,
        out: Publishers,
        pictures: Pictures,
        ending: Ending,
        trace: Trace | None = None,
    ) -> None:
        self._running, self._reloader, self._out = running, reloader, out
        self._pictures, self._ending, self._trace = pictures, ending, trace
        self._ledger, self._watchdog, self._memory = Ledger(), Watchdog(), MemoryLimit()
        self._minute_at_s = time.monotonic() + MINUTE_S
        self._succession: Succession | None = None
        self._sent_back: Classifier | None = None
        """Whose frames nobody reads any more."""

        self._rebuilt = False
        self._delegation: Delegation | None = None
        self._away: Absence | None = None

    def run(self) -> LabelcamError | None:
        """Go on until the source or the run ends; return why, if that is before its time.

        Raises what went wrong if there never was a reading.
        """
        announce(self._running.pipeline.classifier)
        self._introduce()
        try:
            while not self._is_due():
                found = self._running.capture.take(self._cannot_wait)
                if isinstance(found, Absence):
                    self._miss(found)
                elif found is not None:
                    self._read(found)
                self._keep_up(time.monotonic())
        except EndOfFrames:
            return None
        except (CameraLost, InferenceFailed, MemoryGrown) as error:
            if not self._ledger.metrics.frames:
                raise
            return error  # the account of what came before is not lost with it
        return None

    def _is_due(self) -> bool:
        return self._ending.is_due(self._ledger.metrics.frames)

    def _cannot_wait(self) -> bool:
        """Whether something is to be done even if no frame comes: a camera that hangs may be what a reload mends."""
        return self._is_due() or self._reloader.has_news()

    def _introduce(self) -> None:
        pipeline = self._running.pipeline
        self._out.tell(card_of(pipeline.classifier, pipeline.decider.names))

    def _read(self, prepared: Prepared) -> None:
        self._found()
        if prepared.pipeline.classifier is self._sent_back:
            self._ledger.lose_frame("failed", prepared.dropped)
            return
        if prepared.pipeline is not self._running.pipeline:
            self._take_over(prepared.pipeline)
        try:
            reading = self._ledger.note(prepared.pipeline.step(prepared))
        except InferenceFailed as error:
            self._ledger.lose_frame("failed", prepared.dropped)
            self._survive(error, prepared.pipeline.classifier)
            return
        self._watchdog.classified(reading.decision.top[0].label)
        if self._running.plan.keeps_pictures:
            self._pictures.show(reading, prepared.pixels)
        self._out.offer(reading)
        if self._trace:
            self._trace.read(reading, prepared)
        # What waited when another model took over is still answered by the one before, and says nothing of that other.
        trial = self._succession if prepared.pipeline.classifier is self._running.plan.classifier else None
        if trial and (complaint := trial.complaint(reading)):
            self._send_back(trial, complaint)

    def _found(self) -> None:
        if self._away:
            self._away = None
            self._ledger.remark("camera", None)

    def _miss(self, absence: Absence) -> None:
        self._watchdog.searching(absence.reason)
        if self._away is None:
            # What was there is gone with the camera: nobody knows. A broker may remember it from an earlier life, too.
            self._out.tell(_lost(absence.reason, self._running.pipeline.decider.finish()))
        self._away = absence
        self._ledger.remark("camera", absence.reason)

    def _survive(self, error: InferenceFailed, classifier: Classifier) -> None:
        """Go on after an interpreter has failed: with the model before, or once with a new interpreter."""
        if classifier is not self._running.plan.classifier:
            log.warning("inference-failed reason=%s; another model takes over anyway", error)
        elif self._succession:
            self._send_back(self._succession, str(error))
        elif self._rebuilt:
            raise error
        else:
            log.warning("inference-failed reason=%s; trying once more with a new interpreter", error)
            self._rebuilt = True
            try:
                classifier.rebuild()
            except ModelFileError as failure:  # of a file that did load: want of memory, which a restart may mend
                raise InferenceFailed(classifier.model.name, failure) from failure

    def _keep_up(self, now_s: float) -> None:
        """Do what is due between two frames; mostly nothing."""
        if (found := self._reloader.poll(self._running.plan)) is not None:
            self._reloaded(found)
        if self._succession and self._succession.is_over(now_s):
            self._end_trial(self._succession.before)
        if (delegation := self._running.pipeline.classifier.interpreter.delegation()) is not self._delegation:
            self._delegation = delegation
            stands_in = delegation.fallbacks and delegation.delegate != "edgetpu"
            self._ledger.remark("delegate", delegation.reason if stands_in else None)
        if now_s >= self._minute_at_s:
            self._minute_at_s = now_s + MINUTE_S
            self._memory.check(resident_bytes() / 1e6, self._running.plan.settings.limits.max_growth_mb)
            if self._away:
                self._out.tell(_lost(self._away.reason, None))
            ended = ", ".join(self._out.ended())
            self._ledger.remark("publishers", f"{ended} failed for good; see the log, and reload" if ended else None)
        self._ledger.remark("rate", self._running.easing.sentence)
        if self._ledger.news:
            self._ledger.news = False
            self._out.tell(self.summary())
        elif now_s >= self._out.report_at_s:
            self._out.report(self.summary(), now_s)

    def _reloaded(self, found: Plan | LabelcamError) -> None:
        if isinstance(found, LabelcamError):
            log.warning("reload-refused reason=%s; what ran before goes on", found)
            self._ledger.remark("settings", f"new settings or model refused: {found}")
            return
        before = self._running.plan
        self._ledger.remark("settings", None)
        self._ledger.remark("model", None)
        self._adopt(found)
        if found.classifier is not before.classifier:
            if self._succession:
                self._end_trial(self._succession.before)
            self._succession = Succession(before, found, time.monotonic())
        log.info("reloaded model=%s", found.classifier.model.name)

    def _send_back(self, trial: Succession, why: str) -> None:
        """Run the model again that ran before one that does not hold."""
        failed = self._running.plan
        self._sent_back, name = failed.classifier, failed.classifier.model.name
        log.warning("model-sent-back model=%s reason=%s", name, why)
        self._adopt(failed.with_model_of(trial.before))
        self._end_trial(failed)
        self._ledger.remark("model", f"{name} was sent back: {why}")

    def _end_trial(self, loser: Plan) -> None:
        """Let go of the model that is not needed any more."""
        self._succession = None
        loser.classifier.close()

    def _adopt(self, plan: Plan) -> None:
        if left := self._running.adopt(plan):
            self._ledger.left(left)
        self._out.become(plan.made())
        self._memory.settle()
        self._introduce()

    def _take_over(self, pipeline: Pipeline) -> None:
        """The first frame that was prepared for another pipeline has come."""
        before, self._running.pipeline = self._running.pipeline, pipeline
        if before.decider is not pipeline.decider:
            pipeline.decider.owe(before.decider.finish())
            self._introduce()
        if before.classifier is not pipeline.classifier:
            announce(pipeline.classifier)

    def finish(self, failure: LabelcamError | None) -> None:
        """Say the last words: what is still held to be there leaves with us."""
        self._running.capture.stop()
        self._watchdog.stopping()
        event = self._running.pipeline.decider.finish()
        if isinstance(failure, CameraLost) and self._away is None:
            self._out.tell(_lost(str(failure), event))
        elif event:
            self._out.tell(Notice(datetime.now(UTC), "ok", event=event))
        if isinstance(failure, CameraLost):
            self._ledger.remark("camera", str(failure))
        self._out.tell(self.summary())

    def summary(self) -> Summary:
        """Return the account so far."""
        running = self._running
        account = self._ledger.summary(
            running.pipeline.classifier, running.capture, running.sampler, self._out.dropped()
        )
        return replace(account, shadow=running.plan.shadow, fps_limit=running.easing.limit)


def _lost(reason: str, event: Event | None) -> Notice:
    return Notice(datetime.now(UTC), "lost", reason, event)
