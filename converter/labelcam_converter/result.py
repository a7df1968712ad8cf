# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""What `build` answers."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from labelcam.model_file import Manifest

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Result:
    """A model file, and how it came about."""

    output: Path
    manifest: Manifest
    fidelity: dict[str, Any]
    seconds: dict[str, float]
    reused: bool
    report: Path | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the public form."""
        return {
            "schema": SCHEMA,
            "output": str(self.output),
            "bytes": self.output.stat().st_size,
            "scheme": self.manifest.scheme,
            "model": self.manifest.name,
            "weights": asdict(self.manifest.weights),
            "seconds": self.seconds,
            "calibration": dict(self.manifest.calibration),
            "fidelity": self.fidelity,
            "edgetpu": dict(self.manifest.edgetpu) or None,
            "report": None if self.report is None else str(self.report),
            "reused": self.reused,
        }
