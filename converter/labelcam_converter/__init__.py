# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The host side of labelcam: from a float network to one self-describing int8 model file."""

import os

# Before numpy is imported: sums that are divided among threads round differently on a machine with other cores, and on
# matrices as small as ours the threads mostly wait for each other (12.6 s of CPU time for 5.5).
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
