# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Reading what Google's compiler prints, in the forms that its users have shown."""

import pytest

from labelcam.errors import GateFailed
from labelcam_converter.edgetpu.mapping import Row, judge, parse

VERSION_16 = """Edge TPU Compiler version 16.0.384591198
Started a compilation timeout timer of 180 seconds.

Model compiled successfully in 3173 ms.

Input model: x.tflite
Input size: 7.37MiB
Output model: x_edgetpu.tflite
Output size: 8.34MiB
On-chip memory used for caching model parameters: 6.08MiB
On-chip memory remaining for caching model parameters: 18.50KiB
Off-chip memory used for streaming uncached model parameters: 1.70MiB
Number of Edge TPU subgraphs: 1
Total number of operations: 12
Operation log: x_edgetpu.log

Model successfully compiled but not all operations are supported by the Edge TPU. A percentage of the model will instead
run on the CPU, which is slower. If possible, consider updating your model to use only operations supported by the Edge
TPU. For details, visit g.co/coral/model-reqs.
Number of operations that will run on Edge TPU: 6
Number of operations that will run on CPU: 6

Operator                       Count      Status

CONV_2D                        5          Mapped to Edge TPU
CONV_2D                        2          More than one subgraph is not supported
LEAKY_RELU                     2          Operation not supported
RESIZE_NEAREST_NEIGHBOR        1          Operation version not supported
QUANTIZE                       1          Mapped to Edge TPU
TRANSPOSE                      1          Tensor has unsupported rank (up to 3 innermost dimensions mapped)
Compilation child process completed within timeout period.
Compilation succeeded!
"""

ITS_LOG = """Edge TPU Compiler version 16.0.384591198
Input: x.tflite
Output: x_edgetpu.tflite

Operator                       Count      Status

CONV_2D                        5          Mapped to Edge TPU
SOFTMAX                        1          Mapped to Edge TPU
"""

VERSION_14 = """Edge TPU Compiler version 14.1.317412892
Input: x.tflite
Output: x_edgetpu.tflite

Operator                       Count      Status

FULLY_CONNECTED                1          Operation is working on an unsupported data type
"""


def test_everything_that_version_16_prints() -> None:
    """Version, memory in bytes, subgraphs, and a row for each kind and fate."""
    log = parse(VERSION_16)
    assert (log.compiler, log.subgraphs, log.operations, log.mapped) == ("16.0.384591198", 1, 12, 6)
    assert (log.on_chip_bytes, log.on_chip_free_bytes, log.off_chip_bytes) == (6375342, 18944, 1782579)
    assert log.rows[0] == Row("CONV_2D", 5, "Mapped to Edge TPU")
    assert log.rows[-1] == Row("TRANSPOSE", 1, "Tensor has unsupported rank (up to 3 innermost dimensions mapped)")
    assert log.left == {"CONV_2D": 2, "LEAKY_RELU": 2, "RESIZE_NEAREST_NEIGHBOR": 1, "TRANSPOSE": 1}


def test_the_log_file_alone() -> None:
    """It has the table, and no word about memory."""
    log = parse(ITS_LOG)
    assert (log.compiler, log.subgraphs, log.operations, log.mapped) == ("16.0.384591198", 1, 6, 6)
    assert log.on_chip_bytes is log.off_chip_bytes is None


def test_the_same_table_twice_counts_once() -> None:
    """With -s the table stands on stdout and in the log file."""
    assert parse(VERSION_16 + ITS_LOG).operations == 6


def test_an_older_form() -> None:
    """Without sizes, and with nothing mapped."""
    log = parse(VERSION_14)
    assert (log.mapped, log.operations, log.subgraphs) == (0, 1, 0)


@pytest.mark.parametrize("text", ["", "Segmentation fault", "Operator  Count  Status", "\x00\xff" * 50])
def test_what_is_no_log_has_no_rows(text: str) -> None:
    """Nothing is guessed from garbage."""
    assert (parse(text).rows, parse(text).compiler) == ((), "")


def test_the_line_names_causes_and_counts_consequences() -> None:
    """What the compiler could map, were it not behind something else, is no cause."""
    with pytest.raises(GateFailed) as failure:
        judge(parse(VERSION_16), None)
    assert str(failure.value) == (
        "--edgetpu: 6 of 12 operations are mapped, and more than the two ends stay behind: 2 LEAKY_RELU (Operation not "
        "supported), 1 RESIZE_NEAREST_NEIGHBOR (Operation version not supported), 1 TRANSPOSE (Tensor has unsupported "
        "rank (up to 3 innermost dimensions mapped)), 2 behind them; build a network without these, or accept it by "
        "--min-mapped 0.5"
    )


def test_the_public_form() -> None:
    """What stands in the manifest and in `build --json`."""
    told = parse(ITS_LOG).as_json()
    assert (told["mapped"], told["operations"], told["share"]) == (6, 6, 1.0)
    assert told["log"][1] == {"operation": "SOFTMAX", "count": 1, "status": "Mapped to Edge TPU", "mapped": True}
