# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""What the Edge TPU compiler tells of its work, read from its text, and the gate on it."""

import re
from collections import Counter
from dataclasses import dataclass
from typing import Any

from labelcam.errors import GateFailed

from .preflight import LEFTOVERS, enough

MAPPED_STATUS = "Mapped to Edge TPU"

_BEHIND = "More than one subgraph is not supported"
"""What the compiler says of what it could map, were it not behind something that it cannot."""

_SHOWN = 3
_UNITS = {"B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}
_VERSION = re.compile(r"^Edge TPU Compiler version (\d+(?:\.\w+)*)", re.MULTILINE)
_ROW = re.compile(r"^([A-Za-z_][\w-]*) +(\d+) +(\S.*?)\s*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Row:
    """Operations of one kind that share one fate."""

    operation: str
    count: int
    status: str
    """The compiler's own words."""

    @property
    def mapped(self) -> bool:
        """Whether they run on the Edge TPU."""
        return self.status == MAPPED_STATUS


@dataclass(frozen=True, slots=True)
class MappingLog:
    """Where each operation runs, and how the chip's memory is used."""

    compiler: str
    """Version, such as 16.0.384591198; empty where the text does not say."""

    rows: tuple[Row, ...]
    subgraphs: int
    """Parts of the network that run on the Edge TPU."""

    on_chip_bytes: int | None
    """Parameters that stay in the chip's memory; None where the text does not say."""

    on_chip_free_bytes: int | None
    off_chip_bytes: int | None
    """Parameters that are sent over USB again for every frame: what slows large networks down."""

    @property
    def operations(self) -> int:
        """All of them."""
        return sum(row.count for row in self.rows)

    @property
    def mapped(self) -> int:
        """Those that run on the Edge TPU."""
        return sum(row.count for row in self.rows if row.mapped)

    @property
    def left(self) -> dict[str, int]:
        """Those that run on the CPU, by kind."""
        left: Counter[str] = Counter()
        for row in self.rows:
            if not row.mapped:
                left[row.operation] += row.count
        return dict(left)

    def as_json(self) -> dict[str, Any]:
        """Return the public form, for the manifest, `build --json` and the report."""
        return {
            "compiler": self.compiler,
            "operations": self.operations,
            "mapped": self.mapped,
            "share": round(self.mapped / self.operations, 4) if self.rows else 0.0,
            "subgraphs": self.subgraphs,
            "on_chip_bytes": self.on_chip_bytes,
            "on_chip_free_bytes": self.on_chip_free_bytes,
            "off_chip_bytes": self.off_chip_bytes,
            "log": [
                {"operation": row.operation, "count": row.count, "status": row.status, "mapped": row.mapped}
                for row in self.rows
            ],
        }


def parse(text: str) -> MappingLog:
    """Return what the compiler's stdout or its log file says; rows that it does not have are not there."""
    version = _VERSION.search(text)
    subgraphs = re.search(r"^Number of Edge TPU subgraphs: (\d+)", text, re.MULTILINE)
    rows = tuple(Row(kind, int(count), status) for kind, count, status in _ROW.findall(_table(text)))
    return MappingLog(
        compiler=version[1] if version else "",
        rows=rows,
        subgraphs=int(subgraphs[1]) if subgraphs else int(any(row.mapped for row in rows)),
        on_chip_bytes=_bytes(text, "On-chip memory used for caching model parameters"),
        on_chip_free_bytes=_bytes(text, "On-chip memory remaining for caching model parameters"),
        off_chip_bytes=_bytes(text, "Off-chip memory used for streaming uncached model parameters"),
    )


def version_in(text: str) -> str | None:
    """Return the version that the compiler's text begins with."""
    found = _VERSION.search(text)
    return found[1] if found else None


def _table(text: str) -> str:
    """The last table in the text, from behind its heading to the next line that is not one of its rows."""
    _, heading, rest = text.rpartition("Operator ")
    lines = rest.partition("\n")[2].splitlines() if heading else []
    kept: list[str] = []
    for line in lines:
        if line.strip() and not _ROW.match(line):
            break
        kept.append(line)
    return "\n".join(kept)


def _bytes(text: str, title: str) -> int | None:
    found = re.search(rf"^{title}: ([\d.]+) ?(B|KiB|MiB|GiB)\b", text, re.MULTILINE)
    return round(float(found[1]) * _UNITS[found[2]]) if found else None


def judge(log: MappingLog, asked: float | None) -> str | None:
    """Return what a person should know of a mapping that is good enough, or None.

    `asked` is `--min-mapped`, the least share of operations on the Edge TPU; None: all but a SOFTMAX and the QUANTIZE
    at the two ends. Raises GateFailed where it is less, and always where it is nothing: 'compiled successfully' says
    the compiler even then.
    """
    left = _in_words(log)
    if not log.mapped:
        raise GateFailed(
            f"--edgetpu: the compiler mapped nothing to the Edge TPU: {left}; build a network without these"
        )
    if not enough(log.mapped, log.operations, log.left, asked):
        limit = f"less than --min-mapped {asked:g}" if asked is not None else "and more than the two ends stay behind"
        raise GateFailed(
            f"--edgetpu: {log.mapped} of {log.operations} operations are mapped, {limit}: {left}; build a network "
            f"without these, or accept it by --min-mapped {_below(log):g}"
        )
    if log.off_chip_bytes:
        size = f"{log.off_chip_bytes / 2**20:.2f} MiB"
        why = "do not fit into the Edge TPU and are sent again for every frame"
        return f"{size} of parameters {why}; a smaller --alpha helps"
    if any(kind not in LEFTOVERS for kind in log.left):
        return f"{log.operations - log.mapped} of {log.operations} operations stay on the CPU: {left}"
    return None


def _in_words(log: MappingLog) -> str:
    """What stayed on the CPU and why; what only stands behind the first of these is counted."""
    behind = sum(row.count for row in log.rows if row.status == _BEHIND)
    causes = [
        f"{row.count} {row.operation} ({row.status})" for row in log.rows if not row.mapped and row.status != _BEHIND
    ]
    shown = causes[:_SHOWN] + (["…"] if len(causes) > _SHOWN else []) + ([f"{behind} behind them"] if behind else [])
    return ", ".join(shown)


def _below(log: MappingLog) -> float:
    return int(log.mapped / log.operations * 100) / 100
