# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""A virtual Pi that has been flashed once, by the real command over SSH; each test begins from that very moment.

Each of pytest's workers goes on from there with one of its own. SUITE=trixie makes them Debian 13.

Not part of `make test`: these tests run where their folder is named, as `make test-pi` does.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from absent import absent
from broker import broker
from first_flash import LAYER, SETTINGS_FILE, SNAPSHOT, flash_first, said
from flashed import PLAYED, Flashed
from image import image
from machine import machine
from measured import Measured
from needs import lacking
from once import Shared

HERE = Path(__file__).parent

_measured = pytest.StashKey[Measured]()


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave these tests alone unless they are asked for by name."""
    named = any(Path(arg.split("::")[0]).resolve().is_relative_to(HERE) for arg in config.args)
    return None if named else True


def pytest_configure(config: pytest.Config) -> None:
    """Have a place for what is measured."""
    config.stash[_measured] = Measured()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand what a worker has measured to the process that reports."""
    if output := getattr(session.config, "workeroutput", None):
        output["measured"] = session.config.stash[_measured].lines


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take what a worker has measured."""
    node.config.stash[_measured].lines += getattr(node, "workeroutput", {}).get("measured", [])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Show what was measured."""
    for line in config.stash[_measured].lines:
        terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def measured(pytestconfig: pytest.Config) -> Measured:
    """The account of what took how long."""
    return pytestconfig.stash[_measured]


@pytest.fixture(scope="session")
def flashed(
    tmp_path_factory: pytest.TempPathFactory, shared: Shared, person_model: Path, measured: Measured
) -> Iterator[Flashed]:
    """A Pi right after its first flash."""
    if why := lacking():
        absent(why)
    # A path with what a shell would trip over.
    first = shared.folder("the pi's $folder", lambda folder: flash_first(folder, person_model, measured))
    own = tmp_path_factory.mktemp("a pi's $folder")
    with broker(own) as listening, machine(image(), own / "machine", first / LAYER) as pi:
        yield Flashed(pi, listening, person_model, first / SETTINGS_FILE, said(first))


@pytest.fixture
def pi(flashed: Flashed) -> Flashed:
    """The same Pi as it was right after its first flash."""
    return _again(flashed, SNAPSHOT)


@pytest.fixture(scope="module")
def watching(flashed: Flashed) -> Flashed:
    """The same Pi with its settings changed to a real Video4Linux camera, the kernel's own vivid."""
    _again(flashed, SNAPSHOT)
    # An emulated processor is slow enough with two frames a second.
    text = flashed.settings.read_text().replace(PLAYED, "v4l2:/dev/video0") + "[limits]\nmax_fps = 2\n"
    done = flashed.flash(text)
    assert done.exit_code == 0, done.err + done.out
    flashed.machine.snapshot("watching")
    return flashed


@pytest.fixture
def camera_pi(watching: Flashed) -> Flashed:
    """That Pi as it was when it had just been given a camera."""
    return _again(watching, "watching")


def _again(flashed: Flashed, snapshot: str) -> Flashed:
    flashed.machine.power_cut()
    flashed.machine.power_on(snapshot)
    return flashed
