# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""What the device tests share: tiny real networks made by script, the real command in a process of its own."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from absent import absent
from edgetpu_library import Stick, compile_library
from edgetpu_stand_in import wrapped
from labelcam.classifier import Classifier
from labelcam.images import Pixels, encode_png
from labelcam.model_file import (
    FRAME,
    LABELS,
    MANIFEST,
    PREPARED,
    SCORES,
    TWIN,
    Manifest,
    ModelFile,
    Origin,
    manifest_to_json,
)
from labelcam.preprocess import Preprocess, Size, fit_image
from pictures_on_disk import write_png

TYPES = {"uint8": schema.TensorType.UINT8, "int8": schema.TensorType.INT8, "float32": schema.TensorType.FLOAT32}
QUANTISATION = {"uint8": (1 / 255, 0), "int8": (1 / 255, -128), "float32": None}
MEAN, ADD = schema.BuiltinOperator.MEAN, schema.BuiltinOperator.ADD
COLOURS = {"red": (250, 30, 20), "green": (20, 250, 30), "blue": (30, 20, 250)}


class Graph:
    """A TFLite graph in the making."""

    def __init__(self, dtype: str, quantisation: tuple[float, int] | None) -> None:
        self.dtype, self.quantisation = dtype, quantisation
        self.buffers = [schema.BufferT()]
        self.graph = schema.SubGraphT()
        self.graph.tensors, self.graph.operators, self.graph.inputs, self.graph.outputs = [], [], [], []

    def tensor(self, shape: tuple[int, ...]) -> int:
        """Add a tensor and return its index."""
        tensor = schema.TensorT()
        tensor.shape, tensor.type, tensor.buffer = list(shape), TYPES[self.dtype], 0
        tensor.name = f"tensor_{len(self.graph.tensors)}"
        if self.quantisation:
            tensor.quantization = schema.QuantizationParametersT()
            tensor.quantization.scale, tensor.quantization.zeroPoint = [self.quantisation[0]], [self.quantisation[1]]
        self.graph.tensors.append(tensor)
        return len(self.graph.tensors) - 1

    def constant(self, values: list[int]) -> int:
        """Add a constant of 32-bit integers and return its index."""
        buffer, tensor = schema.BufferT(), schema.TensorT()
        buffer.data = np.frombuffer(np.array(values, np.int32).tobytes(), np.uint8)
        tensor.shape, tensor.type, tensor.buffer = [len(values)], schema.TensorType.INT32, len(self.buffers)
        tensor.name = f"constant_{len(self.graph.tensors)}"
        self.buffers.append(buffer)
        self.graph.tensors.append(tensor)
        return len(self.graph.tensors) - 1

    def operator(self, code: int, inputs: list[int], shape: tuple[int, ...]) -> int:
        """Add an operation and return the index of its result."""
        operator = schema.OperatorT()
        operator.opcodeIndex = (MEAN, ADD).index(code)
        operator.inputs, operator.outputs = inputs, [self.tensor(shape)]
        if code == MEAN:
            operator.builtinOptionsType = schema.BuiltinOptions.ReducerOptions
            operator.builtinOptions = schema.ReducerOptionsT()
        else:
            operator.builtinOptionsType = schema.BuiltinOptions.AddOptions
            operator.builtinOptions = schema.AddOptionsT()
        self.graph.operators.append(operator)
        return int(operator.outputs[0])

    def packed(self) -> bytes:
        """Return the flatbuffer."""
        model = schema.ModelT()
        model.version, model.buffers, model.subgraphs, model.operatorCodes = 3, self.buffers, [self.graph], []
        for code in (MEAN, ADD):
            entry = schema.OperatorCodeT()
            entry.builtinCode = entry.deprecatedBuiltinCode = code
            entry.version = 2 if self.quantisation else 1
            model.operatorCodes.append(entry)
        builder = flatbuffers.Builder(1024)
        builder.Finish(model.Pack(builder), b"TFL3")
        return bytes(builder.Output())


def toy_network(
    dtype: str = "uint8",
    size: Size = Size(8, 6),  # noqa: B008, an immutable tuple
    *,
    batch: int = 1,
    inputs: int = 1,
    outputs: int = 1,
    quantisation: tuple[float, int] | None = None,
    shape: tuple[int, ...] | None = None,
    declares_labels: bool = False,
) -> bytes:
    """Return a network that answers with the mean of each colour channel: what is red, it calls red."""
    graph = Graph(dtype, quantisation or QUANTISATION[dtype])
    if declares_labels:  # as the TFLite Metadata of a file does that has its labels packed behind it
        graph.buffers.append(schema.BufferT())
        graph.buffers[-1].data = np.frombuffer(b"\x08\0\0\0M001", np.uint8)
    shape = shape or (batch, size.height, size.width, 3)
    axes = list(range(1, len(shape) - 1))
    graph.graph.inputs = [graph.tensor(shape) for _ in range(inputs)]
    seen = graph.graph.inputs[0]
    for other in graph.graph.inputs[1:]:
        seen = graph.operator(ADD, [seen, other], shape)
    answer = (shape[0], shape[-1])
    for _ in range(outputs):
        graph.graph.outputs.append(
            graph.operator(MEAN, [seen, graph.constant(axes)], answer)
            if axes
            else graph.operator(ADD, [seen, seen], shape)
        )
    return graph.packed()


@pytest.fixture(scope="session")
def toy() -> Callable[..., bytes]:
    """The maker of tiny networks; see `toy_network`."""
    return toy_network


def append_zip(flatbuffer: bytes, entries: Mapping[str, str | bytes], path: Path) -> Path:
    """Write a flatbuffer with a zip of stored entries behind it, as the model-file contract has it."""
    path.write_bytes(flatbuffer)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_STORED) as archive:
        for name, data in sorted(entries.items()):
            archive.writestr(zipfile.ZipInfo(name), data)
    return path


@pytest.fixture(scope="session")
def pack() -> Callable[[bytes, Mapping[str, str | bytes], Path], Path]:
    """The writer of flatbuffers with a zip behind them; see `append_zip`."""
    return append_zip


def manifest_for(flatbuffer: bytes, **changes: Any) -> Manifest:
    """Return the manifest of a toy network."""
    origin = Origin("made by a test", "0" * 64, "Apache-2.0")
    manifest = Manifest(
        name="colours",
        architecture="mean",
        alpha=None,
        input=Size(8, 6),
        preprocess=Preprocess(mean=0.0, std=255.0),
        scheme="full-integer uint8",
        weights=origin,
        labels=origin,
        flatbuffer_sha256=hashlib.sha256(flatbuffer).hexdigest(),
    )
    return replace(manifest, **changes)


@pytest.fixture(scope="session")
def manifest_of() -> Callable[..., Manifest]:
    """The maker of toy manifests; see `manifest_for`."""
    return manifest_for


def plain(path: Path, pixels: Pixels) -> Path:
    """Write an image file, its folder too."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_png(path, pixels)
    return path


def entries_for(flatbuffer: bytes, scratch: Path) -> dict[str, str | bytes]:
    """Return everything that a whole model file of the toy network holds, goldens measured on this machine."""
    scratch.write_bytes(toy_network())
    classifier = Classifier(ModelFile.load(scratch))
    manifest = manifest_for(flatbuffer)
    entries: dict[str, str | bytes] = {LABELS: "red\ngreen\nblue\n", MANIFEST: manifest_to_json(manifest)}
    scores = {}
    for name, colour in COLOURS.items():
        pixels = np.full((6, 8, 3), colour, np.uint8)
        prepared = classifier.input_array()
        classifier.encode(pixels, prepared)
        entries[f"golden/{name}.png"] = encode_png(pixels)
        scores[f"{name}.png"] = [float(score) for score in classifier.scores(prepared)]
    frame = np.random.default_rng(1).integers(0, 256, (36, 48, 3), np.uint8)
    entries[FRAME] = encode_png(frame)
    entries[PREPARED] = encode_png(fit_image(frame, manifest.input, manifest.preprocess))
    entries[SCORES] = json.dumps(scores)
    return entries


@pytest.fixture(scope="session")
def colour_entries(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str | bytes]:
    """The zip entries of the toy model file."""
    return entries_for(toy_network(declares_labels=True), tmp_path_factory.mktemp("toy") / "scratch.tflite")


@pytest.fixture(scope="session")
def colours(tmp_path_factory: pytest.TempPathFactory, colour_entries: dict[str, str | bytes]) -> Path:
    """A whole model file, manifest and goldens and all, that tells red from green from blue on 8x6 pixels."""
    return append_zip(
        toy_network(declares_labels=True), colour_entries, tmp_path_factory.mktemp("toy") / "colours.tflite"
    )


@pytest.fixture
def compiled(colour_entries: Mapping[str, str | bytes], tmp_path: Path) -> Callable[..., Path]:
    """Write the toy model file in the form that is compiled for the Edge TPU, with the twin that is given."""

    def write(twin: bytes | None = None, told: bytes | None = None) -> Path:
        network = toy_network(declares_labels=True)
        flatbuffer, twin = wrapped(network), network if twin is None else twin
        sha256 = hashlib.sha256(told or twin).hexdigest()
        manifest = manifest_to_json(manifest_for(flatbuffer, twin_sha256=sha256, edgetpu={"mapped": 1}))
        entries = {**colour_entries, MANIFEST: manifest, **({TWIN: twin} if twin else {})}
        return append_zip(flatbuffer, entries, tmp_path / "colours_edgetpu.tflite")

    return write


@pytest.fixture(scope="session")
def edgetpu_library(tmp_path_factory: pytest.TempPathFactory, need_tool: Callable[..., str]) -> Path:
    """What stands in for libedgetpu.so.1, compiled."""
    return compile_library(need_tool("gcc", "gcc"), tmp_path_factory.mktemp("edgetpu"))


@pytest.fixture
def stick(edgetpu_library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stick:
    """An Edge TPU that works until it is told otherwise."""
    told = tmp_path / "behaviour"
    monkeypatch.setenv("STAND_IN_DELEGATE", str(told))
    return Stick(edgetpu_library, told, tmp_path / "usb", tmp_path / "nodes")


@pytest.fixture(scope="session")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of three pictures: 1_red.png, 2_green.png, 3_blue.png."""
    folder = tmp_path_factory.mktemp("photographs")
    for number, (name, colour) in enumerate(COLOURS.items(), 1):
        plain(folder / f"{number}_{name}.png", np.full((48, 64, 3), colour, np.uint8))
    return folder


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate for 127.0.0.1, with its key in the same file."""
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", path, "-out", f"{path}.crt"]
    more = ["-days", "2", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    try:
        subprocess.run([*command, *more], check=True, capture_output=True)
    except FileNotFoundError:
        absent("openssl is not here: sudo apt-get install openssl")
    path.write_text(path.read_text() + Path(f"{path}.crt").read_text())
    return path


Labelcam = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """An environment in which this machine's own settings and service manager are out of reach."""
    hidden = (
        "NOTIFY_SOCKET",
        "JOURNAL_STREAM",
        "WATCHDOG_USEC",
        "LABELCAM_DEBUG",
        "LABELCAM_MQTT_PASSWORD",
        "LABELCAM_HTTP_TOKEN",
        "LABELCAM_WEBHOOK_TOKEN",
        "CREDENTIALS_DIRECTORY",
        "PYTHONUNBUFFERED",
    )
    kept = {name: value for name, value in os.environ.items() if name not in hidden}
    return kept | {"XDG_CONFIG_HOME": str(tmp_path / "no-settings")}


@pytest.fixture
def labelcam(environment: dict[str, str]) -> Labelcam:
    """Run the real `labelcam` in a process of its own, to its end."""

    def run(*arguments: object, **options: Any) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "labelcam", *map(str, arguments)]
        settings = {"capture_output": True, "text": True, "timeout": 60, "check": False, "env": environment}
        return subprocess.run(command, **(settings | options))

    return run


@pytest.fixture
def start(environment: dict[str, str]) -> Iterator[Callable[..., "subprocess.Popen[str]"]]:
    """Start the real `labelcam` in a process of its own, which the end of the test ends."""
    with ExitStack() as stack:

        def begin(*arguments: object, env: Mapping[str, str] | None = None, **options: Any) -> "subprocess.Popen[str]":
            command = [sys.executable, "-m", "labelcam", *map(str, arguments)]
            streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
            process = subprocess.Popen(command, env=environment | dict(env or {}), **(streams | options))
            stack.callback(_end, process)
            return process

        yield begin


def _end(process: "subprocess.Popen[str]") -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGKILL)
    process.communicate()


@pytest.fixture(scope="session")
def the_error() -> Callable[[str], str]:
    """Check that a command's stderr holds exactly one error of ours and nothing but log lines beside it."""

    def find(stderr: str) -> str:
        lines = [line for line in stderr.splitlines() if not line.startswith(("INFO ", "WARNING "))]
        assert len(lines) == 1, stderr
        assert lines[0].startswith("labelcam: "), stderr
        return lines[0]

    return find
