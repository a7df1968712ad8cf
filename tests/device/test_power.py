# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0

import logging
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labelcam.errors import SettingsError
from labelcam.firmware import Firmware
from labelcam.power import MeterKind, MeterLost, open_meter
from labelcam.power.hwmon import Hwmon, choose, sensors
from labelcam.power.pmic import Pmic, rails
from labelcam.power.rapl import Rapl, growth
from recorded_board import INA219, INA3221, PMIC_ANSWER, PMIC_WATTS, Tape, hwmon, package, pi5, write


def test_the_pmic_is_the_sum_of_its_twelve_rails(tmp_path: Path) -> None:
    """Volts and amperes are paired by name; EXT5V and BATT have no current and count for nothing."""
    meter = Pmic(Firmware(tmp_path, pi5(tmp_path)))
    assert len(rails(PMIC_ANSWER)) == 12
    assert meter.read() == pytest.approx(PMIC_WATTS, abs=1e-6)


def test_the_pmics_estimate_is_told_apart_from_what_it_measures(tmp_path: Path) -> None:
    """What is read is the raw sum; the plate has the estimate of the whole board, and says whose it is."""
    correction = Pmic(Firmware(tmp_path, pi5(tmp_path))).plate.correction
    assert correction
    assert correction.watts(4.0) == pytest.approx(1.1451 * 4.0 + 0.5879)
    assert "fit" in correction.source


@pytest.mark.parametrize("answer", ["", "VDD_CORE_V volt(15)=0.88V", "VDD_CORE_A current(7)=1.0A", "garbage"])
def test_half_an_answer_of_the_pmic_is_no_power(tmp_path: Path, answer: str) -> None:
    """Without a rail that has both volts and amperes there is no figure, not one of zero watts."""
    pi5(tmp_path)
    with pytest.raises(MeterLost):
        Pmic(Firmware(tmp_path, Tape({"pmic_read_adc": answer}))).read()


def test_an_ina219_is_found_by_name_and_read_in_watts(tmp_path: Path) -> None:
    """Its folder's number means nothing; the driver's power register, in microwatts, is what is read."""
    hwmon(tmp_path, 0, {"name": "cpu_thermal", "temp1_input": 48000}, "thermal_zone0")
    hwmon(tmp_path, 7, INA219)
    meter = open_meter("hwmon", root=tmp_path)
    assert meter.read() == pytest.approx(1.784)
    assert meter.plate.name == "hwmon ina219@1-0040/1"
    assert meter.plate.resolution == pytest.approx(0.002)  # 20 steps of 0.1 mA at 0.1 ohm, by the data sheet


def test_an_ina226_has_something_new_only_once_in_its_interval(tmp_path: Path) -> None:
    """It averages 16 conversions, and says for how long; asking more often would count one reading twice."""
    hwmon(tmp_path, 1, INA219 | {"name": "ina226", "update_interval": 36})
    assert open_meter("hwmon", root=tmp_path).plate.max_hz == pytest.approx(1000 / 36)


def test_an_ina3221_is_read_by_channel(tmp_path: Path) -> None:
    """It tells volts and amperes, not watts; channels go by number or the board's own label; disabled ones are out."""
    hwmon(tmp_path, 3, INA3221, "1-0041")
    by_number, by_label = (open_meter("hwmon", f"ina3221{part}", tmp_path) for part in ("/1", "@1-0041/VDD_CPU"))
    assert by_number.read() == pytest.approx(5.0 * 0.8)
    assert by_label.read() == pytest.approx(4.99 * 0.3)
    assert by_number.plate.resolution == pytest.approx(0.008 * 5.0)  # 40 uV over 5 milliohms, at 5 V
    assert len(sensors(tmp_path)) == 2


def test_two_of_the_same_are_told_apart_by_address(tmp_path: Path) -> None:
    """Without a name nobody guesses which of them feeds the board."""
    hwmon(tmp_path, 1, INA219)
    hwmon(tmp_path, 2, INA219 | {"power1_input": 500000}, "1-0044")
    with pytest.raises(SettingsError, match=r"several .*1-0040.*1-0044.*name the one"):
        open_meter("hwmon", root=tmp_path)
    assert open_meter("hwmon", "ina219@1-0044", tmp_path).read() == pytest.approx(0.5)
    assert choose(sensors(tmp_path), "ina219@1-0044/2") == []


def test_a_sensor_that_comes_back_under_another_number_is_found_again(tmp_path: Path) -> None:
    """Its driver was unbound and bound again: one reading is lost, the next is right."""
    folder = hwmon(tmp_path, 1, INA219)
    meter = open_meter("hwmon", "ina219", tmp_path)
    folder.rename(tmp_path / "gone")
    with pytest.raises(MeterLost):
        meter.read()
    hwmon(tmp_path, 4, INA219 | {"power1_input": 2000000})
    with pytest.raises(MeterLost):
        meter.read()
    assert meter.read() == pytest.approx(2.0)


@pytest.mark.parametrize("content", ["", "?", "1.5"])
def test_what_is_no_number_is_no_power(tmp_path: Path, content: str) -> None:
    """A driver that answers nonsense is a meter lost, not a traceback."""
    folder = hwmon(tmp_path, 1, INA219)
    meter = Hwmon(sensors(tmp_path)[0], tmp_path)
    (folder / "power1_input").write_text(content)
    with pytest.raises(MeterLost, match="hwmon ina219"):
        meter.read()


def test_rapl_counts_all_packages_and_nothing_twice(tmp_path: Path) -> None:
    """Cores are part of their package, and psys of everything."""
    zones = [package(tmp_path, number, 1_000_000) for number in (0, 1)]
    package(tmp_path, 2, 5).joinpath("name").write_text("psys\n")
    write(tmp_path / "sys/class/powercap/intel-rapl:0:0", {"name": "core", "energy_uj": 7, "max_energy_range_uj": 9})
    meter = open_meter("rapl", root=tmp_path)
    assert meter.plate.unit == "joules"
    before = meter.read()
    for zone, grown in zip(zones, (2_500_000, 1_250_000), strict=True):
        (zone / "energy_uj").write_text(str(1_000_000 + grown))
    assert meter.read() - before == pytest.approx(3.75)


def test_rapls_counter_begins_again_at_zero(tmp_path: Path) -> None:
    """At 65 W a counter comes round once an hour, and no joule is lost or made up there."""
    zone = package(tmp_path, 0, 262143000000)
    meter = Rapl(tmp_path)
    (zone / "energy_uj").write_text("671150")
    assert meter.read() == pytest.approx(1.0, abs=1e-3)


@given(st.integers(1, 2**40), st.data())
def test_growth_is_what_was_added_whether_it_wrapped_or_not(reaches: int, data: st.DataObject) -> None:
    """For any counter, any stand and any growth up to half of what it reaches."""
    before = data.draw(st.integers(0, reaches))
    grown = data.draw(st.integers(0, reaches // 2))
    assert growth(before, (before + grown) % (reaches + 1), reaches) == grown


def test_a_counter_that_was_set_back_is_no_energy(tmp_path: Path) -> None:
    """After sleep some begin anew: that is no wrap with a quarter of a megajoule; from there it counts on."""
    zone = package(tmp_path, 0, 5_000_000)
    meter = Rapl(tmp_path)
    (zone / "energy_uj").write_text("1000")
    with pytest.raises(MeterLost, match="began anew"):
        meter.read()
    (zone / "energy_uj").write_text("2001000")
    assert meter.read() == pytest.approx(2.0)


def test_rapl_for_root_alone_has_a_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the file, why it is closed and what opens it."""
    package(tmp_path, 0, 1)
    real = Path.read_text

    def refuse(path: Path, *args: str, **options: str) -> str:
        if path.name == "energy_uj":
            raise PermissionError(13, "Permission denied", str(path))
        return real(path, *args, **options)

    monkeypatch.setattr(Path, "read_text", refuse)
    with pytest.raises(SettingsError, match=r"energy_uj: root only since CVE-2020-8694; sudo chmod"):
        open_meter("rapl", root=tmp_path)


def test_auto_takes_the_boards_own_chip_first(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Then a sensor in the supply, the processor's counters, none; and the log says which and what it misses."""
    caplog.set_level(logging.INFO)
    package(tmp_path, 0, 1)
    silent = Firmware(tmp_path / "elsewhere")
    assert open_meter(root=tmp_path / "empty").plate.name == "none"
    assert open_meter(root=tmp_path, firmware=silent).plate.name == "rapl"
    hwmon(tmp_path, 1, INA219)
    assert open_meter(root=tmp_path, firmware=silent).plate.name.startswith("hwmon ina219")
    firmware = Firmware(tmp_path, pi5(tmp_path))
    assert open_meter(root=tmp_path, firmware=firmware).plate.name == "pmic"
    assert "misses=what is taken from 5 V directly: USB devices" in caplog.text
    assert open_meter("auto", "ina219", tmp_path, firmware).plate.name.startswith("hwmon ina219")


def test_auto_never_guesses_at_a_sensor_that_may_be_a_laptops_battery(tmp_path: Path) -> None:
    """Only the chips that people solder into a supply are taken unasked; others are taken by name."""
    hwmon(tmp_path, 1, {"name": "BAT0", "in0_input": 12000, "curr0_input": 900, "power1_input": 7000000}, "BAT0")
    assert open_meter(root=tmp_path).plate.name == "none"
    assert open_meter("hwmon", "BAT0", tmp_path).read() == pytest.approx(7.0)


@pytest.mark.parametrize(
    ("kind", "sensor", "why"),
    [
        ("pmic", "", "meter 'pmic': .*dev/vcio: is not there; only a Raspberry Pi"),
        ("hwmon", "", "no power sensor of the INA family among hwmon's .*none at all"),
        ("hwmon", "ina226", "no sensor 'ina226'"),
        ("auto", "ina226", "no sensor 'ina226'"),
        ("rapl", "", "only x86 processors have one"),
        ("rapl", "ina219", "the sensor 'ina219' is hwmon's"),
    ],
)
def test_a_meter_that_was_named_is_never_silently_another(
    tmp_path: Path, kind: MeterKind, sensor: str, why: str
) -> None:
    """It is there, or the settings cannot be used as written."""
    with pytest.raises(SettingsError, match=why):
        open_meter(kind, sensor, tmp_path)


def test_a_pi_4_has_no_pmic_to_ask(tmp_path: Path) -> None:
    """Its firmware answers, but does not know the question."""
    pi5(tmp_path)
    with pytest.raises(SettingsError, match=r"Command not registered.*Raspberry Pi 5"):
        open_meter("pmic", root=tmp_path, firmware=Firmware(tmp_path, Tape()))


def test_none_has_nothing_to_say() -> None:
    """Its plate says so, and asking it is a mistake that is answered like any lost meter."""
    meter = open_meter("none")
    assert meter.plate.max_hz == 0
    with pytest.raises(MeterLost):
        meter.read()
