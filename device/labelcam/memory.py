# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""A last resort against a leak in whatever we are built on: to end cleanly before the system runs out of memory."""

from .errors import MemoryGrown


class MemoryLimit:
    """Compares our resident memory with what it was when we had settled."""

    def __init__(self) -> None:
        self._settled_mb: float | None = None

    def settle(self) -> None:
        """Forget what we settled at: what runs now may take more by right."""
        self._settled_mb = None

    def check(self, rss_mb: float, max_growth_mb: float) -> None:
        """Note how much we take, in 10^6 bytes; the first note is what we settled at.

        Raises MemoryGrown where it has grown by more than is allowed; 0 allows all.
        """
        if self._settled_mb is None:
            self._settled_mb = rss_mb
        grown_mb = rss_mb - self._settled_mb
        if max_growth_mb and grown_mb > max_growth_mb:
            raise MemoryGrown(
                f"memory has grown by {grown_mb:.0f} MB to {rss_mb:.0f} MB, limits.max_growth_mb allows "
                f"{max_growth_mb:g}; we start afresh, please report it"
            )
