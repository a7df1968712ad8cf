# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Every reading as one line of JSON."""

import json

from ..records import Notice, Reading
from . import Publisher
from .lines import Lines


class JsonLines(Publisher):
    """Writes every reading, for programs."""

    name = "jsonl"
    lossless = True

    def __init__(self, lines: Lines) -> None:
        self._lines = lines

    def wants(self, reading: Reading) -> bool:  # noqa: ARG002, every one
        return True

    def publish(self, reading: Reading) -> None:
        # U+2028 and its like end a line for some readers of JSON lines; escaped, no label can break the format.
        self._lines.write(json.dumps(reading.as_json(), ensure_ascii=True))

    def notice(self, notice: Notice) -> None:
        # The end of the stream says by itself that nothing is there any more; a camera's absence must be said.
        if notice.camera == "lost":
            self._lines.write(json.dumps(notice.as_json(), ensure_ascii=True))
