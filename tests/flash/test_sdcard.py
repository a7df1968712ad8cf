# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The image of a card: what is put into it without mounting it, and what its first boot makes of that.

The images are generated, laid out as Raspberry Pi OS is; the first boot runs here among stand-ins of system tools.
What a real kernel and systemd make of it is told by tests/pi.
"""

import json
import lzma
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from labelcam_flash.cli import main
from labelcam_flash.errors import CardFailed
from labelcam_flash.sdcard import making
from labelcam_flash.sdcard.making import Wanted, make_image
from labelcam_flash.sdcard.owner import Owner
from labelcam_flash.sdcard.wifi import wifi_of
from raspios_image import Layout, boot_file, boot_files, unpack_boot, write_image

if TYPE_CHECKING:
    from conftest import StandIn

ROOT = Path(__file__).parents[2]

KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPz anna@it\'s "home" $(id)'
TOOLS = {"sfdisk": "fdisk", "mkfs.vfat": "dosfstools", "mcopy": "mtools", "mke2fs": "e2fsprogs"}

APT_LACKS = """#!/bin/sh
echo " python3-picamera2 : Depends: python3-libcamera but it is not installable"
echo "E: Unable to correct problems, you have held broken packages." >&2
exit 100
"""
"""What apt says of a package alone."""

PASSWORD = "correct horse's $battery"

BOOKWORM = Layout("bookworm")
TRIXIE = Layout("trixie", cloud_init=True)


@dataclass(frozen=True, slots=True)
class Desk:
    """Where cards are prepared."""

    folder: Path
    wanted: Wanted
    downloaded: Callable[[Layout], Path]
    """A fresh image of that layout."""

    def prepare(self, layout: Layout) -> Path:
        """Make a card's image of a freshly downloaded one."""
        return make_image(replace(self.wanted, image=self.downloaded(layout)), self.folder / "out's/card.img")


@pytest.fixture(scope="session")
def downloaded(tmp_path_factory: pytest.TempPathFactory, need_tool: Callable[..., str]) -> Callable[[Layout], Path]:
    """Return the image of a layout, made once: nothing that prepares a card may change it."""
    for program, package in TOOLS.items():
        need_tool(program, package)
    folder = tmp_path_factory.mktemp("downloads")
    return cache(lambda layout: write_image(folder / f"{abs(hash(layout))}.img", layout))


@pytest.fixture
def desk(
    tmp_path: Path, stand_in: "StandIn", downloaded: Callable[[Layout], Path], monkeypatch: pytest.MonkeyPatch
) -> Desk:
    """One with a model, settings and a Wi-Fi, and with wheels that need not be real."""
    monkeypatch.setattr(making, "wheelhouse", stand_in.wheels)
    folder = tmp_path / "desk"
    folder.mkdir()
    (folder / "password").write_text(PASSWORD + "\n")
    (folder / "model.tflite").write_bytes(b"good")
    wifi = wifi_of('Café "net";', folder / "password", "de")
    owner = Owner("feeder", "anna", (KEY,), wifi, "Europe/Berlin")
    wanted = Wanted(folder / "raspios.img", owner, folder / "model.tflite", "# mine\n", [], folder / "cache")
    return Desk(folder, wanted, downloaded)


def test_a_system_with_cloud_init_gets_its_three_files(desk: Desk) -> None:
    """Name, user, key, Wi-Fi and time zone, in JSON, which is YAML; and one instance id in both places."""
    image = desk.prepare(TRIXIE)
    first, told = boot_file(image, "user-data").decode().split("\n", 1)
    user_data = json.loads(told)
    assert first == "#cloud-config"
    assert (user_data["hostname"], user_data["timezone"]) == ("feeder", "Europe/Berlin")
    (user,) = user_data["users"]
    assert (user["name"], user["ssh_authorized_keys"], user["lock_passwd"]) == ("anna", [KEY], True)
    wifi = json.loads(boot_file(image, "network-config"))["network"]["wifis"]["wlan0"]
    assert wifi["access-points"] == {'Café "net";': {"password": desk.wanted.owner.wifi.key}}  # type: ignore[union-attr]
    assert wifi["regulatory-domain"] == "DE"
    instance = boot_file(image, "meta-data").decode().split()[1]
    words = boot_file(image, "cmdline.txt").decode().split()
    assert words[-2:] == [f"ds=nocloud;i={instance}", "cfg80211.ieee80211_regdom=DE"]
    assert "ssh" in boot_files(image)


def test_the_installer_is_asked_for_with_every_boot_until_it_has_succeeded(desk: Desk) -> None:
    """What bootcmd says comes again after a power cut; its shell is one that a shell understands."""
    user_data = json.loads(boot_file(desk.prepare(TRIXIE), "user-data").decode().split("\n", 1)[1])
    ((shell, _, script),) = user_data["bootcmd"]
    subprocess.run([shell, "-n", "-c", script], check=True)
    assert script.startswith("[ ! -f /boot/firmware/labelcam/order.json ] ||")


def test_a_system_without_cloud_init_gets_a_script(desk: Desk) -> None:
    """The kernel's command line has systemd run it, and then start afresh; everything else on the line stays."""
    image = desk.prepare(BOOKWORM)
    before = boot_file(desk.downloaded(BOOKWORM), "cmdline.txt").decode().split()
    words = boot_file(image, "cmdline.txt").decode()
    assert words.count("\n") == 1
    assert words.split() == [
        *before,
        "systemd.run=/boot/firmware/firstrun.sh",
        "systemd.run_success_action=reboot",
        "systemd.unit=kernel-command-line.target",
    ]
    script = boot_file(image, "firstrun.sh")
    subprocess.run(["sh", "-n"], input=script, check=True)
    assert KEY in script.decode().splitlines()
    assert b"ssid=67;97;102;195;169;32;34;110;101;116;34;59;\n" in script


@pytest.mark.parametrize("layout", [BOOKWORM, TRIXIE], ids=lambda layout: layout.name)
def test_the_password_of_the_wifi_is_nowhere(desk: Desk, layout: Layout, capfd: pytest.CaptureFixture[str]) -> None:
    """Neither on the card nor on the screen: only the key that follows from it; and the image is the user's alone."""
    image = desk.prepare(layout)
    assert PASSWORD.encode() not in image.read_bytes()
    assert PASSWORD not in "".join(capfd.readouterr())
    assert image.stat().st_mode & 0o777 == 0o600


def test_a_packed_image_gives_the_same_card(desk: Desk) -> None:
    """An .img.xz is unpacked on the way."""
    plain = desk.prepare(TRIXIE)
    source = desk.folder / "raspios.img.xz"
    source.write_bytes(lzma.compress(desk.downloaded(TRIXIE).read_bytes(), preset=0))
    packed = make_image(replace(desk.wanted, image=source), desk.folder / "other.img")
    assert packed.stat().st_size == plain.stat().st_size
    for name in ("user-data", "cmdline.txt", "labelcam/payload", "labelcam/install.pyz"):
        assert boot_file(packed, name) == boot_file(plain, name)


def test_a_damaged_download_leaves_nothing_behind(desk: Desk) -> None:
    """Cut short or overwritten, it is named, and no half of a card lies about."""
    whole = lzma.compress(desk.downloaded(TRIXIE).read_bytes(), preset=0)
    for content in (whole[: len(whole) // 2], whole[:2000] + bytes(1000) + whole[3000:]):
        source = desk.folder / "raspios.img.xz"
        source.write_bytes(content)
        with pytest.raises(CardFailed, match="damaged or incomplete; download it again"):
            make_image(replace(desk.wanted, image=source), desk.folder / "out's/card.img")
    assert list((desk.folder / "out's").iterdir()) == []


@pytest.mark.parametrize(
    ("layout", "why"),
    [
        (Layout("bullseye"), "Debian GNU/Linux 11 .bullseye.; use Raspberry Pi OS Bookworm or Trixie"),
        (Layout("bookworm", machine="arm"), "use the 64-bit image"),
    ],
)
def test_a_system_that_no_release_can_be_made_for_is_refused(desk: Desk, layout: Layout, why: str) -> None:
    """With the one that to take."""
    with pytest.raises(CardFailed, match=why):
        desk.prepare(layout)


def test_what_is_no_image_is_refused(desk: Desk) -> None:
    """A file of another kind, an image of another layout, and no file at all."""
    other = desk.folder / "other.img"
    for content, why in ((b"PK\x03\x04" * 1000, "not laid out like Raspberry Pi OS"), (b"", "not laid out")):
        other.write_bytes(content)
        with pytest.raises(CardFailed, match=why):
            make_image(replace(desk.wanted, image=other), desk.folder / "card.img")
    for out in (desk.folder / "card.img", other):  # one that is there already makes no difference
        with pytest.raises(CardFailed, match="no such file; download"):
            make_image(replace(desk.wanted, image=desk.folder / "none.img"), out)
    with pytest.raises(CardFailed, match=r"give an \.img or \.img\.xz"):
        make_image(replace(desk.wanted, image=desk.folder / "raspios.zip"), desk.folder / "card.img")


def test_out_is_neither_the_download_nor_a_device(desk: Desk) -> None:
    """One would be lost, the other would become a file among devices."""
    source = desk.downloaded(TRIXIE)
    for out in (source, Path("/dev/null"), desk.folder):
        with pytest.raises(CardFailed, match="name a new file for the image; a card is named by DEVICE="):
            make_image(replace(desk.wanted, image=source), out)


def test_a_boot_partition_that_is_too_small_is_said_so(desk: Desk) -> None:
    """With what is free and what is needed, before anything is written to it."""
    desk.wanted.model.write_bytes(bytes(60_000_000))  # type: ignore[union-attr]
    with pytest.raises(CardFailed, match=r"\d+ MB are free on the image's boot partition and 73 are needed"):
        desk.prepare(TRIXIE)


def test_a_card_that_is_prepared_already_is_not_prepared_again(desk: Desk) -> None:
    """IMAGE is to be a fresh one: two owners in one image would be neither's."""
    once = desk.prepare(TRIXIE)
    with pytest.raises(CardFailed, match="prepared already"):
        make_image(replace(desk.wanted, image=once), desk.folder / "twice.img")


def test_empty_settings_are_settings(desk: Desk) -> None:
    """An empty file is valid, and all defaults: it is what the card gets, rather than their commented text."""
    image = replace(desk, wanted=replace(desk.wanted, settings="")).prepare(TRIXIE)
    assert json.loads(boot_file(image, "labelcam/order.json"))["release"]["files"]["labelcam.toml"]["bytes"] == 0


def test_a_tool_that_is_missing_is_named(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the line that installs it, before anything is begun."""
    monkeypatch.setattr("labelcam_flash.sdcard.tools.shutil.which", lambda *_, **__: None)
    with pytest.raises(CardFailed, match="there is no mcopy on this computer; install it: sudo apt install mtools"):
        make_image(desk.wanted, desk.folder / "card.img")


def test_a_csi_camera_needs_what_lite_images_lack(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    """It is said before the card is written, and not where the image or the user brings it."""
    deb = desk.folder / "python3-picamera2_0.3.31-1_all.deb"
    deb.write_bytes(b"deb")
    line = "sudo apt install -y python3-picamera2 --no-install-recommends"
    desk.prepare(TRIXIE)
    assert line in capsys.readouterr().err
    desk.prepare(replace(TRIXIE, picamera2=True))
    assert line not in capsys.readouterr().err
    taken = replace(desk, wanted=replace(desk.wanted, debs=[deb]))
    image = taken.prepare(TRIXIE)
    assert line not in capsys.readouterr().err
    assert boot_file(image, f"labelcam/debs/{deb.name}") == b"deb"


def test_the_whole_command(desk: Desk, person_model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A real model and real settings are checked, what was made is said; a card is named after its Pi."""
    settings, key, out = desk.folder / "my.toml", desk.folder / "id.pub", desk.folder / "feeder.img"
    settings.write_text('[camera]\nsource = "v4l2:/dev/video0"\n')
    key.write_text(KEY + "\n")
    given = ["--image", str(desk.downloaded(TRIXIE)), "--out", str(out), "--ssh-key", str(key)]
    given += ["--model", str(person_model), "--settings", str(settings)]
    assert main(["sdcard", *given, "--host", "feeder", "--device", "/dev/null"]) == 1
    assert "DEVICE=/dev/null: is no disk" in capsys.readouterr().err
    assert not out.exists()
    assert main(["sdcard", *given, "--host", "feeder"]) == 0
    assert capsys.readouterr().out == f"{out}: ready; on a card it comes up as feeder and installs labelcam by itself\n"
    files = json.loads(boot_file(out, "labelcam/order.json"))["release"]["files"]
    assert files["model.tflite"]["bytes"] == person_model.stat().st_size
    settings.write_text("[camera]\nsorce = 1\n")
    assert main(["sdcard", *given]) == 78


def test_a_password_in_the_environment_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make would put it on its command line, for everybody to see."""
    monkeypatch.setenv("WIFI_PASSWORD", PASSWORD)
    assert main(["sdcard", "--image", "raspios.img"]) == 2


def test_only_names_that_are_given_to_make_itself_count() -> None:
    """USER and HOST are in many an environment; and nothing that is given is read by a shell or as an option."""
    given = {**os.environ, "USER": "root", "HOST": "laptop"}
    command = ["make", "-n", "sdcard", "IMAGE=it's $(id).img"]
    asked = subprocess.run(command, cwd=ROOT, env=given, capture_output=True, text=True, check=True).stdout
    assert '--image="$IMAGE"' in asked
    assert "--user" not in asked
    assert "--host" not in asked
    command += ["USER=anna", "HOST=feeder"]
    asked = subprocess.run(command, cwd=ROOT, env=given, capture_output=True, text=True, check=True).stdout
    assert '--host="$HOST" --user="$USER"' in asked


@dataclass(frozen=True, slots=True)
class Fresh:
    """A Pi that has just been switched on with a card in it."""

    pi: "StandIn"
    boot: Path
    """/boot/firmware."""

    def start(self) -> "subprocess.Popen[bytes]":
        """Start the installer as its unit does."""
        command = [sys.executable, "-I", self.boot / "labelcam/install.pyz"]
        return subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True)

    def install(self) -> int:
        """Run the installer to its end and return its exit code."""
        return self.start().wait(timeout=120)

    def log(self) -> list[str]:
        """What can be read on the card afterwards."""
        return (self.boot / "labelcam-install.log").read_text().splitlines()


@pytest.fixture
def fresh(desk: Desk, stand_in: "StandIn", tmp_path: Path) -> Fresh:
    """One with the boot partition of a prepared card."""
    unpack_boot(desk.prepare(BOOKWORM), tmp_path / "firmware")
    unit = stand_in.base / "etc/systemd/system/labelcam-first-boot.service"
    unit.parent.mkdir(parents=True)
    unit.write_bytes((tmp_path / "firmware/labelcam/labelcam-first-boot.service").read_bytes())
    return Fresh(stand_in, tmp_path / "firmware")


def test_the_first_boot_installs_what_a_flash_would(fresh: Fresh) -> None:
    """The very release: a flash of the same sources finds nothing to do. What was brought along is gone."""
    assert fresh.install() == 0
    assert fresh.log()[-1] == "labelcam is installed: cat, 10.0 frames a second"
    assert "enable --quiet labelcam.service" in fresh.pi.calls()
    assert "runs already, nothing was changed" in fresh.pi.flash(b"good", "# mine\n")
    assert not (fresh.boot / "labelcam").exists()
    assert not (fresh.pi.base / "etc/systemd/system/labelcam-first-boot.service").exists()


def test_packages_that_came_along_are_installed_first(fresh: Fresh) -> None:
    """From their files alone; one that lacks another is named, and labelcam waits for a better card."""
    debs = fresh.boot / "labelcam/debs"
    debs.mkdir()
    (debs / "python3-picamera2_0.3_all.deb").write_bytes(b"deb")
    apt = fresh.pi.folder / "bin/apt-get"
    apt.write_text(APT_LACKS)
    apt.chmod(0o755)
    assert fresh.install() == 1
    assert "(python3-picamera2 : Depends: python3-libcamera but it is not installable)" in fresh.log()[-1]
    apt.write_text('#!/bin/sh\necho "$*" > "$STAND_IN/apt"\n')
    assert fresh.install() == 0
    assert (fresh.pi.folder / "apt").read_text().split()[-1] == str(debs / "python3-picamera2_0.3_all.deb")


def test_a_power_cut_in_the_middle_is_survived(fresh: Fresh) -> None:
    """Cut while it copies, the first boot is done anew by the next one."""
    with fresh.start() as process:
        while not any((fresh.pi.base / "opt/labelcam").glob("store/*")):
            assert process.poll() is None
            time.sleep(0.001)
        os.killpg(process.pid, signal.SIGKILL)
    assert (fresh.boot / "labelcam/order.json").is_file()
    assert fresh.install() == 0
    assert fresh.log()[-1].startswith("labelcam is installed")


def test_why_it_failed_is_on_the_card_and_it_is_tried_again(fresh: Fresh) -> None:
    """A payload that does not arrive as it was written; once it is whole again, so is the Pi."""
    payload = fresh.boot / "labelcam/payload"
    whole = payload.read_bytes()
    payload.write_bytes(whole[:-100])
    assert fresh.install() == 1
    assert "labelcam is NOT installed: " in fresh.log()[-1]
    assert "tried again at the next boot, SSH works meanwhile" in fresh.log()[-1]
    payload.write_bytes(whole)
    assert fresh.install() == 0


def test_a_pi_without_its_camera_is_installed_all_the_same(fresh: Fresh) -> None:
    """It may be attached later; the service is left enabled and goes on trying."""
    fresh.pi.fails("camera")
    assert fresh.install() == 0
    assert fresh.pi.live()


def test_a_model_that_fails_its_goldens_there_does_not_go_live(fresh: Fresh) -> None:
    """What a camera's absence excuses, wrong answers do not."""
    fresh.pi.fails("model")
    assert fresh.install() == 1
    assert "model: fails here" in fresh.log()[-1]
    assert not (fresh.pi.base / "opt/labelcam/current").exists()


def test_a_service_that_does_not_come_up_is_told_and_left_enabled(fresh: Fresh, desk: Desk, tmp_path: Path) -> None:
    """Nobody watches a first boot: what is to be done about it stands in the log."""
    desk.wanted.model.write_bytes(b"bad")  # type: ignore[union-attr]
    unpack_boot(desk.prepare(BOOKWORM), fresh.boot)
    assert fresh.install() == 0
    assert fresh.log()[-1] == (
        "labelcam is installed: no label yet (the service failed to start: labelcam: that is why); it goes on trying"
    )


def test_a_release_that_was_flashed_meanwhile_stays(fresh: Fresh) -> None:
    """The card's is older than what somebody has put there since."""
    fresh.pi.flash(b"good, and new")
    live = fresh.pi.live()
    assert fresh.install() == 0
    assert fresh.pi.live() == live
    assert f"release {live} has been flashed meanwhile and stays" in fresh.log()[-1]


def test_the_unit_of_the_first_boot_is_one_that_systemd_understands(
    desk: Desk, tmp_path: Path, need_tool: Callable[..., str]
) -> None:
    """`systemd-analyze verify` is silent."""
    analyze = need_tool("systemd-analyze", "systemd")
    text = boot_file(desk.prepare(BOOKWORM), "labelcam/labelcam-first-boot.service").decode()
    unit = tmp_path / "labelcam-first-boot.service"
    unit.write_text(text.replace("/usr/bin/python3", "/bin/true"))
    done = subprocess.run([analyze, "verify", unit], capture_output=True, text=True, timeout=60, env=os.environ)
    assert (done.returncode, done.stderr) == (0, "")
