# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0

import struct
from pathlib import Path

import cv2
import numpy as np
import pytest

from labelcam.errors import ImageError
from labelcam.images import decode_png, encode_png, image_files, read_image, read_thumbnail
from pictures_on_disk import write_png

CORNERS = np.zeros((32, 48, 3), np.uint8)
"""A picture that no turning or mirroring leaves as it is: red at the top left, green at the top right."""
CORNERS[:16, :16], CORNERS[:16, 32:] = (255, 0, 0), (0, 255, 0)

# What a camera that was held so has stored (TIFF 6.0, tag 274): to undo orientation N, apply this to the upright.
STORED = {
    1: lambda upright: upright,
    2: lambda upright: upright[:, ::-1],
    3: lambda upright: upright[::-1, ::-1],
    4: lambda upright: upright[::-1],
    5: lambda upright: upright.swapaxes(0, 1),
    6: lambda upright: np.rot90(upright, 1),
    7: lambda upright: upright[::-1, ::-1].swapaxes(0, 1),
    8: lambda upright: np.rot90(upright, -1),
}


def encoded(suffix: str, pixels: np.ndarray, *parameters: int) -> bytes:
    """The picture as a file of that kind; RGB in."""
    colours = {3: cv2.COLOR_RGB2BGR, 4: cv2.COLOR_RGBA2BGRA}
    shown = cv2.cvtColor(pixels, colours[pixels.shape[2]]) if pixels.ndim == 3 else pixels
    return bytes(cv2.imencode(suffix, np.ascontiguousarray(shown), parameters)[1])


def with_orientation(jpeg: bytes, orientation: int) -> bytes:
    """The JPEG with an EXIF segment that holds nothing but tag 274."""
    exif = b"Exif\0\0" + b"II*\0" + struct.pack("<IHHHIHHI", 8, 1, 274, 3, 1, orientation, 0, 0)
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + jpeg[2:]


@pytest.mark.parametrize("orientation", STORED)
def test_every_exif_orientation_comes_out_upright(tmp_path: Path, orientation: int) -> None:
    """However the camera was held, the picture is read the way a person sees it."""
    jpeg = encoded(".jpg", STORED[orientation](CORNERS), cv2.IMWRITE_JPEG_QUALITY, 98)
    path = tmp_path / "held.jpg"
    path.write_bytes(with_orientation(jpeg, orientation))
    pixels = read_image(path)
    assert pixels.shape == CORNERS.shape
    assert np.abs(pixels[4:12, 4:12].astype(int) - (255, 0, 0)).max() < 30
    assert np.abs(pixels[4:12, 36:44].astype(int) - (0, 255, 0)).max() < 30


def webp_with_orientation(webp: bytes, orientation: int) -> bytes:
    """A plain lossy WebP as an extended one (VP8X), with an EXIF chunk that holds nothing but tag 274."""
    height, width = CORNERS.shape[:2] if orientation < 5 else CORNERS.shape[1::-1]
    exif = b"II*\0" + struct.pack("<IHHHIHHI", 8, 1, 274, 3, 1, orientation, 0, 0)
    features = struct.pack("<I", 8) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    chunks = b"VP8X" + struct.pack("<I", len(features)) + features + webp[12:] + b"EXIF" + struct.pack("<I", len(exif))
    return b"RIFF" + struct.pack("<I", 4 + len(chunks) + len(exif)) + b"WEBP" + chunks + exif


@pytest.mark.parametrize("orientation", STORED)
def test_a_webp_comes_out_upright_too(tmp_path: Path, orientation: int) -> None:
    """Telephones that save WebP write the same tag."""
    webp = encoded(".webp", STORED[orientation](CORNERS), cv2.IMWRITE_WEBP_QUALITY, 95)
    path = tmp_path / "held.webp"
    path.write_bytes(webp_with_orientation(webp, orientation))
    pixels = read_image(path)
    assert pixels.shape == CORNERS.shape
    assert np.abs(pixels[4:12, 4:12].astype(int) - (255, 0, 0)).max() < 40
    assert np.abs(pixels[4:12, 36:44].astype(int) - (0, 255, 0)).max() < 40


def test_a_thumbnail_is_the_same_picture(tmp_path: Path) -> None:
    """An eighth of a large JPEG, upright as well; what would be too small to recognise is read whole."""
    large = cv2.resize(CORNERS, (960, 640), interpolation=cv2.INTER_NEAREST)
    (tmp_path / "large.jpg").write_bytes(with_orientation(encoded(".jpg", STORED[6](large)), 6))
    small = read_thumbnail(tmp_path / "large.jpg")
    assert small.shape == (80, 120, 3)
    assert np.abs(small[10:30, 10:30].astype(int) - (255, 0, 0)).max() < 30
    (tmp_path / "small.jpg").write_bytes(encoded(".jpg", CORNERS))
    write_png(tmp_path / "large.png", large)
    assert read_thumbnail(tmp_path / "small.jpg").shape == CORNERS.shape
    assert np.array_equal(read_thumbnail(tmp_path / "large.png"), large)
    (tmp_path / "cut.jpg").write_bytes(encoded(".jpg", large)[:2000])
    with pytest.raises(ImageError, match="cut short"):
        read_thumbnail(tmp_path / "cut.jpg")


def test_hidden_files_and_circles_of_links(tmp_path: Path) -> None:
    """What a Mac leaves beside its pictures is none; a linked folder is entered, but never twice."""
    (tmp_path / "images" / "cat").mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "images" / ".thumbnails").mkdir()
    for name in ("images/cat/a.png", "images/cat/._a.png", "images/.thumbnails/a.png", "elsewhere/b.png"):
        write_png(tmp_path / name, CORNERS)
    (tmp_path / "images" / "dog").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "images" / "cat" / "loop").symlink_to(tmp_path / "images")
    (tmp_path / "images" / "cat" / "gone.png").symlink_to(tmp_path / "nowhere.png")
    found = [str(path.relative_to(tmp_path / "images")) for path in image_files(tmp_path / "images")]
    assert found == ["cat/a.png", "dog/b.png"]


@pytest.mark.parametrize(
    ("suffix", "pixels"),
    [
        (".png", CORNERS[..., 0]),
        (".png", CORNERS.astype(np.uint16) * 257),
        (".png", np.dstack([CORNERS, CORNERS[..., :1]])),
        (".bmp", CORNERS),
        (".webp", CORNERS),
        (".JPEG", CORNERS),
    ],
    ids=["grey", "16 bits", "alpha", "bmp", "webp", "jpeg in capitals"],
)
def test_every_kind_of_image_becomes_rgb_bytes(tmp_path: Path, suffix: str, pixels: np.ndarray) -> None:
    """Grey, 16-bit and transparent pictures become height x width x 3 bytes like any other."""
    path = tmp_path / f"picture{suffix}"
    path.write_bytes(encoded(suffix.lower(), pixels))
    read = read_image(path)
    assert read.shape == (32, 48, 3)
    assert read.dtype == np.uint8
    assert read[8, 8, 0] > 230
    assert read[24, 24].max() < 25


@pytest.mark.parametrize("share", [0.3, 0.6, 0.85])
def test_a_jpeg_that_is_cut_short_is_refused(tmp_path: Path, share: float) -> None:
    """Half a photograph is not quietly filled up with grey."""
    noise = np.random.default_rng(0).integers(0, 256, (200, 200, 3), np.uint8)
    whole = encoded(".jpg", noise)
    path = tmp_path / "half.jpg"
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(ImageError, match=r"half\.jpg: .*cut short"):
        read_image(path)


@pytest.mark.parametrize("kind", [".png", ".webp", ".bmp"])
def test_other_images_that_are_cut_short_are_refused(tmp_path: Path, kind: str) -> None:
    """Whatever its kind, half a file is no picture."""
    noise = np.random.default_rng(0).integers(0, 256, (200, 200, 3), np.uint8)
    path = tmp_path / f"half{kind}"
    path.write_bytes(encoded(kind, noise)[: 200 * 200])
    with pytest.raises(ImageError, match="half"):
        read_image(path)


@pytest.mark.parametrize("content", [b"", b"no picture at all\n", b"\x89PNG\r\n\x1a\n"])
def test_what_is_no_image_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    """An empty file, a text and bare magic numbers are refused with the file's name."""
    path = tmp_path / "strange.jpg"
    path.write_bytes(content)
    with pytest.raises(ImageError, match=r"strange\.jpg: is (empty|no image)"):
        read_image(path)


def test_a_missing_image_and_a_folder_are_refused(tmp_path: Path) -> None:
    """What cannot be opened is named with the system's reason."""
    with pytest.raises(ImageError, match=r"gone\.jpg: cannot be read \(No such file"):
        read_image(tmp_path / "gone.jpg")
    with pytest.raises(ImageError, match=r"cannot be read \(Is a directory"):
        read_image(tmp_path)


def test_images_are_found_in_the_same_order_everywhere(tmp_path: Path) -> None:
    """Folders are searched below, sorted by path; other files and folders named like images do not count."""
    (tmp_path / "b").mkdir()
    (tmp_path / "folder.png").mkdir()
    for name in ("c.PNG", "a.png", "b/z.jpeg", "notes.txt"):
        write_png(tmp_path / name, CORNERS)
    assert [str(path.relative_to(tmp_path)) for path in image_files(tmp_path)] == ["a.png", "b/z.jpeg", "c.PNG"]


def test_a_folder_without_images_is_refused(tmp_path: Path) -> None:
    """An empty folder and a missing one each get their own sentence."""
    with pytest.raises(ImageError, match="holds no image"):
        image_files(tmp_path)
    with pytest.raises(ImageError, match="no such folder"):
        image_files(tmp_path / "gone")


def test_a_png_keeps_every_byte() -> None:
    """What goes into the model file as a picture comes out bit for bit, and a damaged one is refused by name."""
    data = encode_png(CORNERS)
    assert np.array_equal(decode_png(data, "golden"), CORNERS)
    assert encode_png(CORNERS) == data
    with pytest.raises(ImageError, match=r"golden: .*damaged"):
        decode_png(data[:20], "golden")


def test_pictures_of_other_kinds_are_left_out_but_not_silently(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """An iPhone's photographs are counted and named, with the remedy."""
    for name in ("one.HEIC", "two.HEIC", "moves.gif", "notes.txt", "good.png"):
        (tmp_path / name).write_bytes(b"x")
    assert [path.name for path in image_files(tmp_path)] == ["good.png"]
    assert "2 .HEIC, 1 .gif left out; convert them to JPEG or PNG" in caplog.text
