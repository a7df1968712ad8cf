# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The command line that other people's scripts rely on."""

import json
import shlex
import subprocess
import sys

import pytest

import labelcam
from labelcam_converter.zoo import ENTRIES


@pytest.mark.parametrize("arguments", [("--help",), ("build", "--help"), ("inspect", "--help"), ("models", "--help")])
def test_help_is_there(arguments: tuple[str, ...], convert) -> None:
    """Every command explains itself."""
    done = convert(*arguments)
    assert (done.returncode, "usage:" in done.stdout) == (0, True)


@pytest.mark.parametrize("arguments", [("--version",), ("build", "--version"), ("models", "--version")])
def test_the_version_is_the_one_of_the_package(arguments: tuple[str, ...], convert) -> None:
    """There is one source of the version."""
    assert convert(*arguments).stdout.strip() == f"labelcam-convert {labelcam.__version__}"


def test_models_lists_the_zoo(convert) -> None:
    """One JSON document with a schema, nothing on stderr; the same as a table for people."""
    done = convert("models", "--json")
    answer = json.loads(done.stdout)
    assert answer["schema"] == 1
    assert [model["name"] for model in answer["models"]][:2] == ["person", "mobilenet_v1"]
    assert {"name", "parameters", "macs", "weights", "licence", "cached"} <= set(answer["models"][0])
    assert done.stderr == ""
    assert "mobilenet_v3_large" in convert("models").stdout


@pytest.mark.parametrize("command", ["build.build", "inspection.inspect", "summary.print_models"])
def test_heavy_packages_stay_out(command: str) -> None:
    """TensorFlow, Keras, litert-quantizer and scikit-image are not imported before they are needed."""
    module = command.partition(".")[0]
    code = f"import sys, labelcam_converter.{module}; print(*sys.modules)"
    loaded = set(
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    )
    assert not loaded & {"tensorflow", "keras", "litert_quantizer", "skimage"}
    assert command.startswith("build") or "ai_edge_litert.interpreter" not in loaded


def test_models_fits_into_a_terminal(convert) -> None:
    """80 columns hold the table, and no name is folded."""
    lines = convert("models").stdout.splitlines()
    assert len(lines) == 1 + len(ENTRIES)
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [(("--samples", "x"), "'x' is no whole number"), (("--min-agreement", "x"), "'x' is no number")],
)
def test_what_is_no_number(arguments: tuple[str, ...], reason: str, convert) -> None:
    """A value that is no number is called so, not by the name of a function of ours."""
    done = convert("build", "--model", "person", *arguments)
    assert (done.returncode, reason in done.stderr) == (2, True), done.stderr


def test_a_reader_that_goes_away_is_no_error() -> None:
    """`labelcam-convert models | head -1` ends quietly."""
    line = f"{shlex.quote(sys.executable)} -m labelcam_converter models --json | head -c 1"
    done = subprocess.run(["bash", "-o", "pipefail", "-c", line], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
