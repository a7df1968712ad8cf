# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The goldens, asked of the Edge TPU before it may answer for the CPU."""

from dataclasses import dataclass

import numpy as np

from ..golden import read_goldens
from ..model_file import ModelFile
from ..network import Array, Network
from ..preprocess import InputCode
from ..scores import Scores


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """One golden, as the network takes it."""

    name: str
    prepared: Array
    scores: Scores
    """What the host got, dequantised."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What a network must reproduce."""

    questions: tuple[Question, ...]
    limit: float = 0.0
    """Greatest difference of any score."""

    @classmethod
    def of(cls, model: ModelFile, network: Network) -> "Proof":
        """Read the goldens of a model file, for networks whose input is like this one's."""
        if model.manifest is None:
            return cls(())
        given = network.input
        code = InputCode(given.dtype, given.scale, given.zero_point, model.manifest.preprocess)
        questions = []
        for golden in read_goldens(model):
            prepared = np.zeros(given.shape, given.dtype)
            code.encode(golden.pixels, prepared[0])
            questions.append(Question(golden.name, prepared, np.asarray(golden.scores, np.float32)))
        return cls(tuple(questions), model.manifest.golden.score)

    def against(self, network: Network) -> str:
        """Return what speaks against the network; nothing if it reproduces every golden."""
        for question in self.questions:
            network.write(question.prepared)
            network.invoke()
            scores = _real(network)
            off = float(np.max(np.abs(scores - question.scores)))
            if off > self.limit or int(np.argmax(scores)) != int(np.argmax(question.scores)):
                return (
                    f"the Edge TPU does not reproduce the golden {question.name} (scores {off:.3f} off, "
                    f"{self.limit:g} allowed); build the file again, or use another stick"
                )
        return ""


def _real(network: Network) -> Scores:
    raw = network.read().reshape(-1).astype(np.float32)
    output = network.output
    return (raw - np.float32(output.zero_point)) * np.float32(output.scale) if output.scale else raw
