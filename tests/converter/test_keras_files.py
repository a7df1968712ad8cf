# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""What the worker finds out about a Keras file: its scaling, its end, or why it is no use. One process opens all."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

OPEN = """
import gc, json, sys
gc.disable()  # TensorFlow makes little garbage, and looking for it takes seconds
from pathlib import Path
import keras, numpy as np
from keras import layers
sys.path.insert(0, sys.argv[2])
from labelcam_converter.worker.export import opened
from labelcam_converter.worker.refusal import Refused
folder, told = Path(sys.argv[1]), {}

def ask(name, kind="file"):
    try:
        with opened({"kind": kind, "path": str(folder / name)}) as (_, facts):
            told[name] = facts
    except Refused as refused:
        told[name] = str(refused)

def tell(name, scale, end="softmax", size=(16, 16, 3), answers=3):
    seen = keras.Input(size)
    inner_in = keras.Input((None, None, 3))
    inner = keras.Model(inner_in, layers.GlobalAveragePooling2D()(layers.Conv2D(4, 3, name="c")(inner_in)))
    model = keras.Model(seen, layers.Dense(answers, activation=end)(layers.Dropout(0.1)(inner(scale(seen)))))
    model.save(folder / name)
    ask(name)
    return model

apps = keras.applications
normal = layers.Normalization(mean=[0.485, 0.456, 0.406], variance=[0.229**2, 0.224**2, 0.225**2])
tell("none.keras", lambda x: x)
tell("rescaling.keras", lambda x: layers.Rescaling(1 / 127.5, offset=-1)(layers.RandomFlip()(layers.Resizing(8, 8)(x))))
tell("rescaling.h5", lambda x: layers.Rescaling(1 / 255)(layers.RandomRotation(0.1)(x)))
tell("operators.keras", lambda x: x / 127.5 - 1)
tell("tf.keras", apps.mobilenet_v2.preprocess_input)
tell("torch.keras", lambda x: apps.imagenet_utils.preprocess_input(x, mode="torch"))
tell("caffe.keras", lambda x: apps.imagenet_utils.preprocess_input(x, mode="caffe"))
tell("normal_of_unit.keras", normal)
tell("nested.keras", lambda x: keras.Sequential([keras.Input((16, 16, 3)), layers.Rescaling(1 / 255)])(x))
tell("logits.keras", lambda x: x, end=None)
tell("independent.keras", lambda x: x, end="sigmoid")
tell("one.keras", lambda x: x, end="sigmoid", answers=1)
first = layers.BatchNormalization()
batch = tell("batch_norm.keras", lambda x: first(x))
first.set_weights([np.ones(3), np.zeros(3), np.full(3, 110.0), np.full(3, 3000.0)])
batch.save(folder / "batch_norm.keras")
ask("batch_norm.keras")
operators = keras.models.load_model(folder / "operators.keras")
operators.export(folder / "saved", verbose=False)
ask("saved", kind="saved_model")

tell("open_size.keras", lambda x: x, size=(None, None, 3))
rows = keras.Input((20, 10))
keras.Model(rows, layers.Dense(3)(layers.LSTM(4)(rows))).save(folder / "lstm.keras")
ask("lstm.keras")
picture = keras.Input((16, 16, 3))
flat = layers.Flatten()(picture)
keras.Model(picture, [layers.Dense(4)(flat), layers.Dense(2)(flat)]).save(folder / "detector.keras")
ask("detector.keras")
keras.Model(picture, layers.Dense(2)(layers.Lambda(lambda x: x * 2)(flat))).save(folder / "lambda.keras")
ask("lambda.keras")

class Mine(layers.Layer):
    def call(self, x):
        return x * 2

class Whole(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = layers.Dense(3)

    def call(self, x):
        return self.dense(keras.ops.mean(x, axis=(1, 2)))

for name in ("mine.keras", "mine.h5"):
    keras.Model(picture, layers.Dense(2)(Mine()(flat))).save(folder / name)
    ask(name)
whole = Whole()
whole(np.zeros((1, 16, 16, 3)))
whole.save(folder / "whole.keras")
ask("whole.keras")
operators.save_weights(folder / "only.weights.h5")
ask("only.weights.h5")
operators.save(folder / "operators.h5")
for name in ("operators.keras", "operators.h5"):
    data = (folder / name).read_bytes()
    (folder / f"cut_{name}").write_bytes(data[: len(data) - 1000])
    ask(f"cut_{name}")
keras.mixed_precision.set_dtype_policy("mixed_float16")
tell("mixed.keras", lambda x: layers.Rescaling(1 / 255)(x))
print(json.dumps(told))
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """By the name of a file: the facts about it, or the reason it was refused for."""
    folder = tmp_path_factory.mktemp("keras_files")
    script, converter = folder / "open.py", Path(__file__).parents[2] / "converter"
    script.write_text(OPEN)
    done = subprocess.run([sys.executable, script, folder, converter], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


@pytest.mark.parametrize(
    ("name", "black", "white"),
    [
        ("rescaling.keras", -1, 1),
        ("rescaling.h5", 0, 1),
        ("operators.keras", -1, 1),
        ("tf.keras", -1, 1),
        ("nested.keras", 0, 1),
        ("torch.keras", -1.986, 2.439),
        ("caffe.keras", -114.8, 140.2),
        ("normal_of_unit.keras", -1.986, 1126.6),
        ("batch_norm.keras", -2.008, 2.647),
        ("mixed.keras", 0, 1),
        ("saved", -1, 1),
    ],
)
def test_scaling_is_seen_wherever_it_stands(name: str, black: float, white: float, told: dict[str, Any]) -> None:
    """Behind augmentation, in a nested model, as operators, in a .h5, a SavedModel or a first batch norm."""
    assert told[name]["scaled"] == pytest.approx([black, white], abs=0.01, rel=0.01)


def test_no_scaling_is_seen_where_there_is_none(told: dict[str, Any]) -> None:
    """A network that begins with a convolution takes what it is fed."""
    assert told["none.keras"]["scaled"] is None


@pytest.mark.parametrize(
    ("name", "ending"),
    [("none.keras", None), ("logits.keras", "softmax"), ("independent.keras", "independent"), ("one.keras", "two")],
)
def test_the_end_is_told(name: str, ending: str | None, told: dict[str, Any]) -> None:
    """A softmax is left alone, logits get one, a single score becomes two."""
    assert told[name]["ending"] == ending


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("open_size.keras", "but a fixed [height, width, 3] is needed"),
        ("lstm.keras", "its input is [20, 10] a picture"),
        ("detector.keras", "has 2 outputs"),
        ("lambda.keras", "has a Lambda layer, which may run any code"),
        ("mine.keras", "whose code is not in the file"),
        ("mine.h5", "needs the layer or class Mine, whose code is not in the file"),
        ("whole.keras", "needs the layer or class Whole, whose code is not in the file"),
        ("only.weights.h5", "holds weights without a network"),
        ("cut_operators.keras", "was cut short"),
        ("cut_operators.h5", "was cut short"),
    ],
)
def test_what_cannot_be_opened_is_told_why(name: str, reason: str, told: dict[str, Any]) -> None:
    """One line with the remedy: no fixed size, no classifier, code that is not there, damage."""
    assert isinstance(told[name], str), told[name]
    assert reason in told[name]
    assert len(told[name].splitlines()) == 1
