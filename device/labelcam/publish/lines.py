# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""A stream that is written a line at a time, to a reader who may leave."""

from collections.abc import Callable
from typing import TextIO


class Lines:
    """Flushes every line, so that a pipe's other end sees it at once."""

    def __init__(self, stream: TextIO, reader_left: Callable[[], None]) -> None:
        """`reader_left` is called when the other end of a pipe has gone, as after `| head`."""
        self._stream, self._reader_left = stream, reader_left

    def write(self, line: str) -> None:
        """Write a line. Raises OSError where the stream takes none, BrokenPipeError where nobody reads any more."""
        try:
            self._stream.write(line + "\n")
            self._stream.flush()
        except BrokenPipeError:
            self._reader_left()
            raise
