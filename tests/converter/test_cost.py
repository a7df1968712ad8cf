# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""`cost` counts what the papers count, and lays memory out as LiteRT does."""

import itertools
import json
import math
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from hypothesis import given
from hypothesis import strategies as st

from labelcam.model_file import ModelFile
from labelcam_converter.cost import Cost, count
from labelcam_converter.cost.memory import ALIGNMENT, Life, arena_bytes
from labelcam_converter.flatbuffer import Graph

EXPORT = """
import gc, sys
gc.disable()  # TensorFlow makes little garbage, and looking for it takes seconds
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from labelcam_converter.worker.export import export
from labelcam_converter.worker.keras_files import zoo_network
for variant in sys.argv[3:]:
    alpha, size = variant.split("_")
    request = {"function": "MobileNet", "alpha": float(alpha), "size": int(size), "weights": None, "seed": 0}
    Path(sys.argv[2], f"{variant}.tflite").write_bytes(export(zoo_network({**request, "minimalistic": False})))
"""

BACKGROUND = 1025
"""Parameters of the class "background" that TF-slim's networks have besides ImageNet's 1000."""

PUBLISHED = {
    "1.0_224": (569, 4.2),
    "0.75_224": (325, 2.6),
    "0.5_224": (149, 1.3),
    "0.25_224": (41, 0.5),
    "1.0_192": (418, 4.2),
    "1.0_160": (290, 4.2),
    "1.0_128": (186, 4.2),
    "0.25_128": (14, 0.47),
}
"""Million MACs and parameters: Howard et al. 2017, tables 6 and 7; the last one from TF-slim's table."""


def graph_of(path: Path) -> Graph:
    return Graph(path.read_bytes()[: ModelFile.load(path).flatbuffer_bytes])


@pytest.fixture(scope="session")
def mobilenets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of float MobileNets with random weights, named by width and size, made by one process."""
    folder, converter = tmp_path_factory.mktemp("mobilenets"), Path(__file__).parents[2] / "converter"
    command = [sys.executable, "-c", EXPORT, converter, folder, *PUBLISHED]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stderr[-2000:]
    return folder


@pytest.fixture(scope="session")
def cost_of(mobilenets: Path) -> Callable[[str], Cost]:
    """The cost of a MobileNet by its width and size."""
    return lambda variant: count(graph_of(mobilenets / f"{variant}.tflite"), variant)


@pytest.mark.parametrize("variant", PUBLISHED)
def test_the_published_figures_come_out(variant: str, cost_of) -> None:
    """Multiply-accumulates to the million, which the paper sometimes cuts off; parameters as it prints them."""
    macs, parameters = PUBLISHED[variant]
    found = cost_of(variant)
    assert found.macs / 1e6 == pytest.approx(macs, abs=0.7)
    assert found.parameters / 1e6 == pytest.approx(parameters, abs=0.051 if parameters != 0.47 else 0.005)


def test_where_the_published_parameters_differ(cost_of) -> None:
    """TF-slim's 4.24 M are ours, one class more, and two averages for each batch-normalised channel; Keras' one more.

    Its batch norms have an offset (which folding leaves, as a bias), a mean and a variance; Keras' have a scale too.
    """
    found = cost_of("1.0_224")
    channels = sum(layer.output[2] for layer in found.layers if layer.macs) - 1000
    assert found.parameters + BACKGROUND + 2 * channels == 4_243_945
    assert found.parameters + 3 * channels == 4_253_864


def test_the_network_of_standard_convolutions(cost_of) -> None:
    """The paper's table 4: with standard convolutions MobileNet has 4866 M MACs and 29.3 M parameters."""
    found = cost_of("1.0_224")
    assert found.standard_convolution_macs / 1e6 == pytest.approx(4866, abs=2)
    assert found.standard_convolution_parameters / 1e6 == pytest.approx(29.3, abs=0.05)


def test_the_ratio_is_the_formula(cost_of) -> None:
    """A depthwise separable convolution costs 1/N + 1/Dk² of the standard one; MobileNet has thirteen, all of 3x3."""
    pairs = cost_of("1.0_224").separable
    assert len(pairs) == 13
    for pair in pairs:
        assert pair.kernel == (3, 3)
        assert pair.ratio == pytest.approx(1 / pair.outputs + 1 / 9)
        assert pair.macs == 9 * pair.inputs * pair.positions + pair.inputs * pair.outputs * pair.positions


def test_layers_are_called_what_keras_calls_them(cost_of) -> None:
    """conv_dw_1 is conv_dw_1, whatever the converter has fused into it; no two layers have the same name."""
    layers = cost_of("1.0_224").layers
    assert [layer.name for layer in layers[:3]] == ["conv1", "conv_dw_1", "conv_pw_1"]
    assert [layer.kind for layer in layers[:3]] == ["convolution", "depthwise", "pointwise"]
    assert [layer.output for layer in layers[:3]] == [(112, 112, 32), (112, 112, 32), (112, 112, 64)]
    assert len({layer.name for layer in layers}) == len(layers)


def test_the_peak_is_where_one_expects_it(cost_of) -> None:
    """The first pointwise convolution reads 112 x 112 x 32 numbers and writes 112 x 112 x 64."""
    as_it_is, exact, small = cost_of("1.0_224").memory
    assert small.peak_bytes == 112 * 112 * (32 + 64)
    assert exact.peak_bytes == as_it_is.peak_bytes == 4 * small.peak_bytes
    assert small.peak_layer == "conv_pw_1"


def real_arena(path: Path) -> int:
    """Bytes from the first to the last activation where LiteRT's own kernels have them."""
    data = path.read_bytes()[: ModelFile.load(path).flatbuffer_bytes]
    plain = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    interpreter = Interpreter(model_content=data, num_threads=1, experimental_op_resolver_type=plain)
    interpreter.allocate_tensors()
    spans = []
    for index, tensor in enumerate(Graph(data).tensors):
        if tensor.data is None:
            array: np.ndarray = interpreter.tensor(index)()
            begin = array.__array_interface__["data"][0]
            spans.append((begin, begin + array.nbytes))
    return max(end for _, end in spans) - min(begin for begin, _ in spans)


@pytest.mark.parametrize("variant", ["1.0_224", "0.25_128"])
def test_the_arena_is_the_one_that_litert_allocates(variant: str, mobilenets: Path, cost_of) -> None:
    """To the byte, with the unrolled windows of the first convolution, which decide for the smaller one."""
    assert cost_of(variant).memory[0].im2col_arena_bytes == real_arena(mobilenets / f"{variant}.tflite")


@pytest.mark.parametrize(
    "name",
    [
        *("mobilenet_v1_0.25_128_quant", "mobilenet_v2_1.0_224_quant", "vww_96_float", "vww_96_int8"),
    ],
)
def test_the_arena_of_files_from_elsewhere(name: str, shared_data: Path) -> None:
    """Float, int8 and uint8 networks of other people: to the byte as well."""
    path = shared_data / "models" / f"{name}.tflite"
    assert count(graph_of(path), name).memory[0].im2col_arena_bytes == real_arena(path)


@given(st.lists(st.tuples(st.integers(1, 500), st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=12))
def test_no_arena_is_smaller_than_its_peak(tensors: list[tuple[int, int, int]]) -> None:
    """Whatever lives at the same time fits side by side, and nobody needs more than everything one behind another."""
    lives = [Life(size, min(ends), max(ends)) for size, *ends in tensors]
    peak = max(sum(life.bytes for life in lives if life.first <= now <= life.last) for now in range(10))
    aligned = sum(math.ceil(life.bytes / ALIGNMENT) * ALIGNMENT for life in lives)
    assert peak <= arena_bytes(lives) <= aligned


def test_quantised_files_count_like_float_ones(shared_data: Path) -> None:
    """int8 and float of MLPerf's visual wake words: the same MACs, parameters and layers; a quarter of the memory."""
    coarse, exact = (
        count(graph_of(shared_data / "models" / f"vww_96_{kind}.tflite"), "vww") for kind in ("int8", "float")
    )
    assert (coarse.macs, coarse.parameters) == (exact.macs, exact.parameters) == (7_489_664, 210_850)
    assert coarse.layers[:-1] == exact.layers[:-1]
    assert coarse.activation_bytes_peak * 4 == exact.activation_bytes_peak
    assert (coarse.dtype, exact.dtype) == ("int8", "float32")


def test_the_legacy_quantised_mobilenets(shared_data: Path) -> None:
    """V1 0.25/128 has 0.47 M parameters and 14 M MACs, V2 1.0/224 3.49 M and 301 M, with 1001 classes each."""
    v1, v2 = (
        count(graph_of(shared_data / "models" / f"mobilenet_{name}_quant.tflite"), name)
        for name in ("v1_0.25_128", "v2_1.0_224")
    )
    assert (round(v1.macs / 1e6), round(v1.parameters / 1e6, 2)) == (14, 0.47)
    assert (round(v2.macs / 1e6), round(v2.parameters / 1e6, 2)) == (301, 3.49)
    assert len(v2.separable) == 17


def test_what_the_edge_tpu_runs_is_not_counted(shared_data: Path) -> None:
    """A compiled file hides its layers in one operation; the answer says so instead of calling it free."""
    found = count(graph_of(shared_data / "models" / "mobilenet_v1_0.25_128_quant_edgetpu.tflite"), "compiled")
    assert (found.macs, found.uncounted) == (0, ("edgetpu-custom-op",))


def test_mobilenet_v2_by_its_name(convert) -> None:
    """300 M MACs and 3.47 to 3.54 M parameters (Sandler et al. 2018), as public JSON, without trained weights."""
    done = convert("cost", "--model", "mobilenet_v2", "--json", KERAS_HOME="/nowhere")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert round(answer["macs"] / 1e6) == pytest.approx(300, abs=1)
    assert 3.47e6 <= answer["parameters"] <= 3.54e6
    assert answer["parameters"] == 3_487_816  # a new network's biases are zeros, and count all the same
    assert answer["macs"] == sum(layer["macs"] for layer in answer["layers"])
    assert {"schema", "model", "activation_bytes_peak", "standard_convolution_macs"} <= set(answer)
    assert {"name", "kind", "output", "macs", "parameters"} <= set(answer["layers"][0])


def test_a_tflite_needs_no_tensorflow(mobilenets: Path, convert) -> None:
    """The table shows every layer that multiplies, the formula, and the sum; TensorFlow is never imported."""
    code = (
        "import sys; from labelcam_converter.cli import main; main(sys.argv[1:]); "
        "assert not {'tensorflow', 'keras'} & set(sys.modules)"
    )
    path = mobilenets / "0.25_128.tflite"
    command = [sys.executable, "-c", code, "cost", "--model", path]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert sum(line.startswith("conv_dw_") for line in lines) == 2 * 13
    assert any("1/N + 1/Dk²" in line for line in lines)
    assert any("13.6 M MACs, 0.47 M parameters" in line for line in lines)
    assert max(map(len, itertools.takewhile(bool, lines))) <= 100


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--model", "mobilenet_v4"), "did you mean"),
        (("--model", "nothing.tflite"), "no such file"),
        (("--model", "mobilenet_v2", "--alpha", "9"), "makes no network"),
        (("--model", "x.tflite", "--size", "96"), "a file has its own"),
    ],
)
def test_what_cannot_be_counted(arguments: tuple[str, ...], reason: str, convert, the_error) -> None:
    """One line with the value, the reason and the remedy."""
    assert reason in the_error(convert("cost", *arguments))
