# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Runs a command in which arm64 programs run as well, by qemu-user; nothing is registered for the rest of the machine.

A user and mount namespace of its own with every id mapped to itself, and its own binfmt_misc (Linux 6.7 and later):
`python foreign.py COMMAND …`.
"""

import ctypes
import os
import sys
from pathlib import Path

_NEWNS, _NEWUSER, _PRIVATE = 0x00020000, 0x10000000, 0x4000 | 0x40000  # sched.h, mount.h
_MAGIC = r"\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00"
_MASK = r"\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff"
"""An ELF header of an aarch64 program, as binfmt_misc wants it (Documentation/admin-guide/binfmt-misc.rst)."""


def main() -> int:
    """Run the command that the arguments name, and return its exit code."""
    entered, mapped = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        os.close(mapped[1])
        _enter()
        os.write(entered[1], b"x")
        os.read(mapped[0], 1)
        _register()
        os.execvp(sys.argv[1], sys.argv[1:])
    os.close(entered[1])
    os.read(entered[0], 1)
    for name in ("uid_map", "gid_map"):
        Path(f"/proc/{child}/{name}").write_text("0 0 4294967295\n")
    os.write(mapped[1], b"x")
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


_libc = ctypes.CDLL(None, use_errno=True)


def _enter() -> None:
    _check(_libc.unshare(_NEWUSER | _NEWNS))


def _register() -> None:
    _check(_libc.mount(b"none", b"/", None, _PRIVATE, None))
    _check(_libc.mount(b"binfmt_misc", b"/proc/sys/fs/binfmt_misc", b"binfmt_misc", 0, None))
    rule = f":qemu-aarch64:M::{_MAGIC}:{_MASK}:/usr/bin/qemu-aarch64-static:OCF"
    Path("/proc/sys/fs/binfmt_misc/register").write_text(rule)


def _check(result: int) -> None:
    if result:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


if __name__ == "__main__":
    sys.exit(main())
