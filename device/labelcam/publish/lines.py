# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""A stream that is written a line at a time, to a reader who may leave or a disk that may be full."""

from collections.abc import Callable
from typing import TextIO


class Lines:
    """Flushes every line, so that a pipe's other end sees it at once."""

    def __init__(self, stream: TextIO, ended: Callable[[], None]) -> None:
        """`ended` is called when nothing more can be written."""
        self._stream, self._ended = stream, ended
        self.failure: OSError | None = None
        """Why not, where it is not just that the reader has left, as after `| head`."""

    def write(self, line: str) -> None:
        """Write a line. Raises OSError where the stream takes none, BrokenPipeError where nobody reads any more."""
        try:
            self._stream.write(line + "\n")
            self._stream.flush()
        except BrokenPipeError:
            self._ended()
            raise
        except OSError as error:
            self.failure = error
            self._ended()
            raise
