# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""`labelcam` on a board that was recorded, in a process of its own: prints the CPU seconds that it has used."""

import resource
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from labelcam.cli import main
from on_a_recorded_board import on

if __name__ == "__main__":
    on(Path(sys.argv[1]))
    code = main(sys.argv[2:])
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(f"\ncpu_seconds {used.ru_utime + used.ru_stime}")
    sys.exit(code)
