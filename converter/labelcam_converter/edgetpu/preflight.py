# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Looks at a .tflite before the compiler does, and says which operation it would refuse, why, and what helps.

The compiler itself says little ('Internal compiler error. Aborting!'), and that only after the conversion.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from labelcam.errors import GateFailed

from ..flatbuffer import Graph, Operation, Tensor
from ..layer_names import layer_names
from .limits import EIGHT_BITS, Why, why_not
from .operations import FIRST_INT8, MAPPED, READ, REMEDIES

LEFTOVERS = {"QUANTIZE": 2, "SOFTMAX": 1}
"""What may stay on the CPU without a word about it: the two ends of a network, which cost next to nothing."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """One operation that the Edge TPU will not compute, or that keeps the compiler from reading the file."""

    operation: str
    """Its kind, as TFLite calls it; 'the input', 'the output' or 'the network' where it is none of the operations."""

    index: int | None
    """Its place in the order of execution; None where it is none of them."""

    layer: str
    """What a person calls it."""

    tensor: str
    """The name of its result in the file."""

    reason: str
    remedy: str

    fatal: bool = False
    """The compiler cannot compile any of the file, whereas otherwise this operation and what follows run on the CPU."""

    def __str__(self) -> str:
        place = "" if self.index is None else f" (operation {self.index}, {self.layer})"
        return f"{self.operation}{place} {self.reason}"

    def as_json(self) -> dict[str, Any]:
        """Return the public form."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Preflight:
    """What is to be expected of the compiler."""

    operations: int
    """In the file."""

    mappable: int
    """Operations that would run on the Edge TPU."""

    refusals: tuple[Refusal, ...]
    """In the order of execution, the ends of the network first."""

    left: dict[str, int]
    """Operations that would run on the CPU, by kind."""

    stamped: bool
    """The versions of the operations are those that int8 needs, as TFLiteConverter writes them; other tools do not."""


def preflight(graph: Graph) -> Preflight:
    """Return what the compiler would make of a network."""
    refused = dict(_refused(graph))
    refusals = _unquantised(graph) or (*_ends(graph), *refused.values())
    mapped = set() if any(found.fatal for found in refusals) else _one_piece(graph, refused)
    left = Counter(step.kind for number, step in enumerate(graph.operations) if number not in mapped)
    return Preflight(len(graph.operations), len(mapped), refusals, dict(left), _stamped(graph))


def _unquantised(graph: Graph) -> tuple[Refusal, ...]:
    """One refusal in place of one for every operation, where nothing at all is computed in 8 bits."""
    computed = [graph.tensors[index].dtype for step in graph.operations for index in step.outputs]
    if not computed or any(dtype in EIGHT_BITS for dtype in computed):
        return ()
    reason = f"is not quantised: it computes in {Counter(computed).most_common(1)[0][0]}"
    return (
        Refusal(
            "the network", None, "", "", reason, "quantise it to int8: labelcam-convert build --edgetpu", fatal=True
        ),
    )


def _ends(graph: Graph) -> Iterator[Refusal]:
    for end, tensors in (("the input", graph.inputs), ("the output", graph.outputs)):
        for tensor in tensors:
            if tensor.dtype not in EIGHT_BITS:
                yield Refusal(
                    end, None, end, tensor.name, f"is {tensor.dtype}, not int8 or uint8", _TO_BYTES, fatal=True
                )


_TO_BYTES = "quantise it with --io uint8, as build --edgetpu does"


def _refused(graph: Graph) -> Iterator[tuple[int, Refusal]]:
    for number, (step, layer) in enumerate(zip(graph.operations, layer_names(graph), strict=True)):
        if found := _why(graph, step):
            (reason, remedy), fatal = found
            result = graph.tensors[step.outputs[0]].name if step.outputs else ""
            yield number, Refusal(step.kind, number, layer, result, reason, remedy, fatal)


def _why(graph: Graph, step: Operation) -> tuple[Why, bool] | None:
    """Reason, remedy, and whether it is fatal to the whole file."""
    newest = {**READ, **MAPPED}.get(step.kind)
    if newest is not None and step.version > newest:
        return (f"is of version {step.version}, and compiler 16 reads up to {newest}", _older(step)), True
    if step.kind not in MAPPED:
        return ("is unknown to the Edge TPU", REMEDIES.get(step.kind, "build the network without it")), False
    why = why_not(graph, step)
    return why and (why, False)


def _older(step: Operation) -> str:
    if step.kind == "FULLY_CONNECTED":
        return "quantise with per-channel dense layers off, as build --edgetpu does"
    return "quantise it by build --edgetpu, or convert it with an older TensorFlow"


def _one_piece(graph: Graph, refused: Iterable[int]) -> set[int]:
    """The operations of the one part that the compiler maps: the first, which ends where an operation is refused.

    Coral, on models-intro: at the first unsupported operation the graph is split, and all behind it runs on the CPU.
    What is refused at the very beginning (a QUANTIZE from float, say) stands in front of the first part.
    """
    stop = set(refused)
    depth: dict[int, int] = {}  # by tensor: how many refused operations lie in front of it
    levels: dict[int, set[int]] = {}
    for number, step in enumerate(graph.operations):
        before = max((depth.get(index, 0) for index in step.inputs), default=0)
        if number in stop:
            before += 1
        else:
            levels.setdefault(before, set()).add(number)
        depth.update(dict.fromkeys(step.outputs, before))
    return levels[min(levels)] if levels else set()


def _stamped(graph: Graph) -> bool:
    def computes_int8(step: Operation) -> bool:
        fed: Tensor = graph.tensors[step.inputs[0]]
        return fed.dtype == "int8"

    weighted = [step for step in graph.operations if step.kind in FIRST_INT8 and computes_int8(step)]
    return all(step.version >= FIRST_INT8[step.kind] for step in weighted)


def judge_preflight(found: Preflight, asked: float | None) -> None:
    """Raise GateFailed, naming the operation, where the compiler would refuse the file or map too little of it.

    `asked` is `--min-mapped`, the least share of operations on the Edge TPU; None: all but `LEFTOVERS`.
    """
    fatal = [refusal for refusal in found.refusals if refusal.fatal]
    blamed = fatal or found.refusals
    if not blamed or (not fatal and enough(found.mappable, found.operations, found.left, asked)):
        return
    first = blamed[0]
    more = f", and {len(blamed) - 1} more like it" if len(blamed) > 1 else ""
    means = "" if first.fatal else f"; {found.mappable} of {found.operations} operations would be mapped"
    raise GateFailed(f"--edgetpu: {first}{more}{means}; {first.remedy}")


def enough(mapped: int, total: int, left: dict[str, int], asked: float | None) -> bool:
    """Whether so many operations on the Edge TPU are enough; never if there are none."""
    if not mapped:
        return False
    if asked is not None:
        return mapped / total >= asked
    return all(count <= LEFTOVERS.get(kind, 0) for kind, count in left.items())
