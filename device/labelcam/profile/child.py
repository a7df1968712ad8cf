# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""One window of one configuration, in a process that has run nothing else: prints what it saw as one JSON line."""

import json
import re
import sys
import time
from array import array
from pathlib import Path
from typing import cast

import numpy as np

from ..console import answer
from ..errors import LabelcamError
from ..model_file import ModelFile
from ..network import DelegateName, Network
from ..runtime import Interpreter
from .data import SHARES

_LEAST_WARM_UPS = 5


def main(model: Path, threads: int, delegate: DelegateName, warm_up_s: float, seconds: float) -> int:
    """Load, invoke once, warm up, then invoke for so many seconds."""
    begun = time.monotonic_ns()
    file = ModelFile.load(model)
    interpreter = _open(file, threads, delegate)
    loaded = time.monotonic_ns()
    _fill(interpreter)
    first_begun = time.monotonic_ns()
    interpreter.invoke()
    first_ended = time.monotonic_ns()
    _invoke_for(interpreter, warm_up_s, _LEAST_WARM_UPS)
    window_begun = time.monotonic_ns()
    took = np.asarray(_invoke_for(interpreter, seconds, 1), np.float64) / 1e6
    window_ended = time.monotonic_ns()
    delegation = interpreter.delegation()
    if delegation.fallbacks or (delegate == "edgetpu") != (delegation.delegate == "edgetpu"):
        raise LabelcamError(f"the CPU had to stand in for the Edge TPU: {delegation.reason}")
    seen = {
        "begun_ns": window_begun,
        "ended_ns": window_ended,
        "first_answer_ns": first_ended,
        "inferences": len(took),
        "mean_ms": float(took.mean()),
        "quantiles_ms": [round(float(ms), 5) for ms in np.quantile(took, SHARES)],
        "load_ms": (loaded - begun) / 1e6,
        "first_ms": (first_ended - first_begun) / 1e6,
        "peak_mb": _peak_bytes() / 1e6,
        "delegate": delegation.delegate,
        "delegated_ops": [delegation.taken, delegation.total],
    }
    interpreter.close()
    print(json.dumps(seen))
    return 0


def _open(file: ModelFile, threads: int, delegate: DelegateName) -> Network:
    if delegate == "edgetpu":
        from ..edgetpu.opening import open_on_edgetpu

        return open_on_edgetpu(file, threads, None, insist=True)
    twin = file.twin()
    network = file.data if twin is None else twin
    return Interpreter(network, threads, delegate, several_outputs=True, name=str(file.path))


def _fill(interpreter: Network) -> None:
    """Noise, as LiteRT's own benchmark has it: zeros would be the fastest input that there is."""
    noise = np.random.default_rng(1)
    tensor = interpreter.input
    if tensor.dtype.kind == "f":
        interpreter.write(noise.uniform(-1, 1, tensor.shape).astype(tensor.dtype))
    else:
        limits = np.iinfo(cast("np.dtype[np.int8]", tensor.dtype))
        interpreter.write(noise.integers(limits.min, limits.max, tensor.shape, tensor.dtype, endpoint=True))


def _invoke_for(interpreter: Network, seconds: float, least: int) -> "array[int]":
    """Invoke for so many seconds, and at least so often; return the nanoseconds of each."""
    took, clock, invoke = array("q"), time.perf_counter_ns, interpreter.invoke
    end = clock() + int(seconds * 1e9)
    now = clock()
    while now < end or len(took) < least:
        begun = clock()
        invoke()
        now = clock()
        took.append(now - begun)
    return took


def _peak_bytes() -> int:
    """Ours and, where an Edge TPU is driven, our child's.

    proc(5)'s VmHWM; getrusage's ru_maxrss would be our parent's where that is larger, since it survives exec.
    """
    children = (pid for path in Path("/proc/self/task").glob("*/children") for pid in path.read_text().split())
    return sum(_high_water(process) for process in ("self", *children))


def _high_water(process: str) -> int:
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{process}/status").read_text(encoding="utf-8"))
    return int(found[1]) * 1024 if found else 0


if __name__ == "__main__":
    model, threads, delegate, warm_up_s, seconds = sys.argv[1:]
    arguments = Path(model), int(threads), cast("DelegateName", delegate), float(warm_up_s), float(seconds)
    sys.exit(answer("labelcam", lambda: main(*arguments)))
