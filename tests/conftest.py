# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""What all tests share: the `person` model built once a run by the real command, and honest skips."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import pytest

from absent import absent
from mosquitto import Broker, Observer
from once import Shared

SHARED = Path(__file__).parents[2] / "shared" / "data"


hypothesis.settings.register_profile("unhurried", deadline=None)  # a busy machine refutes nothing
hypothesis.settings.load_profile("unhurried")


def pytest_configure() -> None:
    """Let children hear Ctrl-C: a shell has what it starts in the background ignore it, and children inherit that."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest chain; tests that wait for a clock run beside it, those that compute come last."""
    turns = {"test_docs.py": 0, "device": 1}
    items.sort(key=lambda item: turns.get(item.path.name, turns.get(item.path.parent.name, 2)))


def convert(*arguments: object, check: bool = True) -> "subprocess.CompletedProcess[str]":
    """Run the real `labelcam-convert` in a process of its own."""
    command = [sys.executable, "-m", "labelcam_converter", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=check, timeout=600)


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Shared:
    """The maker of folders that all workers of this run have in common."""
    return Shared(tmp_path_factory)


@pytest.fixture(scope="session")
def person_model(shared: Shared) -> Path:
    """The zoo's `person`, converted once a run."""
    name = "person.tflite"
    return (
        shared.folder("person_model", lambda folder: convert("build", "--model", "person", "-o", folder / name)) / name
    )


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real models and photographs beside this project, which a stranger's clone has not."""
    if not SHARED.is_dir():
        pytest.skip("../shared/data is not here: real ImageNet models and photographs are not part of the project")
    return SHARED


@pytest.fixture(scope="session")
def need_tool() -> Callable[..., str]:
    """Return the path of a program, or skip with the line that installs it (fail under LABELCAM_REQUIRE_ALL)."""

    def need(program: str, package: str) -> str:
        found = shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
        return found or absent(f"{program} is not here: sudo apt-get install {package}")

    return need


@pytest.fixture
def broker(need_tool: Callable[..., str], tmp_path: Path) -> Iterator[Broker]:
    found = Broker(need_tool("mosquitto", "mosquitto"), tmp_path)
    yield found
    found.stop()


@pytest.fixture
def observe() -> Iterator[Callable[..., Observer]]:
    observers: list[Observer] = []

    def begin(port: int, **login: str) -> Observer:
        observers.append(Observer(port, **login))
        return observers[-1]

    yield begin
    for observer in observers:
        observer.close()
