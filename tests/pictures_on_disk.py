# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Pictures that tests put into folders."""

from pathlib import Path

from labelcam.images import Pixels, encode_png


def write_png(path: Path, pixels: Pixels) -> None:
    """Write height x width x 3 RGB bytes as a PNG."""
    path.write_bytes(encode_png(pixels))
