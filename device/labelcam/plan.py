# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""What is to run: the settings, and all that had to be loaded and tried to know that they can be followed."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from .account import ShadowAccount
from .camera import SLOWEST_RETRY_S, CameraSpec, find_camera, parse_spec
from .classifier import Classifier
from .decision import Decider
from .errors import LabelcamError, SettingsError
from .model_file import ModelFile
from .models import classifier_of, read_model
from .mounting import frame_interval_s, opened_with, patience_s, wants_pictures
from .power import Meter, open_meter
from .publish import Publisher
from .publishing import Outlet, check_against
from .settings import Settings
from .shadow import Shadow
from .vetting import vet
from .watchdog import check_intervals


class Made(NamedTuple):
    """A publisher, and what it was made from."""

    outlet: Outlet
    publisher: Publisher


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """Settings that can be followed."""

    settings: Settings
    spec: CameraSpec
    classifier: Classifier
    decider: Decider
    meter: Meter
    publishers: Mapping[str, Made]

    keeps_pictures: bool
    """Whether anybody may ask for a picture after it has been classified."""

    @property
    def shadow(self) -> ShadowAccount | None:
        """How the shadow model compares so far; None where there is none."""
        made = self.publishers.get(Shadow.name)
        return made.publisher.account if made and isinstance(made.publisher, Shadow) else None

    def with_model_of(self, before: "Plan") -> "Plan":
        """Return this plan with another's model, and its settings for deciding, in place of our own."""
        settings = replace(
            self.settings,
            model=before.settings.model,
            runtime=before.settings.runtime,
            decision=before.settings.decision,
        )
        classifier = before.classifier
        return replace(
            self, settings=settings, classifier=classifier, decider=_decider(settings, self.spec, classifier)
        )

    def made(self) -> dict[str, Publisher]:
        """Return the publishers, each under its name."""
        return {name: made.publisher for name, made in self.publishers.items()}


class Planner:
    """Makes plans, and takes over from the one that runs whatever stays as it is."""

    def __init__(self, read: Callable[[], Settings], outlets: Callable[[Settings], Iterable[Outlet]]) -> None:
        """`read` reads the settings, flags included; `outlets` says which publishers they ask for."""
        self._read, self._outlets = read, outlets
        self._pis_camera_was_open = False

    def plan(self, running: Plan | None = None) -> Plan:
        """Read the settings and return what they ask for.

        Raises SettingsError, ModelFileError, GateFailed or CameraLost, and leaves what runs alone, if they cannot be
        followed.
        """
        settings = self._read()
        spec = parse_spec(settings.camera.source)  # a mistyped camera is said before a model is loaded
        classifier = _classifier(settings, running)
        try:
            if running:
                self._refuse_to_reopen(settings, spec, classifier, running)
                if spec != running.spec:
                    find_camera(spec)  # or what runs would be left for nothing
            return self._made(settings, spec, classifier, running)
        except Exception:
            if not running or classifier is not running.classifier:
                classifier.close()
            raise

    def _refuse_to_reopen(self, settings: Settings, spec: CameraSpec, classifier: Classifier, running: Plan) -> None:
        """A Picamera2 is opened once in a process's life: libcamera leaks when it is opened again."""
        self._pis_camera_was_open |= running.spec.kind == "picamera2"
        before = opened_with(running.settings, running.classifier)
        if spec.kind == "picamera2" and self._pis_camera_was_open and opened_with(settings, classifier) != before:
            raise SettingsError(
                "the Pi's camera is opened once in a process's life, and these settings or this model need it opened "
                "again; run: sudo systemctl restart labelcam"
            )

    def _made(self, settings: Settings, spec: CameraSpec, classifier: Classifier, running: Plan | None) -> Plan:
        silence_s = settings.camera.timeout_seconds + SLOWEST_RETRY_S if spec.is_device else 0.0
        check_intervals(frame_interval_s(settings, spec), silence_s)
        decider = _decider(settings, spec, classifier, running)
        check_against(settings, decider.names)
        made: dict[str, Made] = {}
        for outlet in self._outlets(settings):
            old = running and running.publishers.get(outlet.name)
            same = old and old.outlet.made_of == outlet.made_of and not old.publisher.ended
            made[outlet.name] = old if old and same else Made(outlet, outlet.make())
        same_power = running and running.settings.power == settings.power
        meter = running.meter if running and same_power else open_meter(settings.power.meter, settings.power.hwmon)
        keeps_pictures = wants_pictures(settings) or bool(settings.model.shadow)
        return Plan(settings, spec, classifier, decider, meter, made, keeps_pictures)


def _classifier(settings: Settings, running: Plan | None) -> Classifier:
    model = read_model(settings)
    if running and _is_the_same(settings, model, running):
        return running.classifier
    classifier = classifier_of(settings, model)
    try:
        vet(classifier, settings.model.max_invoke_ms)
    except LabelcamError:
        classifier.close()
        raise
    return classifier


def _is_the_same(settings: Settings, model: ModelFile, running: Plan) -> bool:
    """Whether the model that runs is what would be loaded: the same file, run in the same way."""
    before = running.settings
    alike = (settings.runtime, settings.model.fit, settings.model.max_invoke_ms) == (
        before.runtime,
        before.model.fit,
        before.model.max_invoke_ms,
    )
    return alike and (model.path, model.sha256, model.labels) == (
        running.classifier.model.path,
        running.classifier.model.sha256,
        running.classifier.model.labels,
    )


def _decider(settings: Settings, spec: CameraSpec, classifier: Classifier, running: Plan | None = None) -> Decider:
    """What is held to be there outlives a change that does not concern it; another camera sees another scene."""
    gap_s = patience_s(settings, spec)
    if running and classifier is running.classifier:
        before, before_s = running.settings, patience_s(running.settings, running.spec)
        if (settings.decision, spec, gap_s) == (before.decision, running.spec, before_s):
            return running.decider
    return Decider(settings.decision, classifier.labels, classifier.constants, gap_s=gap_s)
