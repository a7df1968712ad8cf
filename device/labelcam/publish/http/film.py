# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Pictures as JPEG: made when somebody asks, once for all who do, on a thread that holds up nobody."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from ...pictures import Pictures


@dataclass(frozen=True, slots=True)
class Still:
    """One encoded picture."""

    seq: int
    jpeg: bytes


class Print:
    """The newest picture, in one size."""

    def __init__(self, pictures: Pictures, encoder: ThreadPoolExecutor, longest: int | None, quality: int) -> None:
        """At most `longest` pixels on the longer side."""
        self._pictures, self._encoder, self._longest, self._quality = pictures, encoder, longest, quality
        self._asking = asyncio.Lock()
        self._still: Still | None = None

    async def newest(self) -> Still | None:
        """Return it; None before the first."""
        async with self._asking:
            picture = self._pictures.newest()
            if picture is None:
                return None
            if self._still is None or self._still.seq != picture.reading.seq:
                running = asyncio.get_running_loop()
                data = await running.run_in_executor(self._encoder, picture.jpeg, self._longest, self._quality)
                self._still = Still(picture.reading.seq, data)
            return self._still
