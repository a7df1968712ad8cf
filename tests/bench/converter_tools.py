# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The tools that the converter's bench compares, each from a float network and the same pictures to int8."""

import resource
import time
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from io import StringIO

from converter_crops import Contest

from labelcam.console import native_chatter_logged
from labelcam_converter.pictures import Picture
from labelcam_converter.quantization.by_tensorflow import quantize_with_tensorflow
from labelcam_converter.quantization.effort import quantize_network
from labelcam_converter.quantization.schemes import Effort, Wanted

REFERENCE = "TFLiteConverter"


@dataclass(frozen=True, slots=True, eq=False)
class Made:
    """What one tool made."""

    tool: str
    model: bytes
    seconds: float
    """By the clock, from the float network and the pictures in memory to the int8 network."""

    cpu_seconds: float
    """Of all its threads and processes: what neighbours on the machine do not change much."""

    corrections: tuple[str, ...] = ()
    ranges: str = ""


def tools(contest: Contest, without_max: bool) -> list[str]:
    """Return the names of the tools that can quantise this network."""
    google = [REFERENCE, "litert-quantizer"] if contest.source.kind != "tflite" else ["litert-quantizer"]
    return [*google, "fast", "normal", *([] if without_max else ["max"])]


def make(tool: str, contest: Contest, float_model: bytes, pictures: Sequence[Picture]) -> Made:
    """Quantise by one tool."""
    if tool == REFERENCE:
        return _timed(tool, lambda: (quantize_with_tensorflow(contest.source, pictures, contest.how), (), "minmax"))
    if tool == "litert-quantizer":
        return _timed(tool, lambda: (_by_its_own_calibrator(contest, float_model, pictures), (), "moving average"))
    return _timed(tool, lambda: _ours(tool, contest, float_model, pictures))  # type: ignore[arg-type]


def _ours(
    effort: Effort, contest: Contest, float_model: bytes, pictures: Sequence[Picture]
) -> tuple[bytes, tuple[str, ...], str]:
    made = quantize_network(float_model, pictures, contest.how, Wanted(effort=effort, blamed=contest.name))
    return made.data, made.corrections, made.ranges or ""


def _by_its_own_calibrator(contest: Contest, float_model: bytes, pictures: Sequence[Picture]) -> bytes:
    """litert-quantizer as its README has it: its calibrator, its recipe for int8, uint8 at the ends."""
    from ai_edge_litert.interpreter import Interpreter
    from litert_quantizer import qtyping, quantizer, recipe

    with native_chatter_logged(), redirect_stdout(StringIO()):
        engine = quantizer.Quantizer(bytearray(float_model))
        engine.load_quantization_recipe(recipe.static_wi8_ai8())
        for end in (qtyping.TFLOperationName.INPUT, qtyping.TFLOperationName.OUTPUT):
            narrow = qtyping.TensorQuantizationConfig(num_bits=8, symmetric=False, dtype=qtyping.TensorDataType.UINT)
            engine.update_quantization_recipe(
                regex=".*",
                operation_name=end,
                op_config=qtyping.OpQuantizationConfig(
                    activation_tensor_config=narrow, compute_precision=qtyping.ComputePrecision.INTEGER
                ),
            )
        ((signature, told),) = Interpreter(model_content=float_model).get_signature_list().items()
        name = told["inputs"][0]
        samples = [{name: contest.how.normalise(picture.pixels)[None]} for picture in pictures]
        return bytes(engine.quantize(engine.calibrate({signature: samples})).quantized_model)


def _timed(tool: str, work: Callable[[], tuple[bytes, tuple[str, ...], str]]) -> Made:
    begun, used = time.monotonic(), _cpu()
    model, corrections, ranges = work()
    return Made(tool, model, time.monotonic() - begun, _cpu() - used, corrections, ranges)


def _cpu() -> float:
    every = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in every)
