# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""What `inspect` tells of a file and the Edge TPU: what would be mapped, or what was."""

from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any

from labelcam.model_file import Manifest

from ..flatbuffer import Graph
from .package import Compiled, read_compiled
from .preflight import Preflight, preflight

_SHOWN = 3
"""Kinds of refusals that a person sees; `--json` has every one."""


@dataclass(frozen=True, slots=True)
class Overview:
    """One of the two: the network was compiled, or could be."""

    found: Preflight | None
    """None for a compiled network."""

    compiled: Compiled | None
    manifest: Manifest | None

    def as_json(self) -> dict[str, Any]:
        """Return the public form."""
        if self.found is not None:
            refusals = [refusal.as_json() for refusal in self.found.refusals]
            told = {"mappable": self.found.mappable, "operations": self.found.operations, "refusals": refusals}
            return {**told, "proven": self.found.stamped, "compiled": None}
        compiled = {} if self.compiled is None else asdict(self.compiled)
        log = dict(self.manifest.edgetpu) if self.manifest else {}
        twin = (self.manifest.twin_sha256 if self.manifest else "") or None
        compiled |= {"compiler": log.get("compiler") or compiled.get("compiler"), "twin_sha256": twin}
        told = {"mappable": log.get("mapped"), "operations": log.get("operations"), "refusals": []}
        return {**told, "proven": True, "compiled": {**compiled, "log": log.get("log")}}

    def as_rows(self) -> list[tuple[str, str]]:
        """Return the same for a person, a few lines."""
        return [("Edge TPU", self._compiled())] if self.found is None else _prospect(self.found)

    def _compiled(self) -> str:
        told = self.as_json()
        compiled = told["compiled"]
        count = told["mappable"]
        mapped = f"{count} of {told['operations']} operations mapped" if count is not None else "compiled"
        made = f" by compiler {compiled['compiler']}" if compiled["compiler"] else ""
        left = f", {compiled['left']} beside it on the CPU" if compiled["left"] else ""
        needs = f"; needs runtime {compiled['runtime_version']} or newer" if compiled["runtime_version"] else ""
        twin = "CPU twin inside" if compiled["twin_sha256"] else "no CPU twin inside: runs on an Edge TPU only"
        return f"{mapped}{made}{left}{needs}; {twin}"


def overview(graph: Graph, manifest: Manifest | None) -> Overview:
    """Return what there is to say about a network and the Edge TPU."""
    compiled = read_compiled(graph)
    return Overview(None if compiled else preflight(graph), compiled, manifest)


def _prospect(found: Preflight) -> list[tuple[str, str]]:
    proven = "" if found.stamped else " (not proven: its operation versions are not those of build --edgetpu)"
    rows = [("Edge TPU", f"{found.mappable} of {found.operations} operations would be mapped{proven}")]
    whys = Counter((refusal.operation, refusal.reason, refusal.remedy) for refusal in found.refusals)
    for (operation, reason, remedy), count in list(whys.items())[:_SHOWN]:
        rows.append(("", f"{operation}{f' ({count} of them)' if count > 1 else ''} {reason}; {remedy}"))
    if len(whys) > _SHOWN:
        rows.append(("", f"and {len(whys) - _SHOWN} more reasons; --json names every operation"))
    return rows
