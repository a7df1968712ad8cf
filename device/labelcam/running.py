# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""What runs right now, and how another plan takes its place between two frames."""

from contextlib import ExitStack
from typing import Self

from .board import Board
from .capture import Capture, Left
from .easing import Easing, bounds_of
from .glance import EVERY_S, Darkness
from .mounting import open_settings_camera, opened_with, patience_s, view_of
from .pipeline import Pipeline
from .plan import Plan
from .sampler import Sample, Sampler
from .trace import Trace


class Running:
    """A plan with its camera and its pipeline. Use it in a `with` block: leaving it frees the camera."""

    def __init__(self, plan: Plan, trace: Trace | None = None) -> None:
        self.plan, self._trace = plan, trace
        self._camera_open, self._sampler_open = ExitStack(), ExitStack()
        self.easing = self._new_easing()
        self.sampler = self._new_sampler()
        self.pipeline = self._new_pipeline()
        """Whose frames are being read; while another takes over, still the one before."""

        self.capture = self._new_capture(self.pipeline, first_seq=0)

    def __enter__(self) -> Self:
        self._sampler_open.enter_context(self.sampler)
        self._camera_open.enter_context(self.capture)
        return self

    def __exit__(self, *exc: object) -> None:
        self._camera_open.close()
        self._sampler_open.close()
        self.plan.classifier.close()

    def adopt(self, plan: Plan) -> Left | None:
        """Follow another plan from the next frame on; return the account of the camera that had to be left for it.

        The camera stays open where it can: not a frame is lost then, and those that wait are read by the pipeline that
        they were prepared for.
        """
        before, self.plan = self.plan, plan
        if (plan.settings.limits, plan.spec) != (before.settings.limits, before.spec):
            self.easing = self._new_easing()
        if plan.settings.power != before.settings.power:
            self._sampler_open.close()
            self.sampler = self._sampler_open.enter_context(self._new_sampler())
        pipeline = self._new_pipeline()
        if opened_with(plan.settings, plan.classifier) == opened_with(before.settings, before.classifier):
            self.capture.switch(pipeline)
            return None
        self._camera_open.close()
        left = self.capture.left()
        self.capture = self._new_capture(pipeline, left.next_seq)
        self._camera_open.enter_context(self.capture)
        return left

    def _new_sampler(self) -> Sampler:
        sampler = Sampler(self.plan.meter, Board(), self.plan.settings.power.hz)
        sampler.listen(self._ease)
        if self._trace:
            sampler.listen(self._trace.sampled)
        return sampler

    def _ease(self, sample: Sample) -> None:
        if self.easing.watches:
            self.easing.take(sample)

    def _new_easing(self) -> Easing:
        return Easing(bounds_of(self.plan.settings, self.plan.spec), lambda: self.capture.taken)

    def _new_pipeline(self) -> Pipeline:
        plan, how = self.plan, self.plan.settings.camera
        # Each photograph is another scene; of a camera's frames not every one can be.
        look_every_s = EVERY_S if plan.spec.live and plan.spec.kind != "photos" else 0.0
        darkness = Darkness(how.dark_mean, how.dark_deviation, look_every_s)
        return Pipeline(plan.classifier, plan.decider, view_of(how), darkness, self.sampler.latest)

    def _new_capture(self, pipeline: Pipeline, first_seq: int) -> Capture:
        plan = self.plan
        camera = open_settings_camera(plan.settings, plan.classifier)
        first_s = plan.settings.camera.start_seconds if plan.spec.is_device else None
        patience = patience_s(plan.settings, plan.spec)
        note = self._trace.prepared if self._trace else None
        return Capture(camera, pipeline, patience, first_s, first_seq, lambda: self.easing.allowed, note)
