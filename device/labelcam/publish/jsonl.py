# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Every reading as one line of JSON."""

import json
from collections.abc import Callable
from typing import TextIO

from ..records import Reading, Summary


class JsonLines:
    """Writes to a stream, a line flushed at a time, so that a pipe's other end sees each at once."""

    name = "jsonl"
    lossless = True

    def __init__(self, stream: TextIO, reader_left: Callable[[], None]) -> None:
        """`reader_left` is called once when the other end of a pipe has gone, as after `| head`."""
        self._stream = stream
        self._reader_left = reader_left

    def open(self) -> None:
        pass

    def wants(self, reading: Reading) -> bool:  # noqa: ARG002, every one
        return True

    def publish(self, reading: Reading) -> None:
        # U+2028 and its like end a line for some readers of JSON lines; escaped, no label can break the format.
        line = json.dumps(reading.as_json(), ensure_ascii=True)
        try:
            self._stream.write(line + "\n")
            self._stream.flush()
        except BrokenPipeError:
            self._reader_left()
            raise

    def report(self, summary: Summary) -> None:
        pass

    def close(self) -> None:
        pass
