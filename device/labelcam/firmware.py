# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""A Raspberry Pi's firmware, asked by the mailbox as `vcgencmd` asks it, but without a process for every question."""

import fcntl
import os
import struct
from collections.abc import Callable
from pathlib import Path

from .errors import LabelcamError

Ioctl = Callable[[int, int, bytearray], object]
"""ioctl(2) with a buffer that is changed in place."""

NODES = ("dev/vcio_gencmd", "dev/vcio")
"""The first is newer, open to the group 'video', and lets nothing through but this very question; since then the
second may be root's alone."""

# <linux/ioctl.h>: IOCTL_MBOX_PROPERTY is _IOWR(100, 0, char *), whose size is that of a pointer.
_PROPERTY = 3 << 30 | struct.calcsize("P") << 16 | 100 << 8
_GENCMD_RESULT = 0x00030080
_TEXT_BYTES = 4096  # as vcgencmd has it: twelve rails with volts and amperes come close to its former 1024
# Bytes in all, request or response, then one tag: its number, the room for its value, length of the answer, error.
_HEADER = struct.Struct("=6I")
_MESSAGE_BYTES = _HEADER.size + _TEXT_BYTES + 4  # an empty tag ends the list
_SUCCESS = 0x80000000


class FirmwareSilent(LabelcamError, OSError):
    """The firmware cannot be asked, or does not know the question."""


class Firmware:
    """Answers what it is asked in words, as `vcgencmd` prints it. Safe to use from several threads."""

    def __init__(self, root: Path = Path("/"), ioctl: Ioctl = fcntl.ioctl) -> None:
        self._root, self._ioctl = root, ioctl

    def ask(self, question: str) -> str:
        """Return the answer to a command such as 'get_throttled'. Raises FirmwareSilent if there is none."""
        message = bytearray(_MESSAGE_BYTES)
        _HEADER.pack_into(message, 0, _MESSAGE_BYTES, 0, _GENCMD_RESULT, _TEXT_BYTES, 0, 0)
        message[_HEADER.size : _HEADER.size + len(question)] = question.encode("ascii")
        self._exchange(question, message)
        _, code, _, _, _, error = _HEADER.unpack_from(message)
        text = message[_HEADER.size : -4].split(b"\0", 1)[0].decode("ascii", "replace").strip("\n")
        if code != _SUCCESS or error or text.startswith("error="):
            raise FirmwareSilent(
                f"the firmware does not answer {question!r} ({text or hex(code)}); this board has none"
            )
        return text

    def _exchange(self, question: str, message: bytearray) -> None:
        node = self._open()
        try:
            self._ioctl(node, _PROPERTY, message)
        except OSError as error:
            raise FirmwareSilent(f"the firmware does not answer {question!r} ({error.strerror})") from error
        finally:
            os.close(node)

    def _open(self) -> int:
        """Open a node for one question: 10 microseconds, and nothing has to be closed later."""
        why: OSError | None = None
        for name in NODES:
            try:
                return os.open(self._root / name, os.O_RDONLY | os.O_CLOEXEC)
            except FileNotFoundError as error:
                why = why or error
            except OSError as error:
                why = error
        if isinstance(why, PermissionError):
            raise FirmwareSilent(f"{why.filename}: permission denied; add the user to the group 'video'")
        raise FirmwareSilent(f"{self._root / NODES[1]}: is not there; only a Raspberry Pi's firmware can be asked")
