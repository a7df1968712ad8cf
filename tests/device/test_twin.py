# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""A file compiled for the Edge TPU, on a machine that has none."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from labelcam.errors import ModelFileError
from labelcam.model_file import ModelFile


def test_the_twin_runs_instead_and_says_so(labelcam, compiled: Callable[..., Path], photographs: Path) -> None:
    """The labels are those of the int8 network; one line says that the Edge TPU is not used."""
    done = labelcam("classify", compiled(), *sorted(photographs.iterdir()))
    assert done.returncode == 0
    assert [line.split(": ")[1].split()[0] for line in done.stdout.splitlines()] == ["red", "green", "blue"]
    (line,) = [line for line in done.stderr.splitlines() if "Edge TPU" in line]
    assert line.endswith("is compiled for the Edge TPU, which is not used: its CPU twin runs instead")


def test_the_daemon_runs_the_twin(labelcam, compiled: Callable[..., Path], photographs: Path) -> None:
    """`run` answers like `classify`, and says the line once."""
    done = labelcam("run", "--json", "--model", compiled(), "--camera", f"photos:{photographs}")
    assert done.returncode == 0
    assert [json.loads(line)["label"] for line in done.stdout.splitlines()] == ["red", "green", "blue"]
    assert done.stderr.count("CPU twin runs instead") == 1


def test_check_reproduces_the_goldens_by_the_twin(labelcam, compiled: Callable[..., Path]) -> None:
    """The goldens were made by the twin, so it must reproduce them here."""
    done = labelcam("check", "--model", compiled(), "--camera", "synthetic:64x48")
    assert done.returncode == 0, done.stdout
    assert "of the CPU twin in a file compiled for the Edge TPU" in done.stdout
    assert "4 reproduced" in done.stdout


def test_without_a_twin_it_is_one_line(labelcam, shared_data: Path, the_error) -> None:
    """A compiled file of somebody else cannot run here, and nothing else is said of it."""
    path = shared_data / "models" / "mobilenet_v1_0.25_128_quant_edgetpu.tflite"
    done = labelcam("classify", path, shared_data / "photos" / "bird.bmp")
    assert done.returncode == 78
    assert "is compiled for the Edge TPU and cannot run without one; use the CPU model" in the_error(done.stderr)


@pytest.mark.parametrize("twin", [b"", b"another network"])
def test_a_twin_that_is_not_the_one_is_damage(twin: bytes, compiled: Callable[..., Path]) -> None:
    """A twin that is missing or altered is found when the file is read, not when it is needed."""
    with pytest.raises(ModelFileError, match="its CPU twin does not match its checksum"):
        ModelFile.load(compiled(twin, told=b"the network"))


def test_other_files_have_no_twin(colours: Path) -> None:
    """Only what is compiled has one."""
    assert ModelFile.load(colours).twin() is None
