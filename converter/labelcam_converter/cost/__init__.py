# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""What one inference costs: multiplications, parameters and memory, read off the graph without running it."""

from .counting import count
from .memory import Memory
from .record import Cost, Layer
from .separable import Separable

__all__ = ["Cost", "Layer", "Memory", "Separable", "count"]
