# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The look at a .tflite before Google's compiler has one: what it would refuse, and why."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.tools import flatbuffer_utils

from labelcam.errors import GateFailed
from labelcam.preprocess import Preprocess
from labelcam_converter.edgetpu.operations import MAPPED, READ
from labelcam_converter.edgetpu.preflight import Preflight, judge_preflight, preflight
from labelcam_converter.flatbuffer import Graph
from labelcam_converter.networks import open_file
from labelcam_converter.quantization.by_tensorflow import quantize_with_tensorflow


@pytest.fixture(scope="session")
def hard_network(networks: Path) -> bytes:
    """A network with MobileNetV3's hard-swish, quantised by TFLiteConverter."""
    rng = np.random.default_rng(0)
    seen = [SimpleNamespace(pixels=rng.integers(0, 256, (32, 32, 3), np.uint8)) for _ in range(4)]
    return quantize_with_tensorflow(open_file(networks / "hard.keras"), seen, Preprocess(), per_channel_dense=False)


def look(network: bytes) -> Preflight:
    return preflight(Graph(network))


def altered(network: bytes, change: Callable[[Any], object]) -> bytes:
    """The network after a change to its object form."""
    model = flatbuffer_utils.read_model_from_bytearray(np.frombuffer(network, np.uint8))
    change(model)
    return bytes(flatbuffer_utils.convert_object_to_bytearray(model))


def step_of(model: Any, kind: str) -> Any:
    """The first operation of a kind."""
    wanted = getattr(schema.BuiltinOperator, kind)
    return next(s for s in model.subgraphs[0].operators if model.operatorCodes[s.opcodeIndex].builtinCode == wanted)


def reads(network: bytes, change: Callable[[Any], object]) -> str:
    """The first refusal of the changed network, with its remedy."""
    first = look(altered(network, change)).refusals[0]
    return f"{first}; {first.remedy}"


def test_a_network_that_tflite_converter_quantised_is_mapped_whole(byte_network: bytes) -> None:
    """With per-channel dense layers off there is nothing to refuse, and the versions are those that int8 needs."""
    found = look(byte_network)
    assert (found.mappable, found.refusals, found.left, found.stamped) == (found.operations, (), {}, True)
    judge_preflight(found, None)
    judge_preflight(found, 1.0)


@pytest.mark.parametrize(
    "name", ["vww_96_int8.tflite", "mobilenet_v1_0.25_128_quant.tflite", "mobilenet_v2_1.0_224_quant.tflite"]
)
def test_networks_that_google_has_compiled_are_not_refused(name: str, shared_data: Path) -> None:
    """Coral offers both MobileNets compiled, and all of MobileNetV1's 31 operations became one in that file."""
    found = look((shared_data / "models" / name).read_bytes())
    assert (found.mappable, found.refusals) == (found.operations, ())


def test_our_own_int8_is_refused_for_its_dense_layer(person_model: Path) -> None:
    """litert-quantizer gives dense layers a scale for each output and stamps no versions."""
    found = look(person_model.read_bytes())
    assert [(refusal.operation, refusal.fatal) for refusal in found.refusals] == [("FULLY_CONNECTED", False)]
    assert "has weights of 2 scales" in str(found.refusals[0])
    assert not found.stamped
    with pytest.raises(GateFailed, match=r"--edgetpu: FULLY_CONNECTED \(operation \d+, .*per-channel dense layers off"):
        judge_preflight(found, None)


def test_hard_swish_is_refused_with_the_remedy(hard_network: bytes) -> None:
    """MobileNetV3's hard-swish ends the mapping where it stands, and everything behind it runs on the CPU."""
    found = look(hard_network)
    assert found.refusals[0].operation == "HARD_SWISH"
    assert found.mappable <= 2
    assert found.left["DEPTHWISE_CONV_2D"] == 1
    with pytest.raises(
        GateFailed, match=r"HARD_SWISH .* operations would be mapped; build the minimalistic variant"
    ) as no:
        judge_preflight(found, None)
    assert no.value.exit_code == 3
    judge_preflight(found, found.mappable / found.operations)  # accepted by --min-mapped


def test_nothing_can_be_accepted_where_nothing_is_mapped(byte_network: bytes) -> None:
    """A network that computes in 16 bits between its ends is refused, whatever --min-mapped says."""

    def widen(model: Any) -> None:
        for tensor in model.subgraphs[0].tensors:
            tensor.type = schema.TensorType.INT16 if tensor.type == schema.TensorType.INT8 else tensor.type

    found = look(altered(byte_network, widen))
    assert (found.mappable, found.refusals[0].reason) == (0, "computes in int16")
    with pytest.raises(GateFailed, match=r"computes in int16, and \d more like it; 0 of \d operations would be mapped"):
        judge_preflight(found, 0.0)


def test_a_float_network_is_refused_once(networks: Path) -> None:
    """Not with a line for every operation."""
    (refusal,) = look((networks / "colours.tflite").read_bytes()).refusals
    assert str(refusal) == "the network is not quantised: it computes in float32"
    assert refusal.fatal


def newer(kind: str, version: int) -> Callable[[Any], object]:
    return lambda model: setattr(model.operatorCodes[step_of(model, kind).opcodeIndex], "version", version)


def option(kind: str, **options: object) -> Callable[[Any], object]:
    def change(model: Any) -> None:
        for name, value in options.items():
            setattr(step_of(model, kind).builtinOptions, name, value)

    return change


def becomes(kind: str, other: str, version: int = 1) -> Callable[[Any], object]:
    """The operation turns into one of another kind; only `preflight` will ever read it."""

    def change(model: Any) -> None:
        code, step = schema.OperatorCodeT(), step_of(model, kind)
        code.builtinCode, code.version = getattr(schema.BuiltinOperator, other), version
        code.deprecatedBuiltinCode = min(code.builtinCode, 127)
        step.opcodeIndex = len(model.operatorCodes)
        model.operatorCodes = [*model.operatorCodes, code]

    return change


def shape(kind: str, sides: list[int]) -> Callable[[Any], object]:
    """The result of the operation gets another shape."""
    return lambda model: setattr(model.subgraphs[0].tensors[step_of(model, kind).outputs[0]], "shape", sides)


def ends_of(dtype: int) -> Callable[[Any], object]:
    return lambda model: setattr(model.subgraphs[0].tensors[model.subgraphs[0].inputs[0]], "type", dtype)


def computed_axes(model: Any) -> None:
    tensors = model.subgraphs[0].tensors
    tensors[step_of(model, "MEAN").inputs[1]].buffer = 0


def along(axes: list[int]) -> Callable[[Any], object]:
    def change(model: Any) -> None:
        tensor = model.subgraphs[0].tensors[step_of(model, "MEAN").inputs[1]]
        tensor.shape = [len(axes)]
        model.buffers[tensor.buffer].data = np.frombuffer(np.array(axes, np.int32).tobytes(), np.uint8)

    return change


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (newer("QUANTIZE", 3), "QUANTIZE (operation 0, *) is of version 3, and compiler 16 reads up to 2"),
        (
            newer("FULLY_CONNECTED", 12),
            "is of version 12, and compiler 16 reads up to 9; quantise with per-",
        ),
        (newer("CONV_2D", 8), "CONV_2D (operation 1, pick) is of version 8, and compiler 16 reads up to 5"),
        (becomes("CONV_2D", "LEAKY_RELU", 2), "is unknown to the Edge TPU; replace LeakyReLU by ReLU6"),
        (becomes("CONV_2D", "GELU"), "GELU (operation 1, *) is unknown to the Edge TPU"),
        (becomes("CONV_2D", "EXP", 2), "EXP (operation 1, *) is of version 2, and compiler 16 reads up to 1"),
        (becomes("CONV_2D", "PADV2"), "is unknown to the Edge TPU; pad with zeros"),
        (becomes("CONV_2D", "WHILE"), "WHILE (operation 1, *) is unknown to the Edge TPU"),
        (ends_of(schema.TensorType.FLOAT32), "the input is float32, not int8 or uint8; quantise it with --io uint8"),
        (ends_of(schema.TensorType.INT16), "the input is int16, not int8 or uint8"),
        (
            shape("CONV_2D", [2, 32, 32, 3]),
            "works on [2, 32, 32, 3]: only the three innermost sides may be more than 1",
        ),
        (
            shape("CONV_2D", [-1, 32, 32, 3]),
            "works on [-1, 32, 32, 3], which is no fixed size; export the network with",
        ),
        (shape("CONV_2D", [1, 2000, 2000, 3]), "works on 11.4 MiB at once, more than the chip's 8 MiB; build it for"),
        (option("CONV_2D", dilationWFactor=2), "is dilated 1 by 2; dilate both directions alike"),
        (option("FULLY_CONNECTED", weightsFormat=1), "has shuffled weights"),
        (shape("FULLY_CONNECTED", [1, 4, 3]), "gives [1, 4, 3], and must give one row; flatten or pool"),
        (shape("SOFTMAX", [1, 16001]), "has 16001 scores, and 16000 are the most; end the network without it"),
        (shape("SOFTMAX", [1, 5, 3]), "works on [1, 5, 3], and can only on one row"),
        (computed_axes, "MEAN (operation 3, *) computes the size of its result while it runs"),
        (along([0, 1]), "MEAN (operation 3, *) works along the batch; leave the first axis alone"),
        (along([3]), "MEAN (operation 3, *) reduces 3 channels, and can only a multiple of 4"),
    ],
)
def test_each_refusal_names_the_operation_and_the_remedy(
    change: Callable[[Any], object], said: str, byte_network: bytes
) -> None:
    """Kind, place, reason and remedy of whatever Coral's table does not allow."""
    line = reads(byte_network, change)
    for part in said.split("*"):  # stands for a layer's name
        assert part in line, line


def test_a_refusal_in_json(byte_network: bytes) -> None:
    """Scripts get every part by itself, the tensor's own name too."""
    refusal = look(altered(byte_network, newer("CONV_2D", 8))).refusals[0].as_json()
    assert (refusal["operation"], refusal["index"], refusal["layer"], refusal["fatal"]) == ("CONV_2D", 1, "pick", True)
    assert refusal["tensor"] == Graph(byte_network).tensors[Graph(byte_network).operations[1].outputs[0]].name


def test_what_the_compiler_cannot_read_it_cannot_map_in_part(byte_network: bytes) -> None:
    """A version that is too new costs the whole file; an operation that it only does not map costs what follows."""
    unread = look(altered(byte_network, newer("SOFTMAX", 4)))
    assert (unread.mappable, unread.refusals[0].fatal) == (0, True)
    with pytest.raises(GateFailed, match=r"SOFTMAX \(operation"):
        judge_preflight(unread, 0.0)
    left = look(altered(byte_network, shape("SOFTMAX", [1, 16001])))
    assert left.left == {"SOFTMAX": 1, "QUANTIZE": 1}
    judge_preflight(left, None)  # the end of the network may stay behind


def test_what_stands_in_front_does_not_end_the_mapping(byte_network: bytes) -> None:
    """A first operation on the CPU leaves the rest to the Edge TPU, as its users see with a QUANTIZE from float."""
    found = look(altered(byte_network, becomes("QUANTIZE", "CAST")))
    assert found.left == {"CAST": 1}


def test_every_operation_is_in_one_table_with_a_version() -> None:
    """A kind is either mapped or merely read; each is one that TFLite knows."""
    assert not MAPPED.keys() & READ.keys()
    assert all(hasattr(schema.BuiltinOperator, kind) and version > 0 for kind, version in {**MAPPED, **READ}.items())
