# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The interpreter: the only file that knows LiteRT or its predecessor tflite-runtime."""

import logging
from collections import Counter
from collections.abc import Iterator, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .console import native_chatter_logged
from .errors import ModelFileError
from .network import Array as Array  # what a network is made of is imported from here as well
from .network import DelegateName
from .network import Delegation as Delegation
from .network import Tensor as Tensor

try:
    from ai_edge_litert import interpreter as tflite

    PACKAGE = "ai-edge-litert"
except ModuleNotFoundError:  # no LiteRT wheel for this machine; one that is broken says so itself
    from tflite_runtime import interpreter as tflite

    PACKAGE = "tflite-runtime"

log = logging.getLogger(__name__)

QUANTISED = (np.dtype(np.int8), np.dtype(np.uint8))


def runtime_name() -> str:
    """Return the interpreter's package and version, as every report names it."""
    return f"{PACKAGE} {metadata.version(PACKAGE)}"


def load_delegate(library: str) -> object:
    """Load a delegate's library and let it open its hardware, for `Interpreter`.

    Raises ValueError with the library's own words, which may be none. A library that does not fit the interpreter
    ends the process, and one may wait for its hardware for ever: call this where neither harms.
    """
    try:
        return tflite.load_delegate(library)
    except (OSError, AttributeError) as error:  # it is not there, or is no delegate
        raise ValueError(str(error)) from error
    except ValueError as error:
        # The interpreter's own first line only names the library.
        raise ValueError(" ".join(str(error).split("\n")[1:]).strip()) from error


class Interpreter:
    """A loaded network with one input and one output, or where `results` is wanted with several outputs."""

    def __init__(
        self,
        model: Path | bytes,
        threads: int = 1,
        delegate: DelegateName = "xnnpack",
        keep_tensors: bool = False,
        several_outputs: bool = False,
        name: str = "",
        loaded: object = None,
    ) -> None:
        """Load a network from a file or from its bytes, which errors call by `name`.

        `loaded` is what `load_delegate` returned, for the delegate "edgetpu". `keep_tensors` keeps every intermediate
        result readable by `tensors`, for calibration and comparison: more memory, no delegate. With `several_outputs`
        the first of them is `output`, and `results` gives all. Raises ModelFileError where the interpreter refuses the
        file.
        """
        source = name or ("the model" if isinstance(model, bytes) else str(model))
        options: dict[str, Any] = {"num_threads": threads}
        if loaded:
            options["experimental_delegates"] = [loaded]
        if keep_tensors or delegate != "xnnpack":
            options["experimental_op_resolver_type"] = tflite.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
        if keep_tensors:
            options["experimental_preserve_all_tensors"] = True
        options["model_content" if isinstance(model, bytes) else "model_path"] = (
            model if isinstance(model, bytes) else str(model)
        )
        try:
            with native_chatter_logged():
                self._interpreter = tflite.Interpreter(**options)
                self._interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise ModelFileError(f"{source}: {_refusal(error)}") from error
        self.threads = threads
        self.input = self._only(self._interpreter.get_input_details(), "input", source)
        told = self._interpreter.get_output_details()
        self._outputs = [self._only([one], "output", source) for one in told] if several_outputs else []
        self.output = self._outputs[0] if several_outputs else self._only(told, "output", source)
        self._slot: NDArray[Any] = self._interpreter.tensor(self.input.index)
        self._result: NDArray[Any] = self._interpreter.tensor(self.output.index)
        self._wanted = delegate
        self._found: Delegation | None = None

    @staticmethod
    def _only(details: list[dict[str, Any]], what: str, source: str) -> Tensor:
        if len(details) != 1:
            raise ModelFileError(f"{source}: has {len(details)} {what}s; only a classifier with one {what} can be run")
        found = details[0]
        scale, zero_point = found["quantization"]
        return Tensor(
            int(found["index"]),
            str(found["name"]),
            tuple(int(n) for n in found["shape"]),
            np.dtype(found["dtype"]),
            float(scale),
            int(zero_point),
        )

    @property
    def quantised(self) -> bool:
        """Whether the network computes in integers: some tensor between its operations is of 8 bits."""
        return any(
            details["dtype"] in (np.int8, np.uint8) and len(details["shape"]) == 4
            for details in self._interpreter.get_tensor_details()
        )

    def write(self, values: Array) -> None:
        """Copy values of the input's shape and type into the input tensor."""
        # A view of the tensor must not outlive this line: invoke refuses to run while one is held.
        self._slot()[:] = values  # type: ignore[operator]

    def invoke(self) -> None:
        """Run the network on what was written. Releases the GIL."""
        self._interpreter.invoke()

    def read(self) -> Array:
        """Return a copy of the output tensor, of the output's shape and type."""
        return np.array(self._result())  # type: ignore[operator]

    def results(self) -> Iterator[tuple[Tensor, Array]]:
        """Yield every output with a copy of its value; only with `several_outputs`."""
        for output in self._outputs:
            yield output, self._interpreter.get_tensor(output.index)

    def tensors(self) -> Iterator[tuple[Tensor, Array]]:
        """Yield every tensor that an operation wrote, with its value; only with `keep_tensors`."""
        written = {int(index) for step in self._interpreter._get_ops_details() for index in step["outputs"]}
        for details in self._interpreter.get_tensor_details():
            if int(details["index"]) in written:
                yield (
                    self._only([details], "tensor", details["name"]),
                    self._interpreter.get_tensor(details["index"]),
                )

    def close(self) -> None:
        """Nothing to let go of: the memory goes with the object."""

    def delegation(self) -> Delegation:
        """Count the operations that the delegate took; after the first time it is known."""
        self._found = self._found or self._count()
        return self._found

    def _count(self) -> Delegation:
        """Walk back from each delegate's outputs to its inputs."""
        steps = self._interpreter._get_ops_details()
        original = [step for step in steps if step["op_name"] != "DELEGATE"]
        producer = {int(index): number for number, step in enumerate(original) for index in step["outputs"]}
        taken: set[int] = set()
        for step in steps:
            if step["op_name"] == "DELEGATE":
                taken |= _behind(step, original, producer)
        left = Counter(str(step["op_name"]) for number, step in enumerate(original) if number not in taken)
        return Delegation(self._wanted if taken else "none", len(taken), len(original), dict(sorted(left.items())))


def _behind(step: Mapping[str, Any], original: list[Any], producer: Mapping[int, int]) -> set[int]:
    """The original operations that one delegate node stands for."""
    stop = {int(index) for index in step["inputs"]}
    todo = [int(index) for index in step["outputs"]]
    found: set[int] = set()
    while todo:
        index = todo.pop()
        number = producer.get(index)
        if index in stop or number is None or number in found:
            continue
        found.add(number)
        todo.extend(int(i) for i in original[number]["inputs"])
    return found


def _refusal(error: Exception) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    if "edgetpu-custom-op" in text:
        return "is compiled for the Edge TPU and cannot run without one; use the CPU model it was made from"
    if "Flatbuffer" in text or "out of range offset" in text or "mmap" in text:
        return "is damaged or no TFLite model; build it again, or copy it again"
    return f"the interpreter refuses it ({text[:200]}); build it again, or copy it again"
