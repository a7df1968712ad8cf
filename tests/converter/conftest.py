# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""What the converter's tests share: tiny real networks made by Keras, images, and the real command."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

Convert = Callable[..., "subprocess.CompletedProcess[str]"]

MAKE_NETWORKS = '''
import json, sys
from pathlib import Path
import h5py, keras, numpy as np
from keras import layers
folder = Path(sys.argv[1])

def colours(dead=False, nested=False, end="softmax"):
    """Says which of red, green and blue a picture has most of; `dead`: blue needs a channel that has only a bias."""
    channels = 4 if dead else 3
    body_in = keras.Input((32, 32, 3))
    body_out = layers.Conv2D(channels, 1, activation="relu", name="pick")(body_in)
    body_out = layers.DepthwiseConv2D(3, padding="same", strides=2, name="smooth")(body_out)
    if nested:
        seen, body = keras.Input((32, 32, 3)), keras.Model(body_in, body_out)
        turned = keras.Sequential([layers.RandomFlip("horizontal"), layers.RandomRotation(0.1)])(seen)
        x = body(layers.Rescaling(1 / 127.5, offset=-1)(turned))  # the order of Keras' own tutorial
    else:
        seen, x = body_in, body_out
    x = layers.Dropout(0.5)(layers.GlobalAveragePooling2D()(x))
    model = keras.Model(seen, layers.Dense(3, activation=end, name="say")(x))
    inner = body if nested else model
    pick = np.zeros((1, 1, 3, channels), np.float32)
    pick[0, 0, range(3), range(3)] = 1
    bias = np.ones(channels, np.float32)
    say = np.zeros((channels, 3), np.float32)
    say[range(3), range(3)] = 8
    if dead:
        pick[..., 3] = 1e-12
        bias[3], say[3, 2] = 0.9, 4.0
    inner.get_layer("pick").set_weights([pick, bias])
    smooth = np.full((3, 3, channels, 1), 1 / 9, np.float32)
    inner.get_layer("smooth").set_weights([smooth, np.zeros(channels, np.float32)])
    model.get_layer("say").set_weights([say, np.zeros(3, np.float32)])
    return model

colours().save(folder / "colours.keras")
colours(dead=True).save(folder / "dead.keras")
colours(nested=True).save(folder / "nested.keras")
colours().save(folder / "legacy.h5")
with h5py.File(folder / "legacy.h5", "r+") as file:  # as Keras 2 wrote it
    config = json.loads(file.attrs["model_config"])
    for layer in config["config"]["layers"]:
        if layer["class_name"] == "DepthwiseConv2D":
            layer["config"]["groups"] = 1
    file.attrs["model_config"] = json.dumps(config)
one, two = keras.Input((32, 32, 3)), keras.Input((32, 32, 3))
both = layers.Dense(2)(layers.GlobalAveragePooling2D()(layers.Add()([one, two])))
keras.Model([one, two], both).save(folder / "two_inputs.keras")
flat = keras.Input((10,))
keras.Model(flat, layers.Dense(2)(flat)).save(folder / "wrong_rank.keras")
picture = keras.Input((32, 32, 3))
keras.Model(picture, layers.Conv2D(4, 3)(picture)).save(folder / "no_classifier.keras")

import functools, tensorflow as tf
sys.path.insert(0, sys.argv[2])
from labelcam_converter.worker.export import export, read_network
colours(end="linear").save(folder / "logits.keras")
for name in ("colours", "dead", "nested", "logits"):
    (folder / f"{name}.tflite").write_bytes(export(read_network(str(folder / f"{name}.keras"))))
colours().export(folder / "saved_model", verbose=False)
for name in ("two_inputs", "wrong_rank", "no_classifier"):
    model = keras.models.load_model(folder / f"{name}.keras")
    specs = [tf.TensorSpec([1, *tensor.shape[1:]], tf.float32) for tensor in model.inputs]
    run = (lambda *tensors: model(list(tensors))) if len(specs) > 1 else model
    function = tf.function(run, input_signature=specs)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function.get_concrete_function()], model)
    (folder / f"{name}.tflite").write_bytes(converter.convert())
'''


@pytest.fixture(scope="session")
def networks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of tiny networks: colours (.keras, .tflite, saved_model), legacy.h5, nested, dead, and unfit ones."""
    folder = tmp_path_factory.mktemp("networks")
    script = folder / "make.py"
    script.write_text(MAKE_NETWORKS)
    converter = Path(__file__).parents[2] / "converter"
    done = subprocess.run([sys.executable, script, folder, converter], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    (folder / "rgb.txt").write_text("red\ngreen\nblue\n")
    return folder


@pytest.fixture
def convert(tmp_path: Path) -> Convert:
    """Run the real `labelcam-convert` to its end, in a folder of its own; its temporary files go to `tmp_path`/tmp."""
    (tmp_path / "work").mkdir()
    (tmp_path / "tmp").mkdir()

    def run(*arguments: object, **environment: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "labelcam_converter", *map(str, arguments)]
        env = {**os.environ, "TMPDIR": str(tmp_path / "tmp"), **environment}
        return subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=300, env=env, cwd=tmp_path / "work"
        )

    return run


@pytest.fixture
def left_behind(tmp_path: Path) -> Callable[[], list[str]]:
    """The files that runs of `convert` left in their working and temporary folders."""
    return lambda: sorted(path.name for name in ("work", "tmp") for path in (tmp_path / name).rglob("*"))


@pytest.fixture(scope="session")
def the_error() -> Callable[["subprocess.CompletedProcess[str]"], str]:
    """Check that a command failed with exactly one line of ours and no traceback, and return that line."""

    def find(done: "subprocess.CompletedProcess[str]") -> str:
        assert done.returncode != 0, done.stderr
        assert "Traceback" not in done.stderr, done.stderr
        lines = [line for line in done.stderr.splitlines() if line.startswith("labelcam-convert: ")]
        assert len(lines) == 1, done.stderr
        assert done.stderr.rstrip().endswith(lines[0]), done.stderr
        return lines[0]

    return find


@pytest.fixture(scope="session")
def colour_images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of 24 plain pictures, eight of each colour, named red_0.png and so on."""
    folder = tmp_path_factory.mktemp("colours")
    rng = np.random.default_rng(0)
    for number in range(24):
        channel = number % 3
        pixels = rng.integers(0, 100, (48, 64, 3)).astype(np.uint8)
        pixels[..., channel] += 120
        name = ("red", "green", "blue")[channel]
        cv2.imwrite(str(folder / f"{name}_{number // 3}.png"), pixels[..., ::-1])
    return folder


@pytest.fixture(scope="session")
def grey_images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of 180 pictures that are so grey that int8 and float cannot always agree on their colour."""
    folder = tmp_path_factory.mktemp("greys")
    rng = np.random.default_rng(0)
    for number in range(180):
        base = rng.integers(20, 230)
        pixels = np.full((32, 32, 3), base, np.uint8)
        pixels[:8] += rng.integers(0, 3, 3).astype(np.uint8)
        cv2.imwrite(str(folder / f"{number:03}.png"), pixels)
    return folder
