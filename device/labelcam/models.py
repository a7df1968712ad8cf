# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The models that the settings name, loaded the way they say."""

from .classifier import Classifier
from .edgetpu.machine import Machine
from .errors import SettingsError
from .model_file import ModelFile
from .paths import expanded
from .preprocess import Fit
from .settings import Settings


def load_classifier(settings: Settings) -> Classifier:
    """Load the model that is to be live. Raises SettingsError or ModelFileError."""
    return classifier_of(settings, read_model(settings))


def read_model(settings: Settings) -> ModelFile:
    """Read the model file that is to be live. Raises SettingsError where none is named, ModelFileError."""
    if not settings.model.path:
        raise SettingsError("no model is named; use --model FILE, or set path under [model] in the settings")
    return ModelFile.load(expanded(settings.model.path))


def classifier_of(settings: Settings, model: ModelFile, *, live: bool = True) -> Classifier:
    """Make a model file ready to answer; an Edge TPU is the live one's. Raises ModelFileError."""
    fit, how = Fit(settings.model.fit) if settings.model.fit else None, settings.runtime
    delegate = how.delegate if live or how.delegate == "none" else "xnnpack"
    return Classifier(model, how.threads, delegate, fit, Machine(how.edgetpu_library))
