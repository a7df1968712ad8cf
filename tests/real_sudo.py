# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The real sudo, for a user who exists in one process alone: her account is laid over /etc in a mount namespace."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from absent import absent

PASSWORD = "corr \"ect$ ho'rse ñ"

_HASH = "$6$labelcam$2uIE61Ga.4fboTnn.W3FrwwruBaHChZrsuxOoaN7ead4WDL5QndnOr8wjWmbMFtpanHZvfUsehE13Jn0iB.ou0"
_LOG_IN = f"""#!/bin/sh
exec unshare --mount sh -c '
    for name in passwd group shadow sudoers; do mount --bind "$STAND_IN/etc/$name" "/etc/$name" || exit; done
    mount -t tmpfs none /run
    path="{Path(sys.executable).resolve().parent}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    exec setpriv --reuid 61234 --regid 61234 --clear-groups env -i LANG=C.UTF-8 PATH="$path" sh -c "$1"
' sh "$1"
"""


def install(folder: Path, rule: str) -> None:
    """Let whoever logs in be anna, with one rule of sudoers; skip the test where that cannot be done."""
    if os.geteuid():
        absent("accounts are laid over /etc by root: use sudo, or a container")
    for program, package in {"sudo": "sudo", "unshare": "util-linux", "setpriv": "util-linux"}.items():
        if not shutil.which(program, path="/usr/sbin:/usr/bin:/sbin:/bin"):
            absent(f"{program} is not here: sudo apt-get install {package}")
    if subprocess.run(["unshare", "--mount", "mount", "-t", "tmpfs", "none", "/run"], check=False).returncode:
        pytest.skip("mounts are not allowed here: give the container CAP_SYS_ADMIN")
    etc = folder / "etc"
    etc.mkdir()
    for name, line in {"passwd": "61234:61234::/tmp:/bin/sh", "group": "61234:", "shadow": ""}.items():
        first = f"anna:{_HASH}:20000:0:99999:7:::" if name == "shadow" else f"anna:x:{line}"
        (etc / name).write_text(Path("/etc", name).read_text() + first + "\n")
    (etc / "sudoers").write_text(f"Defaults env_reset, use_pty, timestamp_timeout=15\n{rule}\n")
    (etc / "sudoers").chmod(0o440)
    (etc / "shadow").chmod(0o640)
    (folder / "log-in").write_text(_LOG_IN)
    (folder / "log-in").chmod(0o755)
