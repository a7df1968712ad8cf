# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""A stand-in for a Pi: the very command that goes over SSH runs here, below a folder, among stand-ins of system tools.

What a real systemd, sshd and aarch64 make of it is told by tests/pi.
"""

import sys
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from labelcam_flash import flash as flash_module
from labelcam_flash.flash import Wanted, flash
from labelcam_flash.pi import Pi
from labelcam_flash.target import TARGETS, Target

SSH = """#!/bin/bash
# Leaves its arguments behind, then does what sshd would: run the last of them by a shell.
printf '%s\\0' "$@" >> "$STAND_IN/ssh-arguments"; echo >> "$STAND_IN/ssh-arguments"
case " $* " in *" -O exit "*) exit 0;; esac
[ ! -e "$STAND_IN/ssh-says" ] || { cat "$STAND_IN/ssh-says" >&2; exit 255; }
for last; do :; done
env > "$STAND_IN/environment"
[ ! -e "$STAND_IN/log-in" ] || exec "$STAND_IN/log-in" "$last"
if [ -e "$STAND_IN/stalls-after" ]; then
    # Nothing more arrives after so many bytes, as long as the file is there.
    size=$(cat "$STAND_IN/stalls-after")
    head -c "$size" > "$STAND_IN/input.$$"
    [ "$(stat -c %s "$STAND_IN/input.$$")" = "$size" ] || exec sh -c "$last" < "$STAND_IN/input.$$"
    exec < <(
        exec < /dev/null
        cat "$STAND_IN/input.$$"
        while [ -e "$STAND_IN/stalls-after" ]; do sleep 0.1; done
    )
    outlives=1
fi
if [ -n "$outlives" ] || [ -e "$STAND_IN/restart-waits" ]; then
    # What runs there goes on when ssh is ended here.
    mkfifo "$STAND_IN/output.$$"
    setsid sh -c "$last" <&0 > "$STAND_IN/output.$$" &
    exec cat "$STAND_IN/output.$$"
fi
if [ -s "$STAND_IN/away" ]; then
    sed -i 1d "$STAND_IN/away"
    echo "ssh: connect to host stand-in port 22: No route to host" >&2
    exit 255
fi
size=$(cat "$STAND_IN/cut-after" 2>/dev/null)
[ -n "$size" ] || exec sh -c "$last"
head -c "$((size + 1))" > "$STAND_IN/input"
[ "$(stat -c %s "$STAND_IN/input")" -gt "$size" ] || exec sh -c "$last" < "$STAND_IN/input"
# The connection breaks after so many bytes, and whatever the Pi would have answered is lost with it.
rm "$STAND_IN/cut-after"
mv "$STAND_IN/away-then" "$STAND_IN/away" 2>/dev/null
head -c "$size" "$STAND_IN/input" | sh -c "$last" > /dev/null
echo "client_loop: send disconnect: Broken pipe" >&2
exit 255
"""

SYSTEMCTL = """#!/bin/bash
# A service that comes up unless its model is a bad one, and stays up unless its settings say that it dies.
at="$STAND_IN/service"; current="$LABELCAM_FLASH_BASE/opt/labelcam/current"
handed="$LABELCAM_FLASH_BASE/run/credentials/labelcam.service"
drop_in="$LABELCAM_FLASH_BASE/etc/systemd/system/labelcam.service.d/credentials.conf"
echo "$*" >> "$STAND_IN/systemctl-calls"
case "$1" in
show)
    [ -f "$at" ] || { printf 'ActiveState=inactive\\nMainPID=0\\nInvocationID=\\n'; exit 0; }
    read -r invocation active < "$at"
    if grep -q dies "$current/labelcam.toml"; then echo "$invocation failed" > "$at"; fi
    case "$active" in active | activating) pid=4711 ;; *) pid=0 ;; esac
    printf 'ActiveState=%s\\nMainPID=%s\\nInvocationID=%s\\n' "$active" "$pid" "$invocation"
    printf 'StatusText=cat, 10.0 frames a second\\nWatchdogTimestampMonotonic=%s\\n' "$(date +%s%N)"
    ;;
restart)
    touch "$STAND_IN/restarting"
    while [ -e "$STAND_IN/restart-waits" ]; do sleep 0.1; done
    if grep -q bad "$current/model.tflite"; then active=failed; else active=active; fi
    # As systemd does: copies that last as long as the process, and no start without a file that is to be handed over.
    rm -rf "$handed"
    for handing in $(sed -n 's/^LoadCredential=//p' "$drop_in" 2>/dev/null); do
        mkdir -p "$handed"
        cp "${handing#*:}" "$handed/${handing%%:*}" 2>/dev/null || active=failed
    done
    echo "$(date +%s%N) $active" > "$at"
    if [ -f "$STAND_IN/cut-power" ]; then rm "$STAND_IN/cut-power"; kill -9 "$PPID"; fi
    if [ -f "$STAND_IN/refuses" ]; then cat "$STAND_IN/refuses" >&2; exit 1; fi
    ;;
disable) case "$*" in *" labelcam.service") rm -rf "$at" "$handed" ;; esac ;;
esac
"""

LABELCAM = """#!/bin/sh
[ ! -f "$STAND_IN/crashes" ] || { cat "$STAND_IN/crashes" >&2; exit 1; }
bad=$(cat "$STAND_IN/fails" 2>/dev/null)
echo "$* token=$LABELCAM_HTTP_TOKEN" > "$STAND_IN/checked"
for name in model camera; do
    [ "$name" = "$bad" ] && ok='false, "detail": "fails here"' || ok='true, "detail": "fine"'
    said="$said${said:+, }{\\"name\\": \\"$name\\", \\"ok\\": $ok}"
done
echo "{\\"checks\\": [$said]}"
"""
"""Every check is passed but the one that a test names."""

PIP = f"""
import pathlib, sys
(pathlib.Path(sys.executable).parent / "labelcam").write_text({LABELCAM!r})
(pathlib.Path(sys.executable).parent / "labelcam").chmod(0o755)
"""
"""In place of pip: a stand-in cannot run aarch64 wheels."""

SUDO = """#!/bin/bash
# What sudo 1.9 does by its manual: -n never asks; -S takes a line of stdin for each of three tries, and no byte more;
# who needs no password leaves stdin alone. tests/flash/test_password.py holds it against the real one.
while getopts nkSp: option; do [ "$option" != n ] || never=1; done
shift $((OPTIND - 1))
echo "$*" >> "$STAND_IN/sudo-calls"
[ -e "$STAND_IN/sudo-password" ] || exec "$@"
[ -z "$never" ] || { echo "sudo: a password is required" >&2; exit 1; }
for try in 1 2 3; do
    IFS= read -r line || { echo "sudo: no password was provided" >&2; break; }
    printf '%s\\n' "$line" >> "$STAND_IN/sudo-tries"
    [ "$line" != "$(cat "$STAND_IN/sudo-password")" ] || exec "$@"
    [ "$try" = 3 ] || echo "Sorry, try again." >&2
done
echo "sudo: $try incorrect password attempts" >&2
exit 1
"""

ID = """#!/bin/sh
# root, unless sudo is to be tried.
case "$1$(ls "$STAND_IN/anna" 2>/dev/null)" in
-un?*) echo anna ;;
-u?*) echo 1000 ;;
*) echo 0 ;;
esac
"""

TOOLS = {
    "ssh": SSH,
    "systemctl": SYSTEMCTL,
    "journalctl": "#!/bin/sh\necho 'labelcam: that is why'\n",
    "sudo": SUDO,
    "id": ID,
    "uname": "#!/bin/sh\necho aarch64\n",
    "dpkg": "#!/bin/sh\necho arm64\n",
    "runuser": '#!/bin/sh\nshift 3\nexec "$@"\n',
    "python3": f'#!/bin/sh\nexec {sys.executable} "$@"\n',
    **dict.fromkeys(("sync", "systemd-sysusers", "udevadm", "userdel", "timedatectl"), "#!/bin/sh\n"),
}


@dataclass(frozen=True, slots=True)
class StandIn:
    """A Pi that is none."""

    folder: Path
    base: Path
    """Its root folder."""

    pi: Pi
    told: list[str] = field(default_factory=list)

    def flash(self, model: bytes | None = b"good", settings: str | None = "# mine\n") -> str:
        """Flash it with a model file and settings."""
        path = None
        if model is not None:
            path = self.folder / "asked.tflite"
            path.write_bytes(model)
        return flash(self.pi, Wanted(path, settings, self.folder / "cache", bar=False))

    def live(self) -> str:
        """The name of the release that is live."""
        return (self.base / "opt/labelcam/current").readlink().name

    def calls(self) -> list[str]:
        """What systemctl was asked."""
        path = self.folder / "systemctl-calls"
        return path.read_text().splitlines() if path.exists() else []

    def fails(self, check: str) -> None:
        """Let one of the checks of `labelcam check` fail there."""
        (self.folder / "fails").write_text(check)

    def alter(self, tool: str, old: str, new: str) -> None:
        """Have one of its tools behave differently."""
        path = self.folder / "bin" / tool
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, new))

    def wheels(self, *_: object) -> list[Path]:
        """What it installs: any target's, from any cache."""
        return _wheels(self.folder)

    def cut_power(self) -> None:
        """End the next switch right after the service was restarted, by a signal that nobody catches."""
        (self.folder / "cut-power").touch()

    def secret(self, name: str) -> Path:
        """Where one of its secrets lies."""
        path = self.base / "etc/labelcam/credentials" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def log_in_as_anna(self, password: str | None) -> None:
        """Let whoever logs in be a user whose sudo asks for this password, or for none."""
        (self.folder / "anna").touch()
        if password is not None:
            (self.folder / "sudo-password").write_text(password)

    def tries(self) -> list[str]:
        """What sudo took for a password."""
        path = self.folder / "sudo-tries"
        return path.read_text().splitlines() if path.exists() else []

    def cut_after(self, size: int, away: int = 0) -> None:
        """Break the next connection after so many bytes, and refuse so many that come then."""
        (self.folder / "cut-after").write_text(str(size))
        (self.folder / "away-then").write_text("\n" * away)


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    """One without a release."""
    folder, base = tmp_path / "stand in's", tmp_path / "pi"
    folder.mkdir()
    base.mkdir()
    _write_tools(folder / "bin")
    monkeypatch.setenv("PATH", f"{folder / 'bin'}:/usr/bin:/bin")
    monkeypatch.setenv("STAND_IN", str(folder))
    monkeypatch.setenv("LABELCAM_FLASH_BASE", str(base))
    here = sys.version_info[:2]
    monkeypatch.setitem(TARGETS, here, Target("bookworm", here, 36))
    monkeypatch.setattr(flash_module, "wheelhouse", lambda _target, _cache: _wheels(folder))
    monkeypatch.setattr(flash_module, "WATCH_S", 0.1)
    told: list[str] = []
    return StandIn(folder, base, Pi("pi@stand-in", tmp_path / "ssh", tell=told.append), told)


def _write_tools(folder: Path) -> None:
    folder.mkdir()
    for name, text in TOOLS.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)


def _wheels(folder: Path) -> list[Path]:
    pip, large = folder / "pip-1.0-py3-none-any.whl", folder / "labelcam-0.1.0-py3-none-any.whl"
    if not pip.exists():
        with zipfile.ZipFile(pip, "w") as archive:
            archive.writestr("pip/__main__.py", PIP)
        large.write_bytes(bytes(range(256)) * 20_000)
    return [pip, large]
