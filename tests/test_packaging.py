# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""What is shipped: the wheel, the pinned versions, and how much of a Pi's card they take."""

import ast
import email.message
import email.parser
import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Callable, Iterator
from configparser import ConfigParser
from pathlib import Path

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement

import labelcam
from absent import absent

ROOT = Path(__file__).parents[1]
PACKAGES = {"labelcam": ROOT / "device", "labelcam_converter": ROOT / "converter"}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

PIS = {"bookworm": "3.11", "trixie": "3.13"}
"""The systems that a Pi runs, each with its Python."""

GLIBC_MINOR = {"bookworm": 36, "trixie": 41}

LIMIT_BYTES = 300e6
"""Of unpacked wheels on a Pi."""

HOST_ONLY = ("tensorflow", "keras", "litert_quantizer", "labelcam_converter", "skimage")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[zipfile.ZipFile]:
    """The wheel of this very tree, built as `pip install .` would, without asking the index."""
    folder = tmp_path_factory.mktemp("wheel")
    pip("wheel", "--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", str(folder), str(ROOT))
    (path,) = folder.glob("*.whl")
    with zipfile.ZipFile(path) as archive:
        yield archive


def pip(*arguments: str) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    if done.returncode and index_is_away(done.stderr):
        absent("the package index cannot be reached: connect this machine, or name a mirror in PIP_INDEX_URL")
    assert done.returncode == 0, done.stderr


def index_is_away(stderr: str) -> bool:
    """Whether pip failed for want of a connection, which is no verdict on our pins."""
    return any(
        sign in stderr for sign in ("connection broken", "connection error", "Max retries exceeded", "ReadTimeout")
    )


def metadata_folder(wheel: zipfile.ZipFile) -> str:
    (folder,) = {name.split("/")[0] for name in wheel.namelist() if ".dist-info/" in name}
    return folder


def metadata(wheel: zipfile.ZipFile) -> email.message.Message:
    return email.parser.BytesParser().parsebytes(wheel.read(f"{metadata_folder(wheel)}/METADATA"))


def sources() -> set[str]:
    """Every file of the two packages, as the wheel should name it."""
    return {
        path.relative_to(home).as_posix()
        for package, home in PACKAGES.items()
        for path in (home / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_the_wheel_holds_the_two_packages_and_nothing_else(wheel: zipfile.ZipFile) -> None:
    """No tests, no documents, no data: what is in the two packages' folders is what is shipped."""
    folder = metadata_folder(wheel)
    ours = {name for name in wheel.namelist() if not name.startswith(folder)}
    assert ours == sources()
    assert {"labelcam/labelcam.toml", "labelcam/py.typed"} <= ours


def test_the_wheel_is_small(wheel: zipfile.ZipFile) -> None:
    """No model, photograph or weight file slips into it."""
    assert sum(entry.file_size for entry in wheel.infolist()) < 2e6
    ours = {".py", ".toml", ".typed", ".js", ".css", ".html", ".svg", ".json", ".txt"}
    assert {Path(name).suffix for name in sources()} <= ours


def test_the_wheel_carries_the_licences(wheel: zipfile.ZipFile) -> None:
    """Both licence files travel with the code."""
    folder = metadata_folder(wheel)
    beside = {name.removeprefix(f"{folder}/") for name in wheel.namelist() if name.startswith(folder)}
    assert beside == {"METADATA", "WHEEL", "RECORD", "entry_points.txt", "licenses/LICENSE", "licenses/NOTICE"}
    for name in ("LICENSE", "NOTICE"):
        assert wheel.read(f"{folder}/licenses/{name}") == (ROOT / name).read_bytes()


def test_there_is_one_version(wheel: zipfile.ZipFile) -> None:
    """The wheel, the package and the command line name the same version."""
    assert metadata(wheel)["Version"] == labelcam.__version__
    shown = subprocess.run([sys.executable, "-m", "labelcam", "--version"], capture_output=True, text=True, check=True)
    assert shown.stdout == f"labelcam {labelcam.__version__}\n"


def test_the_wheel_brings_two_commands(wheel: zipfile.ZipFile) -> None:
    """Installing it gives `labelcam` and `labelcam-convert`."""
    scripts = ConfigParser(delimiters=["="])
    scripts.read_string(wheel.read(f"{metadata_folder(wheel)}/entry_points.txt").decode())
    assert dict(scripts["console_scripts"]) == {
        "labelcam": "labelcam.cli:main",
        "labelcam-convert": "labelcam_converter.cli:main",
    }


def test_without_extras_only_the_device_side_is_asked_for(wheel: zipfile.ZipFile) -> None:
    """`pip install labelcam` on a Pi asks for no TensorFlow, nor for anything else of the host."""
    everything = [Requirement(text) for text in metadata(wheel).get_all("Requires-Dist", [])]
    device = {one.name for one in everything if one.marker is None or one.marker.evaluate({"extra": ""})}
    assert device == {Requirement(text).name for text in PROJECT["dependencies"]}
    assert not device & {"tensorflow", "tensorflow-cpu", "keras", "litert-quantizer", "scikit-image"}


def test_the_device_side_imports_nothing_of_the_host() -> None:
    """Every module of the device can be imported, and none brings TensorFlow, Keras or the converter along."""
    program = f"""
import importlib, pkgutil, sys
import labelcam
for module in pkgutil.walk_packages(labelcam.__path__, "labelcam."):
    if not module.name.endswith(".__main__"):
        importlib.import_module(module.name)
print(*sorted({{name.partition(".")[0] for name in sys.modules}} & set({HOST_ONLY!r})))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stderr


def test_nothing_imports_systemd() -> None:
    """In a clone `import systemd` succeeds: it finds our folder of unit files as a namespace package."""
    for name in sources():
        if name.endswith(".py"):
            assert "systemd" not in set(imported(PACKAGES[name.split("/")[0]] / name)), name


def imported(path: Path) -> Iterator[str]:
    """The top-level packages that a file imports."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            yield node.module.partition(".")[0]


def pins(system: str) -> list[tuple[Requirement, int]]:
    """Each requirement of a constraints file, with the number of its hashes."""
    text = (ROOT / "constraints" / f"{system}.txt").read_text()
    joined = re.sub(r"^\s*#.*$\n?", "", text, flags=re.MULTILINE).replace("\\\n", " ")
    lines = [line for line in joined.splitlines() if line.strip()]
    return [(Requirement(line.split("--hash=")[0].strip()), line.count("--hash=sha256:")) for line in lines]


@pytest.mark.parametrize("system", ["host", *PIS])
def test_every_pin_is_exact_and_has_its_hashes(system: str) -> None:
    """What is installed is what was tested, byte for byte."""
    found = pins(system)
    assert found
    for requirement, hashes in found:
        assert [one.operator for one in requirement.specifier] == ["=="], requirement
        assert hashes > 0, requirement


@pytest.mark.parametrize("system", PIS)
def test_a_pi_installs_every_dependency_in_a_version_we_allow(system: str) -> None:
    """Nothing that the device side asks for is left to the index on the day of the installation."""
    pinned = {requirement.name: version_of(requirement) for requirement, _ in pins(system)}
    for wanted in map(Requirement, PROJECT["dependencies"]):
        assert wanted.name in pinned, wanted
        assert wanted.specifier.contains(pinned[wanted.name]), (wanted, pinned[wanted.name])
    assert not set(pinned) & {"tensorflow", "tensorflow-cpu", "keras", "litert-quantizer", "scikit-image", "hatchling"}


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_the_host_installs_every_dependency_in_a_version_we_allow(machine: str) -> None:
    """The extras and what builds our wheel are pinned as well, for both machines TensorFlow has wheels for."""
    here = {**default_environment(), "platform_machine": machine}
    pinned = {one.name: version_of(one) for one, _ in pins("host") if one.marker is None or one.marker.evaluate(here)}
    extras = PROJECT["optional-dependencies"]
    for wanted in map(Requirement, PROJECT["dependencies"] + extras["converter"] + extras["dev"]):
        if wanted.name != "labelcam" and (wanted.marker is None or wanted.marker.evaluate(here)):
            assert wanted.name in pinned, wanted
            assert wanted.specifier.contains(pinned[wanted.name]), (wanted, pinned[wanted.name])
    assert {"hatchling", "editables"} <= set(pinned)


def version_of(pin: Requirement) -> str:
    (only,) = pin.specifier
    return only.version


def test_bookworm_keeps_to_what_its_own_picamera2_can_bear() -> None:
    """The picamera2 that apt has there is built for numpy 1, which OpenCV from 4.12 on no longer takes."""
    pinned = {requirement.name: version_of(requirement) for requirement, _ in pins("bookworm")}
    assert int(pinned["numpy"].split(".")[0]) < 2
    assert tuple(map(int, pinned["opencv-python-headless"].split(".")[:2])) < (4, 12)


@pytest.mark.parametrize("system", PIS)
def test_a_pi_finds_every_wheel_and_room_for_it(system: str, tmp_path: Path) -> None:
    """Each pin has an aarch64 wheel, and all of them unpacked take less than 300 MB of the card."""
    python = PIS[system]
    tags = [f"--platform=manylinux_2_{minor}_aarch64" for minor in range(17, GLIBC_MINOR[system] + 1)]
    abis = [f"--abi={abi}" for abi in (f"cp{python.replace('.', '')}", "abi3", "none")]
    pip(
        *("download", "--require-hashes", "--no-deps", "--only-binary=:all:", "--retries=1", "--dest", str(tmp_path)),
        *("--platform=manylinux2014_aarch64", *tags, "--implementation=cp", f"--python-version={python}", *abis),
        *("--requirement", str(ROOT / "constraints" / f"{system}.txt")),
    )
    wheels = sorted(tmp_path.glob("*.whl"))
    assert len(wheels) == len(pins(system))
    sizes = {path.name: unpacked_bytes(path) for path in wheels}
    assert sum(sizes.values()) < LIMIT_BYTES, sizes


def unpacked_bytes(path: Path) -> int:
    with zipfile.ZipFile(path) as archive:
        return sum(entry.file_size for entry in archive.infolist())


def test_make_alone_prints_help(need_tool: Callable[..., str]) -> None:
    """A newcomer who types `make` reads what there is, and nothing is installed."""
    make = need_tool("make", "make")
    done = subprocess.run([make], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for target in ("demo", "test", "bench"):
        assert f"make {target} " in done.stdout
