# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Counts in words."""


def images(count: int) -> str:
    """Return "1 image", "2 images"."""
    return f"{count} image" if count == 1 else f"{count} images"
