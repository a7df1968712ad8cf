# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""labelcam turns a Raspberry Pi with a camera into an appliance that says what it sees."""

__version__ = "0.1.0"
"""The one source of the version: pyproject.toml reads it from here."""
