# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""A model file, ready to answer: pixels in, scores out."""

import logging
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from .errors import ModelFileError
from .images import Pixels
from .model_file import ModelFile
from .network import Array, DelegateChoice, Network, Tensor
from .preprocess import Fit, InputCode, Size, fit_image
from .records import Label
from .runtime import QUANTISED, Interpreter
from .scores import DecisionConstants, named, ranking, scaled
from .scores import Scores as Scores  # the answer's type belongs to what is imported from here

if TYPE_CHECKING:
    from .edgetpu.machine import Machine

log = logging.getLogger(__name__)


class Classifier:
    """Answers what is on a picture. Not thread-safe: `prepare` may run on one thread, `scores` on another."""

    def __init__(
        self,
        model: ModelFile,
        threads: int = 1,
        delegate: DelegateChoice = "xnnpack",
        fit: Fit | None = None,
        machine: "Machine | None" = None,
    ) -> None:
        """Load the network; `machine` says where the Edge TPU is found, if not in the usual place.

        Raises ModelFileError if it is not an image classifier that fits its labels, or cannot run here.
        """
        self.model = model
        self._load = partial(_open, model, threads, delegate, machine)
        self.interpreter = self._load()
        tensor = self.interpreter.input
        self.size = _image_size(model, tensor.shape)
        self.labels = _labels(model, self.interpreter.output.shape)
        if self.interpreter.output.dtype not in (*QUANTISED, np.dtype(np.float32)):
            raise ModelFileError(
                f"{model.path}: its output is {self.interpreter.output.dtype}; int8, uint8 or float32 is needed"
            )
        self.preprocess = replace(model.preprocess, fit=fit) if fit else model.preprocess
        stated = model.manifest.preprocess if model.manifest else None
        self.constants = model.manifest.decision if model.manifest else DecisionConstants()
        self._code = InputCode(tensor.dtype, tensor.scale, tensor.zero_point, stated)
        self._real = _real_values(self.interpreter.output)
        if stated is None and tensor.dtype in QUANTISED:
            log.info("no-manifest model=%s fit=%s: it is fed the picture's bytes", model.name, self.preprocess.fit)
        elif stated is None:
            log.warning(
                "%s does not say what it was trained on: it is fed -1 to 1; build it by labelcam-convert", model.name
            )

    def rebuild(self) -> None:
        """Load the network afresh, from the same bytes. Raises ModelFileError if that fails."""
        self.interpreter.close()
        self.interpreter = self._load()

    @property
    def on_twin(self) -> bool:
        """Whether the CPU's network runs, out of a file that is compiled for the Edge TPU."""
        manifest = self.model.manifest
        return bool(manifest and manifest.twin_sha256) and self.interpreter.delegation().delegate != "edgetpu"

    def close(self) -> None:
        """Let go of the hardware that the network runs on; answers no more."""
        self.interpreter.close()

    def input_array(self) -> Array:
        """Return a new array of the input's shape and type, for `prepare`."""
        return np.zeros(self.interpreter.input.shape, self.interpreter.input.dtype)

    def prepare(self, pixels: Pixels, out: Array) -> None:
        """Write height x width x 3 RGB pixels of any size into `out`, as the network takes them."""
        if self.interpreter.input.dtype.itemsize == 1:
            # A byte a channel: resize straight into the input array, then code it in place.
            ready = out[0].view(np.uint8)
            fit_image(pixels, self.size, self.preprocess, ready)
            self._code.encode(ready, out[0])
        else:
            self._code.encode(fit_image(pixels, self.size, self.preprocess), out[0])

    def encode(self, pixels: Pixels, out: Array) -> None:
        """Write pixels that already have the network's size into `out`, as the network takes them."""
        self._code.encode(pixels, out[0])

    def scores(self, prepared: Array) -> Scores:
        """Return the network's answer to a prepared input, dequantised, one score per label."""
        self.interpreter.write(prepared)
        return self.scores_of_written()

    def scores_of_written(self) -> Scores:
        """Return the answer to what was last written into the interpreter."""
        self.interpreter.invoke()
        raw = self.interpreter.read().reshape(-1)
        # One look-up for a thousand scores: between two invokes every array operation costs several microseconds.
        return raw.astype(np.float32) if self._real is None else self._real.take(raw.view(np.uint8))

    def top(self, scores: Scores, count: int) -> tuple[Label, ...]:
        """Return the best answers, best first; of equal scores the label that stands first in the file wins."""
        return named(scores, ranking(scores, count), self.labels)

    def answer(self, scores: Scores, count: int) -> tuple[Label, ...]:
        """Return the best answers, best first, their scores scaled by the model file's temperature as `run` does."""
        return self.top(scaled(scores, self.constants.temperature), count)

    def classify(self, pixels: Pixels, count: int = 5) -> tuple[Label, ...]:
        """Return the best answers for one picture, best first."""
        prepared = self.input_array()
        self.prepare(pixels, prepared)
        return self.answer(self.scores(prepared), count)


def _open(model: ModelFile, threads: int, delegate: DelegateChoice, machine: "Machine | None") -> Network:
    if delegate == "edgetpu" or delegate == "auto":
        from .edgetpu.opening import open_on_edgetpu  # which most machines never need

        return open_on_edgetpu(model, threads, machine, insist=delegate == "edgetpu")
    twin = model.twin()
    return Interpreter(model.data if twin is None else twin, threads, delegate, name=str(model.path))


def _real_values(output: Tensor) -> Scores | None:
    """What each byte of a quantised output stands for, at the index of its bits; None for other outputs."""
    if output.dtype not in QUANTISED:
        return None
    codes = np.arange(256, dtype=np.uint8).view(output.dtype).astype(np.float32)
    return ((codes - np.float32(output.zero_point)) * np.float32(output.scale)).astype(np.float32)


def _image_size(model: ModelFile, shape: tuple[int, ...]) -> Size:
    if len(shape) != 4 or shape[0] != 1 or shape[3] != 3 or min(shape) < 1:
        raise ModelFileError(
            f"{model.path}: its input is {list(shape)}, but one RGB picture, [1, height, width, 3], is needed; "
            "convert an image classifier with a batch of 1"
        )
    size = Size(width=shape[2], height=shape[1])
    if model.manifest and model.manifest.input != size:
        raise ModelFileError(f"{model.path}: its manifest is of a {model.manifest.input} network, but this is {size}")
    return size


def _labels(model: ModelFile, shape: tuple[int, ...]) -> tuple[str, ...]:
    count = int(np.prod(shape)) if shape else 0
    if max(shape, default=0) != count or count < 2:
        raise ModelFileError(
            f"{model.path}: its output is {list(shape)}, but one score per label is needed; convert an image classifier"
        )
    if model.labels is None:
        log.warning("no-labels model=%s: answers are numbered 0 to %d; put labels.txt beside it", model.name, count - 1)
        return tuple(str(number) for number in range(count))
    if len(model.labels) != count:
        raise ModelFileError(
            f"{model.path}: has {len(model.labels)} labels for {count} outputs; give a label file with {count} lines"
        )
    return model.labels
