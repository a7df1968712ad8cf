# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The documentation tells the truth: every command in it works, every file it names is there."""

import re
import subprocess
from pathlib import Path

import pytest

from labelcam.settings import settings_from_toml

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
TEN_MINUTES = 600


def commands() -> list[str]:
    """Every line of every `sh` block, comments left out, in the order of the pages."""
    blocks = [block for page in PAGES for block in re.findall(r"```sh\n(.*?)```", page.read_text(), re.DOTALL)]
    return [line.split(" #")[0].strip() for block in blocks for line in block.splitlines() if line.strip()]


@pytest.mark.parametrize("command", [command for command in commands() if command != "make test"])
def test_a_documented_command_works(command: str) -> None:
    """Typed in the project's folder, in the order of the pages, it succeeds."""
    done = subprocess.run(["bash", "-c", command], cwd=ROOT, capture_output=True, text=True, timeout=TEN_MINUTES)
    assert done.returncode == 0, done.stderr


def test_the_readmes_first_screen_has_a_picture_and_two_commands() -> None:
    """What it is, what it looks like and what to type stand above the fold."""
    first_screen = "\n".join((ROOT / "README.md").read_text().splitlines()[:15])
    assert "![" in first_screen
    assert "```sh\nmake demo\nmake test\n```" in first_screen


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_a_page_links_to_is_there(page: Path) -> None:
    """No link of ours is dead."""
    targets = re.findall(r"\]\(([^)#:]+)\)", page.read_text())
    assert [target for target in targets if not (page.parent / target).exists()] == []


def settings() -> list[str]:
    """Every `toml` block of the pages."""
    return [block for page in PAGES for block in re.findall(r"```toml\n(.*?)```", page.read_text(), re.DOTALL)]


@pytest.mark.parametrize("text", settings())
def test_documented_settings_are_settings(text: str) -> None:
    """What is copied from a page is taken as it stands, but for what another section must say beside it."""
    broker = "" if "[mqtt]" in text else '[mqtt]\nhost = "broker"\n'
    settings_from_toml(broker + text)


def test_demo_shows_labels_and_then_what_they_cost() -> None:
    """Each photograph with its label, then percentiles, delegate, fidelity, memory and what to type next."""
    done = subprocess.run(["make", "demo"], cwd=ROOT, capture_output=True, text=True, check=True, timeout=TEN_MINUTES)
    labels = dict(re.findall(r"^   (\w+\.\w+) +(person|no person) +[01]\.\d\d$", done.stdout, re.MULTILINE))
    assert sorted(name for name, label in labels.items() if label == "person") == ["astronaut.png", "camera.png"]
    assert len(labels) == 10
    for row in ("capture", "preprocess", "invoke", "decide", "age"):
        assert re.search(rf"^{row} +\d+\.\d\d +\d+\.\d\d +\d+\.\d\d$", done.stdout, re.MULTILINE), row
    for fact in ("frames per second", "xnnpack took", "fidelity", "resident", "person_int8.tflite", "Next:"):
        assert fact in done.stdout


def test_demo_without_that_camera_says_so_in_one_line() -> None:
    """`make demo CAMERA=…` of a camera that is not there ends with the daemon's own line."""
    camera = "CAMERA=v4l2:/dev/video-not-there"
    done = subprocess.run(["make", "demo", camera], cwd=ROOT, capture_output=True, text=True, timeout=TEN_MINUTES)
    assert done.returncode == 2  # make's own code for a recipe that failed
    (said,) = [line for line in done.stderr.splitlines() if line.startswith("labelcam: ")]
    assert "/dev/video-not-there: no such camera" in said


def test_make_alone_prints_help() -> None:
    """A bare `make` lists what there is to make, and makes nothing."""
    done = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "make demo" in done.stdout
    assert "make test" in done.stdout
