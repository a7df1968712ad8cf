# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""What a test does where something that it needs is not there."""

import os
from typing import NoReturn

import pytest


def absent(reason: str) -> NoReturn:
    """Skip with the reason, or fail with it where LABELCAM_REQUIRE_ALL says that everything must be there."""
    if os.environ.get("LABELCAM_REQUIRE_ALL"):
        pytest.fail(reason)
    pytest.skip(reason)
