# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Whether an Edge TPU can be opened, and one line with the remedy where it cannot: the library is real, if ours."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from edgetpu_library import Stick
from labelcam.edgetpu.probe import probe

BUILD = "feranick/libedgetpu"


def test_one_that_works_is_found(stick: Stick) -> None:
    """The library is loaded, the stick opened and let go of again."""
    found = probe(stick.machine())
    assert (found.ok, found.detail) == (True, f"{stick.library} opens an Edge TPU")


@pytest.mark.parametrize(
    ("how", "detail", "remedy"),
    [
        ("none", "no Coral USB Accelerator is plugged in", "plug one in"),
        ("says Failed to open device", "no Edge TPU can be opened (Failed to open device)", "plug the stick in anew"),
        ("segfault", "crashes (SIGSEGV): it was built for another interpreter", BUILD),
        ("give up", "(SIGABRT: F driver/usb/usb_driver.cc:834] transfer on tag 2 failed", "plug the stick in anew"),
    ],
)
def test_each_failure_has_its_reason_and_remedy(stick: Stick, how: str, detail: str, remedy: str) -> None:
    """A crash is survived; a silent 'no' of the library is looked into."""
    stick.behave(how)
    found = probe(stick.machine())
    assert not found.ok
    assert detail in found.detail
    assert remedy in found.remedy


def test_a_library_that_hangs_is_ended(stick: Stick) -> None:
    """It holds Python's lock meanwhile, so only another process can tell."""
    stick.behave("hang")
    found = probe(stick.machine(stage_s=0.3))
    assert (found.ok, found.detail) == (False, "the Edge TPU gave no answer within 0.3 s during delegate")


def test_a_stick_that_may_not_be_opened_is_told_from_none(stick: Stick) -> None:
    """The library says nothing in either case."""
    stick.behave("none")
    stick.plug(node=False)
    found = probe(stick.machine())
    assert "the Coral on port 2-1 cannot be opened" in found.detail
    assert "plugdev" in found.remedy


def test_a_stick_that_another_program_holds_is_told_from_none(stick: Stick) -> None:
    """One process at a time may use it."""
    stick.behave("none")
    stick.plug()
    assert "end the other program that uses it" in probe(stick.machine()).remedy


def test_a_library_that_is_not_there_is_named(stick: Stick) -> None:
    """By the name that was looked for, with the build to install."""
    found = probe(stick.machine("libedgetpu-of-nobody.so.1"))
    assert found.detail == "libedgetpu-of-nobody.so.1 is not installed"
    assert BUILD in found.remedy


def test_a_library_of_another_kind_is_refused(stick: Stick, need_tool: Callable[..., str], tmp_path: Path) -> None:
    """Bytes that are no library, and a library that is no delegate: neither is made for this."""
    junk, other = tmp_path / "junk.so", tmp_path / "other.so"
    junk.write_bytes(b"no library at all, but long enough to be looked at as one: " * 9)
    subprocess.run([need_tool("gcc", "gcc"), "-shared", "-o", other, "-xc", "/dev/null"], check=True)
    for library in (junk, other):
        found = probe(stick.machine(str(library)))
        assert f"{library} is not made for this system" in found.detail
        assert BUILD in found.remedy


def test_a_library_that_lacks_another_says_which(stick: Stick, need_tool: Callable[..., str], tmp_path: Path) -> None:
    """Libedgetpu needs libusb."""
    needed, library = tmp_path / "libusb-of-nobody.so", tmp_path / "needy.so"
    gcc = need_tool("gcc", "gcc")
    subprocess.run([gcc, "-shared", "-Wl,-soname,libusb-of-nobody.so", "-o", needed, "-xc", "/dev/null"], check=True)
    subprocess.run(
        [gcc, "-shared", "-Wl,--no-as-needed", "-o", library, "-xc", "/dev/null", "-xnone", needed], check=True
    )
    needed.unlink()
    found = probe(stick.machine(str(library)))
    assert "lacks a library (libusb-of-nobody.so: cannot open" in found.detail
    assert "libusb-1.0-0" in found.remedy
