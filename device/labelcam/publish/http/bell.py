# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Wakes the streams that wait for news, from any thread."""

import asyncio
from contextlib import suppress


class Bell:
    """Rung by whoever has news; heard by everyone who waits at that moment."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._rung = asyncio.Event()
        self.closing = False
        """Whoever wakes is to go home."""

    def hang(self, loop: asyncio.AbstractEventLoop) -> None:
        """Serve the waiters of this loop from now on."""
        self._loop = loop

    def ring(self) -> None:
        """Wake everyone who waits."""
        if self._loop:
            with suppress(RuntimeError):  # the loop has ended: nobody waits any more
                self._loop.call_soon_threadsafe(self._wake)

    def _wake(self) -> None:
        rung, self._rung = self._rung, asyncio.Event()
        rung.set()

    async def wait(self, seconds: float) -> None:
        """Wait for the next ring, at most so long. Called on the loop, right after looking for news: none is missed."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._rung.wait()
