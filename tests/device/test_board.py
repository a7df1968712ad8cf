# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0

import errno
import os
import struct
from pathlib import Path

import pytest

from labelcam.board import Board, BoardState
from labelcam.firmware import Firmware, FirmwareSilent
from recorded_board import Tape, pi5, write


def test_a_pi_5_tells_all_of_it(tmp_path: Path) -> None:
    """Model, governor, temperature, clock, and that nothing holds it back."""
    board = Board(tmp_path, Firmware(tmp_path, pi5(tmp_path)))
    assert (board.model, board.governor) == ("Raspberry Pi 5 Model B Rev 1.0", "ondemand")
    state = board.state()
    assert (state.celsius, state.mhz) == (pytest.approx(48.25), pytest.approx(2400))
    assert (state.throttled, state.undervolted) == (False, False)


def test_another_machine_tells_what_it_can(tmp_path: Path) -> None:
    """A PC without any of it gives None, never zero."""
    board = Board(tmp_path)
    assert (board.model, board.governor) == (None, None)
    assert board.state() == BoardState(None, None, None, None)


def test_the_thermal_zone_goes_by_type_not_by_number(tmp_path: Path) -> None:
    """Zone 0 may be the Wi-Fi's; the processor's is the one of its type."""
    write(tmp_path / "sys/class/thermal/thermal_zone0", {"type": "iwlwifi_1", "temp": 70000})
    write(tmp_path / "sys/class/thermal/thermal_zone3", {"type": "x86_pkg_temp", "temp": -2500})
    assert Board(tmp_path).state().celsius == pytest.approx(-2.5)


@pytest.mark.parametrize(
    ("bits", "throttled", "undervolted"),
    [
        (0x0, False, False),
        (0x1, False, True),
        (0x2, True, False),
        (0x4, True, False),
        (0x8, True, False),
        (0x50005, True, True),
        (0xF0000, False, False),
    ],
)
def test_the_throttle_bits_say_what_is_now(tmp_path: Path, bits: int, throttled: bool, undervolted: bool) -> None:
    """What has been since the start is the kernel's to clear, and nothing that we repeat."""
    tape = pi5(tmp_path)
    tape.answers["get_throttled"] = f"throttled={bits:#x}"
    state = Board(tmp_path, Firmware(tmp_path, tape)).state()
    assert (state.throttled, state.undervolted) == (throttled, undervolted)


def test_the_kernels_alarm_tells_low_voltage_without_the_firmware(tmp_path: Path) -> None:
    """Who is not in the group 'video' still learns of a weak supply."""
    pi5(tmp_path)
    alarm = tmp_path / "sys/class/hwmon/hwmon2/in0_lcrit_alarm"
    board = Board(tmp_path, Firmware(tmp_path / "elsewhere"))
    assert board.state().undervolted is False
    alarm.write_text("1\n")
    assert (board.state().undervolted, board.state().throttled) == (True, None)


def test_a_firmware_that_falls_silent_is_asked_again(tmp_path: Path) -> None:
    """One refused question is None, not the last answer, and not the end of it."""
    tape = pi5(tmp_path)
    board = Board(tmp_path, Firmware(tmp_path, tape))
    told = tape.answers.pop("get_throttled")
    assert board.state().throttled is None
    tape.answers["get_throttled"] = told
    assert board.state().throttled is False


def test_a_firmware_that_never_answers_is_asked_once(tmp_path: Path) -> None:
    """A question a second to nobody would be a load for nothing."""
    pi5(tmp_path)
    tape = Tape()
    board = Board(tmp_path, Firmware(tmp_path, tape))
    board.state()
    board.state()
    assert tape.asked == ["get_throttled"]


@pytest.mark.parametrize("node", ["vcio_gencmd", "vcio"])
def test_both_nodes_of_the_firmware_serve(tmp_path: Path, node: str) -> None:
    """New kernels have a node for questions only; old ones have one for everything."""
    assert Firmware(tmp_path, pi5(tmp_path, node)).ask("get_throttled") == "throttled=0x0"


def test_no_descriptor_is_left_open(tmp_path: Path) -> None:
    """A question a second for a year, and half of them refused."""
    firmware = Firmware(tmp_path, pi5(tmp_path))
    before = len(list(Path("/proc/self/fd").iterdir()))
    for question in ("get_throttled", "nonsense") * 3:
        try:
            firmware.ask(question)
        except FirmwareSilent:
            continue
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_whoever_may_not_ask_is_told_the_group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Permission denied has a remedy."""

    def refuse(path: Path, *_: object) -> int:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(FirmwareSilent, match=r"vcio: permission denied; add the user to the group 'video'"):
        Firmware(tmp_path).ask("get_throttled")


def test_a_real_ioctl_on_what_is_no_firmware_is_refused(tmp_path: Path) -> None:
    """The kernel's own answer to the real call arrives as our error."""
    pi5(tmp_path)
    with pytest.raises(FirmwareSilent, match="Inappropriate ioctl"):
        Firmware(tmp_path).ask("get_throttled")


@pytest.mark.parametrize(("code", "error"), [(0x80000001, 0), (0, 0), (0x80000000, 1)])
def test_a_request_that_the_firmware_could_not_read_is_no_answer(tmp_path: Path, code: int, error: int) -> None:
    """0x80000001 is its 'error parsing request buffer'; an untouched request means that nobody answered."""
    pi5(tmp_path)

    def broken(_node: int, _request: int, message: bytearray) -> None:
        struct.pack_into("=I", message, 4, code)
        struct.pack_into("=I", message, 20, error)

    with pytest.raises(FirmwareSilent):
        Firmware(tmp_path, broken).ask("get_throttled")
