# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Quantisation keeps the values that matter, in every scheme."""

from pathlib import Path

import pytest

from labelcam.errors import LabelcamError, ModelFileError, UsageError
from labelcam.preprocess import Preprocess, Size
from labelcam_converter.fidelity.scoring import Scorer
from labelcam_converter.flatbuffer import Graph
from labelcam_converter.networks import open_file
from labelcam_converter.pictures import Picture, choose, prepare
from labelcam_converter.quantization.by_tensorflow import quantize_with_tensorflow
from labelcam_converter.quantization.correction import Correction
from labelcam_converter.quantization.effort import Quantised, quantize_network
from labelcam_converter.quantization.schemes import Scheme, Wanted, io_of
from labelcam_converter.quantization.verification import check_biases, left_in_float

HOW = Preprocess()
FAST = Wanted(effort="fast", ranges="minmax")
EVERY = [("int8", "uint8"), ("int8", "int8"), ("int8", "float32")] + [
    (scheme, "float32") for scheme in ("int16x8", "dynamic", "float16", "float32")
]


@pytest.fixture(scope="module")
def pictures(colour_images: Path) -> list[Picture]:
    return prepare(choose(colour_images, 24, 0).calibration, 24, 0, Size(32, 32), HOW, "reading")[0]


@pytest.fixture(scope="module")
def colours(networks: Path) -> bytes:
    return (networks / "colours.tflite").read_bytes()


@pytest.fixture(scope="module")
def normal(colours: bytes, pictures: list[Picture]) -> Quantised:
    return quantize_network(colours, pictures, HOW, Wanted())


def assert_like_float(float_model: bytes, quantised: bytes, pictures: list[Picture]) -> None:
    exact, coarse = Scorer(float_model, HOW), Scorer(quantised, HOW)
    for picture in pictures:
        assert coarse.scores(picture.pixels) == pytest.approx(exact.scores(picture.pixels), abs=0.06)


@pytest.mark.parametrize("name", ["colours", "nested", "dead"])
@pytest.mark.parametrize("wanted", [FAST, Wanted()], ids=["fast", "normal"])
def test_int8_answers_like_float(name: str, wanted: Wanted, networks: Path, pictures: list[Picture]) -> None:
    """Every score stays within a few steps, also where a channel has nothing but a bias (`dead`)."""
    model = (networks / f"{name}.tflite").read_bytes()
    assert_like_float(model, quantize_network(model, pictures, HOW, wanted).data, pictures)


@pytest.mark.parametrize(("scheme", "io"), EVERY)
@pytest.mark.parametrize("name", ["colours", "dead"])
def test_every_scheme_runs_and_says_what_it_is(
    scheme: str, io: str, name: str, networks: Path, pictures: list[Picture]
) -> None:
    """Each scheme answers like float in this interpreter, takes and gives the type that its words state."""
    model = (networks / f"{name}.tflite").read_bytes()
    made = quantize_network(model, pictures, HOW, Wanted(Scheme(scheme), io))  # type: ignore[arg-type]
    assert_like_float(model, made.data, pictures)
    graph = Graph(made.data)
    assert (graph.inputs[0].dtype, graph.outputs[0].dtype) == (io, io)
    assert f"{io} input and output" in made.scheme


def test_the_same_inputs_give_the_same_bytes(colours: bytes, pictures: list[Picture], normal: Quantised) -> None:
    """Nothing depends on the moment or on the order of a set."""
    assert quantize_network(colours, pictures, HOW, Wanted()).data == normal.data


def test_what_was_tried_decides(normal: Quantised) -> None:
    """The calibration images decide, half by half; what is kept was never clearly worse than going without."""
    assert normal.deciding == 24
    without = normal.tried[f"{normal.ranges} ranges"]
    kept = normal.tried[", ".join([f"{normal.ranges} ranges", *normal.corrections])]
    assert kept <= without * 1.01


def test_a_few_photographs_decide_nothing(colours: bytes, pictures: list[Picture]) -> None:
    """With three photographs ranges are the widest, and the corrections those that measurement favours."""
    made = quantize_network(colours, pictures[:3], HOW, Wanted())
    assert (made.ranges, made.deciding, made.tried) == ("minmax", 0, {})
    assert set(made.corrections) == {str(each) for each in Correction}


def test_corrections_change_no_operation_scale_or_size(
    colours: bytes, pictures: list[Picture], normal: Quantised
) -> None:
    """What is done for fidelity costs no time: the graph is the one that ranges alone would give."""
    plain = quantize_network(colours, pictures, HOW, Wanted(effort="fast", ranges=normal.ranges or "minmax"))
    before, after = Graph(plain.data), Graph(normal.data)
    assert [step.kind for step in before.operations] == [step.kind for step in after.operations]
    assert [tensor.scales for tensor in before.tensors] == [tensor.scales for tensor in after.tensors]
    assert len(plain.data) == len(normal.data)


def test_a_dead_channel_would_lose_its_bias(
    networks: Path, pictures: list[Picture], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without wider weight ranges the bias overflows; a result like that is refused, never written."""
    model = (networks / "dead.tflite").read_bytes()
    monkeypatch.setattr("labelcam_converter.quantization.correction.weight_bounds", lambda *_: {})
    with pytest.raises(LabelcamError, match="lost the bias"):
        quantize_network(model, pictures, HOW, FAST)


def test_no_bias_escapes_the_comparison(networks: Path, colours: bytes, normal: Quantised) -> None:
    """A result whose biases are fewer, or others than the float network's, is refused, whatever they are called."""
    for other in ("dead", "no_classifier"):
        with pytest.raises(LabelcamError, match="litert-quantizer lost"):
            check_biases(Graph((networks / f"{other}.tflite").read_bytes()), Graph(normal.data))


def test_an_int8_network_has_nothing_in_float(colours: bytes) -> None:
    """What claims to be int8 and is not is refused by the name of the operation; 16 bits may be mixed, and say so."""
    with pytest.raises(ModelFileError, match="SOFTMAX cannot be computed in int8"):
        left_in_float(Graph(colours), Scheme.INT8)
    assert "SOFTMAX" in left_in_float(Graph(colours), Scheme.INT16X8)


def test_a_byte_of_the_camera_is_a_step_of_the_input(colours: bytes, pictures: list[Picture]) -> None:
    """Whatever the calibration pictures held, black and white are the ends of the input's range."""
    dark = [Picture(pictures[0].path, pictures[0].pixels // 8, whole=True)]
    fed = Graph(quantize_network(colours, dark, HOW, FAST).data).inputs[0]
    assert (fed.dtype, fed.zero_points) == ("uint8", (127,))
    assert fed.scales[0] == pytest.approx(2 / 255)


def test_everything_is_computed_in_int8(colours: bytes, normal: Quantised) -> None:
    """No operation is left in float; two QUANTIZE at the ends are all that is added."""
    after = Graph(normal.data).histogram()
    assert after.pop("QUANTIZE") == 2
    assert after == Graph(colours).histogram()


def test_only_int8_takes_bytes() -> None:
    """Another scheme takes and gives float32, and asking for more is refused with the remedy."""
    assert (io_of(Scheme.INT8, None), io_of(Scheme.DYNAMIC, None)) == ("uint8", "float32")
    with pytest.raises(UsageError, match="--io uint8: a network in dynamic takes and gives float32"):
        io_of(Scheme.DYNAMIC, "uint8")


def test_tensorflow_quantises_the_same_network(networks: Path, colours: bytes, pictures: list[Picture]) -> None:
    """TFLiteConverter's file takes the camera's bytes as they are, even if no picture held black or white."""
    dark = [Picture(picture.path, picture.pixels // 2 + 30, whole=True) for picture in pictures]
    made = quantize_with_tensorflow(open_file(networks / "colours.keras"), dark, HOW, per_channel_dense=False)
    fed = Graph(made).inputs[0]
    assert (fed.dtype, fed.zero_points, fed.scales[0]) == ("uint8", (127,), pytest.approx(2 / 255))
    dense = next(step for step in Graph(made).operations if step.kind == "FULLY_CONNECTED")
    assert len(Graph(made).tensors[dense.inputs[1]].scales) == 1
    with pytest.raises(ModelFileError, match=r"TensorFlow cannot quantise a \.tflite"):
        quantize_with_tensorflow(open_file(networks / "colours.tflite"), dark, HOW)
