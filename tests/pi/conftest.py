# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""A virtual Pi that has been flashed once, by the real command over SSH; each test begins from that very moment.

Each of pytest's workers has one of its own; SUITE=trixie makes them Debian 13.

Not part of `make test`: these tests run where their folder is named, as `make test-pi` does.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from absent import absent
from broker import broker
from cutting import cutting
from flashed import PHOTOS, PLAYED, Flashed, make
from image import image
from labelcam.images import encode_png
from machine import Machine, machine
from measured import Measured
from needs import lacking

HERE = Path(__file__).parent

SETTINGS = f"""\
# A test's settings: it's "quoted"
[camera]
source = "{PLAYED}"

[mqtt]
host = "127.0.0.1"
port = {{port}}
node = "pi"
"""

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
def flashed(tmp_path_factory: pytest.TempPathFactory, person_model: Path, measured: Measured) -> Iterator[Flashed]:
    """A Pi without internet, with its clock in 1970, flashed while the network breaks in the middle of the copy."""
    if why := lacking():
        absent(why)
    # A path with what a shell would trip over.
    folder = tmp_path_factory.mktemp("the pi's $folder")
    with measured("the image, built or found"):
        built = image()
    with broker(folder) as listening, machine(built, folder / "machine") as pi:
        with measured("boot, until SSH answers"):
            pi.power_on()
        _be_patient(pi)
        _put_photos(pi)
        pi.run("date", "-s", "@86400")
        settings = folder / 'my "settings".toml'
        settings.write_text(SETTINGS.format(port=listening.port))
        with measured("the first flash, wheels fetched or found"), cutting(pi.port, after_bytes=20_000_000) as port:
            done = make("flash", pi.ssh_config_by(port), MODEL=person_model, SETTINGS=settings)
        assert done.exit_code == 0, done.err + done.out
        pi.snapshot("flashed")
        yield Flashed(pi, listening, person_model, settings, done)


@pytest.fixture
def pi(flashed: Flashed) -> Flashed:
    """The same Pi as it was right after its first flash."""
    return _again(flashed, "flashed")


@pytest.fixture(scope="module")
def watching(flashed: Flashed) -> Flashed:
    """The same Pi with its settings changed to a real Video4Linux camera, the kernel's own vivid."""
    _again(flashed, "flashed")
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


def _be_patient(pi: Machine) -> None:
    """What a Pi loads in twenty seconds may take an emulated one minutes, on a machine with other things to do."""
    folder = "/etc/systemd/system/service.d"  # of every service
    pi.run("mkdir", "-p", folder)
    pi.write(f"{folder}/patient.conf", b"[Service]\nTimeoutStartSec=600\n")


def _put_photos(pi: Machine) -> None:
    from skimage import data  # `make test` reads this file too, and has no need of it

    pi.run("mkdir", "-p", PHOTOS)
    for name, pixels in {"astronaut": data.astronaut(), "coffee": data.coffee()}.items():
        pi.write(f"{PHOTOS}/{name}.png", encode_png(pixels))
