# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""What a model file must show on this very machine before it goes live."""

import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager

from .classifier import Classifier
from .errors import GateFailed, InferenceFailed
from .golden import GoldenResult, check_goldens
from .model_file import ModelFile

TRIES = 5
"""Invokes that are timed, after one that is not: the first one fills caches."""


def vet(classifier: Classifier, max_invoke_ms: float) -> None:
    """Run the model's goldens, and time it where `max_invoke_ms` is not 0. Raises GateFailed if it does not pass."""
    told = goldens_verdict(classifier)
    if max_invoke_ms and (took_ms := invoke_ms(classifier)) > max_invoke_ms:
        raise GateFailed(
            f"{classifier.model.path}: an invoke takes {took_ms:.1f} ms here ({told}), model.max_invoke_ms allows "
            f"{max_invoke_ms:g}; raise it, or take a smaller model"
        )


def goldens_verdict(classifier: Classifier) -> str:
    """Run the goldens and say how that went. Raises GateFailed if one is not reproduced.

    Where the Edge TPU reproduces them, its CPU twin must as well: it answers whenever the Edge TPU does not.
    """
    model = classifier.model
    twins: list[GoldenResult] = []
    with _answers_at_all(model):
        results = check_goldens(model, classifier)
        if classifier.interpreter.delegation().delegate == "edgetpu" and model.twin():
            twins = check_goldens(model, Classifier(model))
    failed = [result for result in (*results, *twins) if not result.passed]
    if failed:
        told = ", ".join(f"{result.name}: {result.detail}" for result in failed)
        raise GateFailed(
            f"{model.path}: {len(failed)} of {len(results) + len(twins)} goldens fail ({told}); do not use this model "
            "on this machine"
        )
    told = f"{len(results)} reproduced" if results else "none inside the model file"
    return f"{told}, and {len(twins)} by the CPU twin" if twins else told


def invoke_ms(classifier: Classifier) -> float:
    """Return the median time of an invoke, in milliseconds."""
    prepared = classifier.input_array()
    times = []
    with _answers_at_all(classifier.model):
        for _ in range(TRIES + 1):
            classifier.interpreter.write(prepared)
            begun_s = time.perf_counter()
            classifier.interpreter.invoke()
            times.append((time.perf_counter() - begun_s) * 1e3)
    return statistics.median(times[1:])


@contextmanager
def _answers_at_all(model: ModelFile) -> Iterator[None]:
    """Say of an interpreter that fails in the block that the gate has failed."""
    try:
        yield
    except RuntimeError as error:
        raise GateFailed(str(InferenceFailed(model.name, error))) from error
