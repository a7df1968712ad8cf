# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Which disks are written to, and how: the kernel's files are made up, and a file stands in for the card."""

import io
import os
from pathlib import Path

import pytest

from labelcam_flash.errors import CardFailed
from labelcam_flash.sdcard.burning import burn, chosen, confirm
from labelcam_flash.sdcard.disk import Kernel, look_at

MB = 1_000_000
NOWHERE = "0:0"
"""The number of what is no device: the file that stands in for one."""


class Reader:
    """A card reader, as /sys and /proc tell of it."""

    def __init__(self, folder: Path) -> None:
        self.kernel = Kernel(folder / "sys", folder / "proc")
        self.device = folder / "the card"
        self.device.write_bytes(os.urandom(5 * MB))
        self._told = folder / "sys/devices/usb/block/sdq"
        self.tell("dev", NOWHERE)
        self.tell("size", str(32_000 * MB // 512))
        self.tell("removable", "1")
        self.tell("ro", "0")
        self.tell("device/vendor", "Generic ")
        self.tell("device/model", "STORAGE DEVICE  ")
        for number, megabytes in ((1, 512), (2, 30_000)):
            self.tell(f"sdq{number}/partition", str(number))
            self.tell(f"sdq{number}/dev", f"65:{number}")
            self.tell(f"sdq{number}/size", str(megabytes * MB // 512))
        link = folder / "sys/dev/block" / NOWHERE
        link.parent.mkdir(parents=True)
        link.symlink_to(self._told)
        self.say("swaps", "Filename Type Size Used Priority\n")
        self.say("self/mountinfo", "22 1 8:2 / / rw shared:1 - ext4 /dev/sda2 rw\n")

    def tell(self, name: str, text: str) -> None:
        """Have /sys say something of it."""
        (self._told / name).parent.mkdir(parents=True, exist_ok=True)
        (self._told / name).write_text(text + "\n")

    def say(self, name: str, text: str) -> None:
        """Have /proc say something."""
        path = self.kernel.proc / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def choose(self, times: int = 1, image_bytes: int = MB) -> str:
        """Choose it, named so many times, and say what it is."""
        return str(chosen(" ".join([self.named] * times), image_bytes, self.kernel))

    @property
    def named(self) -> str:
        """As DEVICE= has it: a name without spaces, such as /dev/disk/by-id gives."""
        link = self.device.parent / "by-id"
        if not link.exists():
            link.symlink_to(self.device)
        return str(link)


@pytest.fixture
def reader(tmp_path: Path) -> Reader:
    """One with a card of 32 GB and two partitions."""
    return Reader(tmp_path)


def test_a_card_is_shown_for_what_it_is(reader: Reader) -> None:
    """Model, size and partitions, which tell a person whether it is the right one."""
    assert reader.choose().endswith(
        "Generic STORAGE DEVICE, 32.0 GB, removable; partitions: sdq1 (0.5 GB), sdq2 (30.0 GB)"
    )


def test_an_sd_card_in_its_own_slot_is_a_card(reader: Reader) -> None:
    """The kernel does not call it removable; an eMMC, soldered in, is told apart by its type."""
    reader.tell("removable", "0")
    reader.tell("device/type", "SD")
    assert "removable" in reader.choose()
    reader.tell("device/type", "MMC")
    with pytest.raises(CardFailed, match="cannot be taken out"):
        reader.choose()


@pytest.mark.parametrize(
    ("mounted", "why"),
    [
        ("40 22 65:1 / /media/anna/boot\\040fs rw - vfat /dev/sdq1 rw", "mounted on /media/anna/boot fs"),
        ("40 22 65:2 / / rw - ext4 /dev/sdq2 rw", "mounted on /, the system's own disk"),
        ("40 22 0:31 /@ /mnt rw - btrfs /dev/sdq2 rw", "mounted on /mnt"),
        (f"40 22 {NOWHERE} / /mnt rw - ext4 /dev/sdq rw", "mounted on /mnt"),
    ],
)
def test_a_mounted_disk_is_refused_however_often_it_is_named(reader: Reader, mounted: str, why: str) -> None:
    """By itself or by one of its partitions, whatever the file system."""
    reader.say("self/mountinfo", mounted + "\n")
    with pytest.raises(CardFailed, match=f"is in use .{why}.; unmount it"):
        reader.choose(times=2)


def test_a_disk_that_something_else_stands_on_is_refused(reader: Reader) -> None:
    """Swap, an encrypted volume, a RAID."""
    reader.say("swaps", "Filename Type Size Used Priority\n/dev/sdq2 partition 1 0 -2\n")
    with pytest.raises(CardFailed, match="swapped to"):
        reader.choose(times=2)
    reader.say("swaps", "Filename Type Size Used Priority\n")
    reader.tell("sdq2/holders/dm-0/dm/name", "cryptroot")
    with pytest.raises(CardFailed, match="sdq2 is part of cryptroot"):
        reader.choose(times=2)


def test_what_is_hardly_a_card_must_be_named_twice(reader: Reader) -> None:
    """A disk that stays in, and one of a size that backups have."""
    reader.tell("removable", "0")
    with pytest.raises(CardFailed, match=r"NOT removable.*it cannot be taken out; if it is the right one"):
        reader.choose()
    assert "NOT removable" in reader.choose(times=2)
    reader.tell("removable", "1")
    reader.tell("size", str(1_000_000 * MB // 512))
    with pytest.raises(CardFailed, match=r"1000\.0 GB.*larger than cards are"):
        reader.choose()
    assert "1000.0 GB" in reader.choose(times=2)


def test_what_is_no_whole_disk_is_refused(reader: Reader, tmp_path: Path) -> None:
    """A partition, a file, nothing, two disks; and a disk that cannot take the image."""
    for text, why in ((str(tmp_path / "none"), "No such file"), ("/dev/null", "is no disk"), ("/dev/a /dev/b", "one")):
        with pytest.raises(CardFailed, match=why):
            chosen(text, MB, reader.kernel)
    with pytest.raises(CardFailed, match="is no disk"):
        chosen(reader.named, MB, Kernel())  # to the kernel that runs here it is a file
    with pytest.raises(CardFailed, match=r"has 32\.0 GB and the image 33\.0"):
        reader.choose(image_bytes=33_000 * MB)
    reader.tell("ro", "1")
    with pytest.raises(CardFailed, match="write-protected"):
        reader.choose()
    reader.tell("ro", "0")
    reader.tell("size", "0")
    with pytest.raises(CardFailed, match="there is no card in it"):
        reader.choose()
    reader.tell("partition", "1")
    with pytest.raises(CardFailed, match="is a partition"):
        reader.choose()


@pytest.mark.parametrize(("typed", "goes_on"), [("sdq\n", True), ("y\n", False), ("\n", False), ("", False)])
def test_nothing_is_written_unless_its_name_is_typed(
    reader: Reader, typed: str, goes_on: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A yes is given too easily, and so is the end of a pipe."""
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))
    disk = look_at(reader.device, reader.kernel)
    if goes_on:
        confirm(disk)
    else:
        with pytest.raises(CardFailed, match="its name was not typed"):
            confirm(disk)
    assert "STORAGE DEVICE, 32.0 GB" in capsys.readouterr().err


def test_a_card_holds_the_image_and_keeps_the_rest(reader: Reader, tmp_path: Path) -> None:
    """Every byte of it, zeroes too."""
    image = tmp_path / "card.img"
    content = os.urandom(1 << 20) + bytes(1 << 20) + os.urandom(123)
    image.write_bytes(content)
    rest = reader.device.read_bytes()[len(content) :]
    burn(image, look_at(reader.device, reader.kernel))
    assert reader.device.read_bytes() == content + rest


def test_a_card_that_does_not_hold_what_was_written_is_found_out(
    reader: Reader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cheap ones claim more than they have: it shows where the card itself is asked again."""
    image = tmp_path / "card.img"
    image.write_bytes(os.urandom(2 << 20))

    def forget(number: int, *_: int) -> None:
        os.pwrite(number, b"\0" * 4096, (1 << 20) + 4096)

    monkeypatch.setattr(os, "posix_fadvise", forget)
    with pytest.raises(CardFailed, match="does not hold what was written to it"):
        burn(image, look_at(reader.device, reader.kernel))


def test_a_card_that_is_swapped_for_another_is_not_written(reader: Reader, tmp_path: Path) -> None:
    """What was shown is what is written to."""
    disk = look_at(reader.device, reader.kernel)
    reader.device.unlink()
    reader.device.symlink_to("/dev/zero")
    image = tmp_path / "card.img"
    image.write_bytes(b"image")
    with pytest.raises(CardFailed, match="is another disk than a moment ago"):
        burn(image, disk)
