# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0

import json
import os
import re
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest

from labelcam.checklist import Check, attempt, failed, show
from labelcam.doctor.accelerator import examine_corals
from labelcam.doctor.access import examine_access
from labelcam.doctor.health import examine_health
from labelcam.doctor.software import examine_picamera2
from labelcam.doctor.storage import examine_storage
from labelcam.errors import CameraLost, GateFailed, LabelcamError, SettingsError
from labelcam.firmware import Firmware
from recorded_board import Tape, pi5

NOW = datetime(2026, 11, 25, tzinfo=UTC)


def by_name(checks: list[Check]) -> dict[str, Check]:
    return {check.name: check for check in checks}


def put(root: Path, path: str, text: str = "") -> Path:
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


def pi(root: Path) -> Path:
    put(root, "proc/device-tree/model", "Raspberry Pi 5 Model B Rev 1.0\0")
    return root


def test_this_machine_can_be_examined(labelcam: Callable[..., SimpleNamespace]) -> None:
    """Every check has a name and something to tell, what fails has a remedy, and the exit code says whether any did."""
    done = labelcam("doctor", "--json")
    document = json.loads(done.stdout)
    assert document["schema"] == 1
    assert {"python", "interpreter", "disk", "memory", "clock"} <= {check["name"] for check in document["checks"]}
    assert all(check["detail"] and (check["ok"] or check["remedy"]) for check in document["checks"])
    assert document["ok"] == all(check["ok"] for check in document["checks"])
    assert done.returncode == (0 if document["ok"] else 1)


def test_people_read_a_line_for_each(labelcam: Callable[..., SimpleNamespace]) -> None:
    """Ok or FAIL, what it is about, and what there is to say."""
    lines = labelcam("doctor").stdout.splitlines()
    assert re.match(r"ok   python +3\.1\d\.\d+ on ", lines[0])
    assert all(re.match(r"(ok  |FAIL) \S|     ", line) for line in lines)


@pytest.mark.parametrize(
    ("module", "wanted"),
    [
        ("raise ValueError('numpy.dtype size changed, may indicate binary incompatibility')", "pip install 'numpy<2'"),
        ("raise ImportError('libcamera.so.0.5: cannot open shared object file')", "--reinstall"),
        ("x = 1", None),
    ],
)
def test_picamera2_is_imported_as_the_service_would(
    module: str, wanted: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that was built for another numpy is told from one that is not whole."""
    put(tmp_path, "site/picamera2.py", module)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site"))
    (found,) = examine_picamera2(tmp_path)
    assert found.ok is (wanted is None)
    assert (wanted or "") in found.remedy


def test_only_a_pi_misses_picamera2(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A laptop does not need it; a Pi is told the one command."""
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert list(examine_picamera2(tmp_path)) == []
    (found,) = examine_picamera2(pi(tmp_path))
    assert not found.ok
    assert "sudo apt install -y python3-picamera2" in found.remedy


def test_a_python_that_hangs_is_no_hang(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An import that never ends is a finding as well."""
    monkeypatch.setattr("labelcam.doctor.software.PATIENCE_S", 0.5)
    slow = put(tmp_path, "python", "#!/bin/sh\nexec sleep 30\n")
    slow.chmod(0o755)
    (found,) = examine_picamera2(tmp_path, str(slow))
    assert not found.ok
    assert sys.executable


def test_devices_that_are_not_ours_name_the_group(tmp_path: Path) -> None:
    """The remedy is the command that mends it, for the group that the device belongs to."""
    for name in ("video0", "video1", "media0", "media1"):
        put(tmp_path, f"dev/{name}")
    put(tmp_path, "dev/i2c-1")
    for path in (tmp_path / "dev").iterdir():
        os.chown(path, -1, 44 if path.name != "i2c-1" else os.getgid())
    found = by_name(list(examine_access(tmp_path, may_use=lambda path: path.name == "i2c-1")))
    assert set(found) == {"cameras", "i2c"}
    assert found["i2c"].ok
    assert "video0 and 1 more" in found["cameras"].detail
    assert re.fullmatch(r"sudo usermod -aG video \S+, then log in again", found["cameras"].remedy)


def test_devices_of_root_want_a_udev_rule(tmp_path: Path) -> None:
    """No group would help there."""
    put(tmp_path, "dev/vcio")
    os.chown(tmp_path / "dev/vcio", 0, 0)
    (found,) = examine_access(tmp_path, may_use=lambda _: False)
    assert "labelcam.rules" in found.remedy


def coral(root: Path, speed: int, usable: bool = True) -> None:
    about = {"idVendor": "18d1", "idProduct": "9302", "speed": speed, "busnum": 2, "devnum": 3}
    for name, value in about.items():
        put(root, f"sys/bus/usb/devices/2-1/{name}", f"{value}\n")
    if usable:
        put(root, "dev/bus/usb/002/003")


def test_a_coral_on_usb_2_is_slow(tmp_path: Path) -> None:
    """It works at a third of its speed, which nobody notices who is not told; and its library is tried."""
    coral(tmp_path, 480)
    found = by_name(list(examine_corals(tmp_path, library="libnot-there.so")))
    assert "480 Mbit/s, USB 2" in found["coral 2-1"].detail
    assert "blue USB 3 port" in found["coral 2-1"].remedy
    assert not found["edgetpu"].ok
    assert "libnot-there.so" in found["edgetpu"].detail
    assert found["edgetpu"].remedy


def test_a_coral_that_is_not_ours_is_not_tried(tmp_path: Path) -> None:
    """No stick, no check; one that may not be opened names the rule."""
    assert list(examine_corals(tmp_path)) == []
    coral(tmp_path, 5000, usable=False)
    (found,) = examine_corals(tmp_path)
    assert "labelcam.rules" in found.remedy


@pytest.mark.parametrize(
    ("bits", "supply", "temperature"),
    [
        ("0x0", True, True),
        ("0x1", False, True),
        ("0x10000", False, True),
        ("0x4", True, False),
        ("0x50005", False, False),
    ],
)
def test_the_firmware_tells_of_low_voltage_and_heat(bits: str, supply: bool, temperature: bool, tmp_path: Path) -> None:
    """Under-voltage, now or since the start, and throttling."""
    pi5(tmp_path)
    firmware = Firmware(tmp_path, Tape({"get_throttled": f"throttled={bits}"}))
    found = by_name(list(examine_health(tmp_path, firmware, NOW)))
    assert found["board"].detail == "Raspberry Pi 5 Model B Rev 1.0"
    assert (found["supply"].ok, found["temperature"].ok) == (supply, temperature)
    assert found["temperature"].detail.startswith("48 °C")


def test_a_clock_of_1970_has_never_been_set(tmp_path: Path) -> None:
    """A Pi has no battery for its clock."""
    found = by_name(list(examine_health(tmp_path, now=datetime(1970, 1, 2, tzinfo=UTC))))
    assert not found["clock"].ok
    assert "never been set" in found["clock"].detail
    assert by_name(list(examine_health(tmp_path, now=NOW)))["clock"].ok


def test_a_card_that_has_become_read_only_is_noticed(tmp_path: Path) -> None:
    """The kernel does that when a card fails; memory that is short is told as well."""
    put(tmp_path, "proc/mounts", "none / overlay rw 0 0\n/dev/mmcblk0p2 / ext4 ro,noatime 0 0\n")
    put(tmp_path, "proc/meminfo", "MemTotal: 425000 kB\nMemAvailable:     90000 kB\n")
    found = by_name(list(examine_storage(tmp_path)))
    assert "mounted read-only" in found["disk"].detail
    assert found["memory"].detail == "92 MB available"
    assert not found["memory"].ok


def test_a_disk_with_room_and_memory_is_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And one without room is not."""
    put(tmp_path, "proc/mounts", "/dev/mmcblk0p2 / ext4 rw,noatime 0 0\n")
    put(tmp_path, "proc/meminfo", "MemAvailable: 900000 kB\n")
    monkeypatch.setattr("labelcam.doctor.storage.shutil.disk_usage", lambda _: SimpleNamespace(free=3_000_000_000))
    assert all(check.ok for check in examine_storage(tmp_path))
    monkeypatch.setattr("labelcam.doctor.storage.shutil.disk_usage", lambda _: SimpleNamespace(free=100_000_000))
    assert "make room" in by_name(list(examine_storage(tmp_path)))["disk"].remedy


def test_the_most_lasting_failure_is_the_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    """78, 3, 74, 1: in that order, whatever failed first; a remedy is printed once."""
    checks: list[Check] = []

    def fail(error: LabelcamError) -> Callable[[], tuple[None, str]]:
        def work() -> tuple[None, str]:
            raise error

        return work

    assert attempt(checks, "good", lambda: (7, "seven")) == 7
    wanted = 0
    for error, code in (
        (LabelcamError("no broker; start it"), 1),
        (CameraLost("no camera; plug it in"), 74),
        (GateFailed("golden fails; build it again"), 3),
        (SettingsError("typo; mend it"), 78),
    ):
        assert show(checks, as_json=False) == wanted
        assert attempt(checks, "bad", fail(error)) is None
        wanted = code
    capsys.readouterr()
    assert show([*checks, failed("disk", "full", "make room")], as_json=False) == 78
    shown = capsys.readouterr().out
    assert shown.count("mend it") == 1
    assert "     " in shown
    assert "make room" in shown
