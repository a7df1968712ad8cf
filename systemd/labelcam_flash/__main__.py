# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""`python -m labelcam_flash`, which the Makefile calls."""

import sys

from .cli import main

sys.exit(main())
