# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""`python -m labelcam` is `labelcam`."""

import sys

from .cli import main

sys.exit(main())
