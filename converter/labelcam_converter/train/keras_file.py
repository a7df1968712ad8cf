# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Takes out of a .keras file what is chance in it, so that the same training gives the same bytes."""

import io
import json
import re
import zipfile

_DATE = (1980, 1, 1, 0, 0, 0)  # the first that a zip can tell
_CONFIG, _METADATA = "config.json", "metadata.json"
_SHARED = re.compile(r'("shared_object_id": )(\d+)')
"""What Keras marks objects by that several layers share: an address in memory, where any number would do."""


def timeless(data: bytes) -> bytes:
    """Return the zip that Keras saved, without dates and addresses."""
    whole = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(whole, "w") as new:
        for name in sorted(old.namelist()):
            content = old.read(name)
            if name == _METADATA:
                content = json.dumps(json.loads(content) | {"date_saved": "1980-01-01@00:00:00"}).encode()
            elif name == _CONFIG:
                content = _numbered(content.decode()).encode()
            new.writestr(zipfile.ZipInfo(name, _DATE), content)
    return whole.getvalue()


def _numbered(config: str) -> str:
    """Number what is shared in the order of its first mention."""
    order = {address: number for number, address in enumerate(dict.fromkeys(_SHARED.findall(config)))}
    return _SHARED.sub(lambda found: f"{found[1]}{order[found[1], found[2]]}", config)
