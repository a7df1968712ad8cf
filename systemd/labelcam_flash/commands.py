# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Everything that is ever run over SSH: constants, with nothing of the user's in them."""

import io
import zipfile
from functools import cache
from pathlib import Path

MARK = b"labelcam "
"""Begins the line that tells the program's size. What precedes it is a password that sudo did not want after all."""

_START = (
    "import os,sys;"
    "b=sys.stdin.buffer;"
    "n=next((l for l in b if l.startswith(b'labelcam ')),b'').split();"
    "n or sys.exit();"
    "d=os.memfd_create('on_pi');"
    "os.write(d,b.read(int(n[1])));"
    "sys.path.insert(0,'/proc/self/fd/%d'%d);"
    "from on_pi.main import main;main()"
)
"""Takes the program from stdin into memory, for the Pi's disk may be full. Without one it ends, having been root."""

_AS_ROOT = 'export LC_ALL=C; if [ "$(id -u)" = 0 ]; then exec {0}; else exec {1} {0}; fi'
"""What sudo says must be the same everywhere: it is read by us."""

_SUDO = "sudo -n"
_SUDO_WITH_PASSWORD = "sudo -k -S -p ''"  # noqa: S105
"""Reads a line of stdin, byte by byte, and leaves the rest to what it starts. With -k a password that was right some
minutes ago does not vouch for a wrong one."""

_PYTHON = 'python3 -I -c "$p"'
_JOURNAL = "journalctl --unit labelcam --follow --lines 50 --output short-iso"

WHO = "id -un"


def asking(*, password: bool) -> str:
    """Return the command that takes a request from stdin, behind sudo's password if there is one."""
    return f'p="{_START}"; {_AS_ROOT.format(_PYTHON, _SUDO_WITH_PASSWORD if password else _SUDO)}'


def following(*, password: bool) -> str:
    """Return the command that shows what the service says."""
    return _AS_ROOT.format(_JOURNAL, _SUDO_WITH_PASSWORD if password else _SUDO)


@cache
def program() -> bytes:
    """The code that runs on the Pi, as a zip that Python imports from."""
    whole = io.BytesIO()
    folder = Path(__file__).with_name("on_pi")
    with zipfile.ZipFile(whole, "w") as archive:
        for path in sorted(folder.glob("*.py")):
            archive.writestr(zipfile.ZipInfo(f"on_pi/{path.name}", (1980, 1, 1, 0, 0, 0)), path.read_bytes())
    return whole.getvalue()
