# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Parts of a number of images, and how sure one can be of them."""

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many images."""

    hits: int
    of: int

    @property
    def value(self) -> float:
        """0 to 1."""
        return self.hits / self.of

    def as_json(self) -> dict[str, float]:
        """Return the public form: the value and its 95% interval."""
        low, high = wilson(self.hits, self.of)
        return {"value": round(self.value, 4), "low": round(low, 4), "high": round(high, 4)}

    def in_words(self) -> str:
        """Return the same for a person."""
        low, high = wilson(self.hits, self.of)
        return f"{self.value:.1%} (95% interval {low:.1%} to {high:.1%})"


def wilson(successes: int, trials: int) -> tuple[float, float]:
    """Return the 95% score interval of a proportion (Wilson 1927), honest near 0 and 1 where the usual one is not."""
    z = 1.959964
    share = successes / trials
    middle = share + z * z / (2 * trials)
    spread = z * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    scale = 1 + z * z / trials
    return max(0.0, (middle - spread) / scale), min(1.0, (middle + spread) / scale)
