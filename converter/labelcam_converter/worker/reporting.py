# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""How far a task is, told to the process that started it."""

import json
import os
import sys
from dataclasses import dataclass
from typing import Self, TextIO


@dataclass(frozen=True, slots=True)
class Reporter:
    """Writes one JSON line for every piece of work done."""

    stream: TextIO

    @classmethod
    def take_stdout(cls) -> Self:
        """Keep stdout for reports; whatever else writes there, from Python or C++, goes to stderr from now on."""
        sys.stdout.flush()
        ours = os.fdopen(os.dup(1), "w", buffering=1)
        os.dup2(2, 1)
        return cls(ours)

    def begin(self, title: str, total: int) -> None:
        """Begin a stretch of `total` pieces of work."""
        self._say({"title": title, "total": total})

    def advance(self) -> None:
        """Tell that one piece is done."""
        self._say({"done": 1})

    def note(self, text: str) -> None:
        """Say something to a person."""
        self._say({"note": text})

    def _say(self, line: dict[str, object]) -> None:
        self.stream.write(json.dumps(line) + "\n")
