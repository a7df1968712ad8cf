# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Names where few characters are allowed."""

import hashlib
import re
import unicodedata


def identifier(text: str) -> str:
    """Return the text itself where every character is allowed, else what is left of it and a hash."""
    left = re.sub(r"[^a-zA-Z0-9_-]+", "_", text)
    return left if left == text and text else f"{left}_{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def slug(text: str) -> str:
    """Return what Home Assistant would make of it in an entity's id: small letters, digits and underscores."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "_", plain).strip("_")
