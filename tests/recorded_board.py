# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""A board as it was recorded: the kernel's files written out, and a firmware that answers by the documented mailbox."""

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

PMIC_ANSWER = (Path(__file__).parent / "fixtures" / "pmic_read_adc.txt").read_text()
"""What a Raspberry Pi 5 under full load said, as published with the fit that `power.pmic` cites (jfikar/RPi5-power)."""

PMIC_WATTS = 10.799894446988574
"""The sum of volts times amperes in it, reckoned by hand (and a calculator)."""

UNKNOWN = 'error=1 error_msg="Command not registered"'

# What the kernel shows of an INA219 with a shunt of 0.1 ohm: read off a real driver over an emulated chip.
INA219 = {"name": "ina219", "in0_input": 35, "in1_input": 5100, "curr1_input": 350, "power1_input": 1784000,
          "shunt_resistor": 100000}  # fmt: skip

# Documentation/hwmon/ina3221: volts and milliamperes of three channels, the shunts' millivolts after them.
INA3221 = {"name": "ina3221", "in1_label": "VDD_IN", "in2_label": "VDD_CPU", "in3_label": "", "in1_input": 5000,
           "in2_input": 4990, "in3_input": 0, "curr1_input": 800, "curr2_input": 300, "curr3_input": 0, "in1_enable": 1,
           "in2_enable": 1, "in3_enable": 0, "in4_input": 4, "in5_input": 2, "in6_input": 0,
           "shunt1_resistor": 5000}  # fmt: skip


def write(folder: Path, attributes: Mapping[str, object]) -> Path:
    """Write a folder of sysfs attributes, each with the line break that the kernel ends it with."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, value in attributes.items():
        (folder / name).write_text(f"{value}\n")
    return folder


def hwmon(root: Path, number: int, attributes: Mapping[str, object], address: str = "1-0040") -> Path:
    """Write a hwmon chip, with the link to the device that it is attached as."""
    device = root / "sys/devices/i2c" / address
    device.mkdir(parents=True, exist_ok=True)
    folder = write(root / f"sys/class/hwmon/hwmon{number}", attributes)
    (folder / "device").symlink_to(device)
    return folder


def package(root: Path, number: int, energy_uj: int, reaches_uj: int = 262143328850) -> Path:
    """Write one package's counter as powercap has it."""
    attributes = {"name": f"package-{number}", "energy_uj": energy_uj, "max_energy_range_uj": reaches_uj}
    return write(root / f"sys/class/powercap/intel-rapl:{number}", attributes)


@dataclass
class Tape:
    """An ioctl that answers as a firmware was recorded to answer; what it does not know it refuses as firmware does."""

    answers: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def __call__(self, _node: int, request: int, message: bytearray) -> int:
        assert request == 0xC0086400  # as strace shows it of vcgencmd on 64 bits
        size, code, tag, room, length, error = struct.unpack_from("=6I", message)
        assert (size, code, tag, length, error) == (len(message), 0, 0x00030080, 0, 0)
        assert struct.unpack_from("=I", message, 24 + room) == (0,)  # no further tag
        question = message[24 : 24 + room].split(b"\0")[0].decode()
        self.asked.append(question)
        answer = self.answers.get(question, UNKNOWN).encode() + b"\n\0"
        message[24 : 24 + len(answer)] = answer
        struct.pack_into("=6I", message, 0, size, 0x80000000, tag, room, 0x80000000 | len(answer), 0)
        return 0


def pi5(root: Path, node: str = "vcio_gencmd") -> Tape:
    """Write a Raspberry Pi 5 and return its firmware."""
    (root / "dev").mkdir(parents=True, exist_ok=True)
    (root / "dev" / node).touch()
    write(root / "sys/class/thermal/thermal_zone0", {"type": "cpu-thermal", "temp": 48250})
    cpufreq = {"scaling_cur_freq": 2400000, "scaling_governor": "ondemand"}
    write(root / "sys/devices/system/cpu/cpu0/cpufreq", cpufreq)
    hwmon(root, 2, {"name": "rpi_volt", "in0_lcrit_alarm": 0}, "rpi_volt")
    (root / "proc/device-tree").mkdir(parents=True)
    (root / "proc/device-tree/model").write_text("Raspberry Pi 5 Model B Rev 1.0\0")
    return Tape({"pmic_read_adc": PMIC_ANSWER, "get_throttled": "throttled=0x0"})
