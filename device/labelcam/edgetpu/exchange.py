# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""What parent and child agree on: their messages, and where input and output lie in the memory that they share."""

import json
import mmap
from dataclasses import asdict
from typing import Any

import numpy as np

from ..network import Array, Delegation, Tensor

ASKED = ANSWERED = b"\1"


def line(**what: object) -> bytes:
    """Return a message of the child's: a stage that begins, an error, or what the network is like."""
    return json.dumps(what).encode() + b"\n"


def described(given: Tensor, result: Tensor, taken: Delegation, *, quantised: bool) -> dict[str, Any]:
    """Return what there is to say of a network, for `line`."""
    input_, output = ({**asdict(tensor), "dtype": tensor.dtype.str} for tensor in (given, result))
    return {"input": input_, "output": output, "delegation": asdict(taken), "quantised": quantised}


def tensor(told: dict[str, Any]) -> Tensor:
    """Return an input or output as it was before `described`."""
    return Tensor(**{**told, "shape": tuple(told["shape"]), "dtype": np.dtype(told["dtype"])})


def size(given: Tensor, result: Tensor) -> int:
    """Return how much memory is to be shared, in bytes."""
    return _bytes(given) + _bytes(result)


def arrays(given: Tensor, result: Tensor, memory: mmap.mmap) -> tuple[Array, Array]:
    """Return input and output as they lie in the shared memory: one behind the other."""
    whole, end = np.frombuffer(memory, np.uint8), _bytes(given)
    return whole[:end].view(given.dtype).reshape(given.shape), whole[end:].view(result.dtype).reshape(result.shape)


def _bytes(one: Tensor) -> int:
    return int(np.prod(one.shape)) * one.dtype.itemsize
