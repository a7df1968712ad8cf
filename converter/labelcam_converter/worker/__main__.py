# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The process: does one task in a folder, and says on stdout how far it is.

request.json tells what is asked; files come and go beside it; reply.json tells the answer, or the reason for none.
"""

import errno
import gc
import importlib
import json
import os
import sys
from pathlib import Path

from .refusal import FULL, Refused
from .reporting import Reporter

TASKS = {"distil": ".distil", "export": ".export", "quantize": ".quantize", "train": ".train"}
"""The module of each task; its `run(request, folder, reporter)` returns the reply."""


def main(folder: Path) -> int:
    """Do what request.json in the folder asks."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")  # a conversion needs no GPU, and looking for one takes a second
    os.environ["KERAS_BACKEND"] = "tensorflow"
    request = json.loads((folder / "request.json").read_text())
    reporter = Reporter.take_stdout()
    try:
        _import_tensorflow()
        task = importlib.import_module(TASKS[request["task"]], __package__)
        reply = task.run(request, folder, reporter)
    except Exception as error:
        if is_full(error):
            return FULL
        if not isinstance(error, Refused):
            raise
        reply = {"refused": str(error)}
    (folder / "reply.json").write_text(json.dumps(reply))
    return 0


def _import_tensorflow() -> None:
    """Import what every task needs. Three thousand modules make no garbage, and looking for it takes a second."""
    gc.disable()
    importlib.import_module("tensorflow")
    importlib.import_module("keras")
    gc.freeze()
    gc.enable()


def is_full(error: BaseException) -> bool:
    """Whether a disk that is full, or a quota, is behind an error, however TensorFlow or Keras has wrapped it."""
    if type(error).__name__ in ("ResourceExhaustedError", "OutOfRangeError"):
        return True
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return True
    return error.__cause__ is not None and is_full(error.__cause__)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
