# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The models that the settings name, loaded the way they say."""

import os
from pathlib import Path

from .classifier import Classifier
from .errors import SettingsError
from .model_file import ModelFile
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


def classifier_of(settings: Settings, model: ModelFile) -> Classifier:
    """Make a model file ready to answer. Raises ModelFileError."""
    fit = Fit(settings.model.fit) if settings.model.fit else None
    return Classifier(model, settings.runtime.threads, settings.runtime.delegate, fit)


def expanded(path: str) -> Path:
    """Return the path with a ~ at its beginning resolved."""
    return Path(os.path.expanduser(path))  # noqa: PTH111, the method raises for unknown users
