# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Every reading as one line of JSON."""

import json
from typing import Protocol

from ..records import Notice, Reading
from . import Publisher


class Sink(Protocol):
    """What lines are written to: stdout, a file, whoever has connected to a socket."""

    def write(self, line: str) -> None:
        """Take a line, without its end."""
        ...


class JsonLines(Publisher):
    """Writes every reading, for programs."""

    name = "jsonl"
    lossless = True

    def __init__(self, sink: Sink) -> None:
        self._sink = sink

    def wants(self, reading: Reading) -> bool:  # noqa: ARG002, every one
        return True

    def publish(self, reading: Reading) -> None:
        # U+2028 and its like end a line for some readers of JSON lines; escaped, no label can break the format.
        self._sink.write(json.dumps(reading.as_json(), ensure_ascii=True))

    def notice(self, notice: Notice) -> None:
        # The end of the stream says by itself that nothing is there any more; a camera's absence must be said.
        if notice.camera == "lost":
            self._sink.write(json.dumps(notice.as_json(), ensure_ascii=True))
