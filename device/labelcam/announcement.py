# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""What is said about the network before it runs, above all where it runs at a tenth of its speed."""

import logging
import sys

from .classifier import Classifier
from .console import note
from .runtime import PACKAGE, Delegation, runtime_name

log = logging.getLogger(__name__)


def announce(classifier: Classifier) -> None:
    """Say what runs and how: a sentence in a terminal, a line of fields in a log."""
    delegation = classifier.interpreter.delegation()
    name, threads = classifier.model.name, classifier.interpreter.threads
    if sys.stderr.isatty():
        note(
            f"{name}: {delegation.delegate} takes {delegation.taken} of {delegation.total} operations; {runtime_name()}"
        )
    left = " ".join(f"{kind}:{count}" for kind, count in delegation.left.items())
    log.info(
        "model=%s runtime=%r threads=%d delegate=%s delegated=%d/%d left=%r",
        *(name, runtime_name(), threads, delegation.delegate, delegation.taken, delegation.total, left),
    )
    warn_of_slowness(classifier, delegation)


def warn_of_slowness(classifier: Classifier, delegation: Delegation) -> None:
    """Warn where the CPU stands in for an Edge TPU, and, with the remedy, where int8 runs without XNNPACK."""
    if classifier.on_twin:
        path = classifier.model.path
        if not delegation.reason:
            log.warning("%s is compiled for the Edge TPU, which is not used: its CPU twin runs instead", path)
        else:  # whoever asked for "auto" takes what is there
            level = logging.WARNING if delegation.fallbacks else logging.INFO
            log.log(level, "%s runs on its CPU twin: %s", path, delegation.reason)
    if delegation.delegate != "none" or not classifier.interpreter.quantised:
        return
    remedy = (
        "set runtime.delegate = 'xnnpack'"
        if PACKAGE == "ai-edge-litert"
        else "install ai-edge-litert, which needs a 64-bit system: pip install ai-edge-litert"
    )
    log.warning(
        "this int8 network runs without XNNPACK (0 of %d operations) on %s, ten times slower than it could; %s",
        *(delegation.total, runtime_name(), remedy),
    )
