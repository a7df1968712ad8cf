# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The interpreter and nothing else, in a process of its own: prints the frames per second that one thread reaches."""

import sys
import time

import numpy as np
from ai_edge_litert.interpreter import Interpreter

WARM_UP = 10


def main(model: str, seconds: float) -> None:
    """Invoke with the same input for so many seconds."""
    interpreter = Interpreter(model_path=model, num_threads=1)
    interpreter.allocate_tensors()
    details = interpreter.get_input_details()[0]
    noise = np.random.default_rng(1).integers(0, 256, details["shape"], np.uint8)
    interpreter.set_tensor(
        details["index"],
        noise.view(details["dtype"]) if details["dtype"] == np.int8 else noise.astype(details["dtype"]),
    )
    for _ in range(WARM_UP):
        interpreter.invoke()
    count, begun = 0, time.perf_counter()
    end = begun + seconds
    while (now := time.perf_counter()) < end:
        interpreter.invoke()
        count += 1
    print(count / (now - begun))


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))
