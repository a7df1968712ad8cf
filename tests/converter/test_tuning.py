# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""`--effort max`: the network that learns is the one that runs, and comes nearer to the float one."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from labelcam.errors import LabelcamError, ModelFileError
from labelcam.preprocess import Preprocess, Size
from labelcam_converter.fidelity.scoring import Scorer
from labelcam_converter.flatbuffer import Graph
from labelcam_converter.pictures import Picture, prepare
from labelcam_converter.pictures.photographs import photographs
from labelcam_converter.quantization import tuning
from labelcam_converter.quantization.effort import quantize_network
from labelcam_converter.quantization.schemes import Wanted

WEIGHTED = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")
HOW = Preprocess()
SIZE = Size(32, 32)

MAKE = '''
import gc, sys
gc.disable()  # TensorFlow makes little garbage, and looking for it takes seconds
import keras, numpy as np
from pathlib import Path
from keras import layers
sys.path.insert(0, sys.argv[2])
from labelcam_converter.worker.export import export
folder = Path(sys.argv[1])

def network(activation):
    """Every operation that a MobileNet has, with random weights."""
    keras.utils.set_random_seed(3)
    seen = keras.Input((32, 32, 3))
    x = layers.Conv2D(8, 3, strides=2, padding="same", activation="relu6")(layers.ZeroPadding2D(1)(seen))
    x = layers.MaxPooling2D(2, padding="same")(x)
    y = layers.Conv2D(24, 1, activation=activation)(x)
    y = layers.DepthwiseConv2D(3, padding="same", activation=activation, depth_multiplier=2)(y)
    gate = layers.GlobalAveragePooling2D(keepdims=True)(y)
    gate = layers.Conv2D(48, 1, activation="sigmoid")(layers.Conv2D(6, 1, activation="relu")(gate))
    y = layers.Conv2D(8, 1)(layers.Multiply()([y, gate]))
    x = layers.Add()([x, y])
    smaller = layers.Conv2D(8, 3, strides=2, padding="same")(x)
    x = layers.Concatenate()([layers.AveragePooling2D(2, padding="same")(x), smaller])
    x = layers.Flatten()(layers.Conv2D(12, 3, activation="relu6")(x))
    decided = keras.initializers.RandomNormal(stddev=1.0)  # or all answers would be much alike
    model = keras.Model(seen, layers.Dense(5, activation="softmax", kernel_initializer=decided)(x))
    for layer in model.layers:
        if isinstance(layer, layers.Conv2D):  # one large weight a channel makes the steps of all others coarse
            kernel, bias = layer.get_weights()
            kernel[0, 0, 0] = 5 * np.abs(kernel).max()
            layer.set_weights([kernel, bias])
    return model

for name, activation in (("swish", "hard_silu"), ("relu", "relu6"), ("tanh", "tanh")):
    (folder / f"{name}.tflite").write_bytes(export(network(activation)))
'''

COMPUTE = """
import gc, sys
gc.disable()
import numpy as np
sys.path.insert(0, sys.argv[2])
from pathlib import Path
from labelcam.preprocess import Preprocess
from labelcam_converter.flatbuffer import Graph
from labelcam_converter.fidelity.scoring import Scorer
from labelcam_converter.worker.graph_network import compute
from labelcam_converter.worker.student import Student
import tensorflow as tf
folder, how = Path(sys.argv[1]), Preprocess()
pictures = np.load(folder / "pictures.npy")
for name in sys.argv[3:]:
    exact, coarse = ((folder / f"{name}{kind}.tflite").read_bytes() for kind in ("", "_int8"))
    student, graph = Student(Graph(exact), Graph(coarse)), Graph(coarse)
    np.save(folder / f"{name}.npy", tf.nn.softmax(student.exact(how.normalise(pictures))[0]).numpy())
    scorer, off = Scorer(coarse, how, keep_tensors=True), {}
    for picture in pictures:
        scorer.scores(picture)
        told = {index: value.astype(np.float32) for index, value in scorer.tensors()}

        def corrected(index, value):
            # Each operation is fed what LiteRT's own one before it gave, so that its errors are its own.
            if index not in told:
                return student._round(index, value)
            steps = (student._round(index, value) - told[index]) / graph.tensors[index].scales[0]
            off.setdefault(index, []).append(np.abs(steps).reshape(-1))
            return told[index]

        learned = {index: each.value() for index, each in student._learned.items()}
        compute(graph, how.normalise(picture)[None], learned, corrected)
    np.savez(folder / f"{name}_off.npz", **{str(index): np.concatenate(steps) for index, steps in off.items()})
"""


@pytest.fixture(scope="module")
def pictures() -> list[Picture]:
    return prepare(photographs(), 40, 0, SIZE, HOW, "reading")[0]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two networks, float and (…_int8) quantised, and one, tanh, that cannot be tuned."""
    folder = tmp_path_factory.mktemp("tuning")
    run(MAKE, folder)
    return folder


def run(script: str, folder: Path, *arguments: str) -> None:
    """Run a script that needs TensorFlow in a process of its own, as the converter does."""
    command = [sys.executable, "-c", script, str(folder), str(Path(__file__).parents[2] / "converter"), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]


def quantised(model: bytes, pictures: list[Picture]) -> bytes:
    return quantize_network(model, pictures, HOW, Wanted(effort="fast", ranges="minmax")).data


def answers(model: bytes, pictures: list[Picture]) -> np.ndarray:
    scorer = Scorer(model, HOW)
    return np.array([scorer.scores(picture.pixels) for picture in pictures])


def test_the_network_that_learns_is_the_network_that_runs(made: Path, pictures: list[Picture]) -> None:
    """As TensorFlow functions the float network answers as LiteRT does, and the int8 one's steps are LiteRT's."""
    np.save(made / "pictures.npy", np.stack([picture.pixels for picture in pictures[:10]]))
    for name in ("swish", "relu"):
        model = (made / f"{name}.tflite").read_bytes()
        (made / f"{name}_int8.tflite").write_bytes(quantised(model, pictures))
    run(COMPUTE, made, "swish", "relu")
    for name in ("swish", "relu"):
        exact = answers((made / f"{name}.tflite").read_bytes(), pictures[:10])
        assert np.load(made / f"{name}.npy") == pytest.approx(exact, abs=1e-5)
        off = np.load(made / f"{name}_off.npz")
        assert len(off.files) > 15
        for step in Graph((made / f"{name}_int8.tflite").read_bytes()).operations:
            if (index := str(step.outputs[0])) in off.files:
                # Halfway between two steps LiteRT's kernels that scale integers may choose the other one.
                assert off[index].max() < 1.01, (name, step)
                assert step.kind not in WEIGHTED or off[index].mean() < 0.03, (name, step)


@pytest.fixture(scope="module")
def before(made: Path, pictures: list[Picture]) -> bytes:
    """The network `relu`, quantised badly: every bias is off by a step or two of what its layer answers."""
    graph = Graph(quantised((made / "relu.tflite").read_bytes(), pictures))
    rng = np.random.default_rng(0)
    wrong: dict[int, np.ndarray] = {}
    for step in graph.operations:
        if step.kind in WEIGHTED:
            bias = graph.tensors[step.inputs[2]]
            one_step = graph.tensors[step.outputs[0]].scales[0] / np.array(bias.scales)
            wrong[step.inputs[2]] = (bias.constant() + rng.normal(0, 1.5, bias.shape) * one_step).astype(np.int32)
    return graph.with_constants(wrong)


@pytest.fixture(scope="module")
def tuned(made: Path, before: bytes, pictures: list[Picture]) -> tuning.Tuned:
    """What tuning makes of it."""
    return tuning.tune((made / "relu.tflite").read_bytes(), before, pictures, HOW, 0, blamed="relu", rounds=40)


def test_tuning_helps_on_photographs_it_has_not_seen(before: bytes, tuned: tuning.Tuned) -> None:
    """What was off is put right, in a file of the same operations, scales and size."""
    assert tuned.kept
    assert tuned.after < 0.5 * tuned.before
    assert (tuned.photographs, tuned.held_out) == (9, 1)
    old, new = Graph(before), Graph(tuned.model)
    assert new.operations == old.operations
    assert [(tensor.name, tensor.dtype, tensor.scales, tensor.zero_points) for tensor in new.tensors] == [
        (tensor.name, tensor.dtype, tensor.scales, tensor.zero_points) for tensor in old.tensors
    ]
    assert abs(len(tuned.model) - len(before)) < 2000


def test_the_same_inputs_and_seed_give_the_same_bytes(
    made: Path, before: bytes, tuned: tuning.Tuned, pictures: list[Picture]
) -> None:
    """Twice tuned is the same file, byte for byte."""
    assert tuning.tune((made / "relu.tflite").read_bytes(), before, pictures, HOW, 0, blamed="relu", rounds=40) == tuned


def test_what_does_not_help_is_not_kept(made: Path, pictures: list[Picture], monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the tuned network is not clearly better on the deciding photographs, the answer is the one as it was."""
    model = (made / "relu.tflite").read_bytes()
    good = quantised(model, pictures)
    task = tuning.tensorflow_task

    def astray(name: str, blamed: str, request: dict[str, object], files: dict[str, bytes], *, verbose: bool) -> object:
        """Teaches it on pictures normalised in another way than those that decide."""
        return task(name, blamed, {**request, "rounds": 10, "mean": 0.0, "std": 1.0}, files, verbose=verbose)

    monkeypatch.setattr(tuning, "tensorflow_task", astray)
    tuned = tuning.tune(model, good, pictures, HOW, 0, blamed="relu", rounds=40)
    assert not tuned.kept
    assert tuned.model == good


def test_an_operation_that_cannot_be_tuned_is_named(made: Path, pictures: list[Picture]) -> None:
    """The refusal says which operation it was and what to do instead; nothing else is done silently."""
    model = (made / "tanh.tflite").read_bytes()
    with pytest.raises(ModelFileError, match=r"tanh\.tflite: TANH cannot be tuned; use --effort normal"):
        tuning.tune(model, quantised(model, pictures), pictures, HOW, 0, blamed="tanh.tflite")


def test_without_tensorflow_the_remedy_is_named(
    made: Path, pictures: list[Picture], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only this effort needs TensorFlow, and says so."""
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(LabelcamError, match="tensorflow is not installed, and --effort max needs it"):
        tuning.tune(b"", b"", pictures, HOW, 0, blamed="x")


def test_the_photographs_that_decide_are_not_tuned_on() -> None:
    """One photograph in eight decides, one of three at least; of fewer, none can be spared."""
    paths = [Path(f"{number}.png") for number in range(17)]
    for count, spared in ((1, 0), (2, 0), (3, 1), (8, 1), (17, 2)):
        learning, deciding = tuning._divided([*paths[:count], *paths[:count]], 0)
        assert len(deciding) == spared
        assert sorted([*learning, *deciding]) == sorted(paths[:count])


def test_rounds_follow_the_size_of_the_network() -> None:
    """Twice the work, half the rounds, between two limits: the machine's speed has no say."""
    assert tuning.rounds_for(300_000_000) == 250
    assert tuning.rounds_for(600_000_000) == 125
    assert tuning.rounds_for(0) == 600
    assert tuning.rounds_for(10**11) == 60
