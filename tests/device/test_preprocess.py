# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from labelcam.images import Pixels
from labelcam.preprocess import Fit, InputCode, Preprocess, Size, fit_image

BYTES = np.arange(256, dtype=np.uint8).reshape(1, 256, 1).repeat(3, axis=2)
"""Every value that a byte can have, as a picture."""


def coordinates(width: int, height: int) -> Pixels:
    """A picture whose red says the column and whose green says the row."""
    y, x = np.mgrid[0:height, 0:width]
    return np.stack([x, y, 0 * x], axis=2).astype(np.uint8)


def coded(dtype: str, scale: float, zero_point: int, how: Preprocess | None) -> tuple[str, NDArray[np.generic]]:
    """What becomes of each of the 256 bytes."""
    code = InputCode(np.dtype(dtype), scale, zero_point, how)
    out = np.zeros(BYTES.shape, dtype)
    code.encode(BYTES, out)
    return code.kind, out[0, :, 0]


@pytest.mark.parametrize(
    ("width", "height", "size", "fraction", "left", "top", "right", "bottom"),
    [
        (100, 60, Size(60, 60), 1.0, 20, 0, 79, 59),
        (60, 100, Size(60, 60), 1.0, 0, 20, 59, 79),
        (101, 60, Size(60, 60), 1.0, 20, 0, 79, 59),
        (100, 60, Size(30, 30), 0.5, 35, 15, 64, 44),
        (100, 60, Size(80, 40), 1.0, 0, 5, 99, 54),
        (100, 60, Size(3, 4), 1.0, 27, 0, 71, 59),
    ],
)
def test_crop_keeps_the_centred_part_of_the_networks_shape(
    width: int, height: int, size: Size, fraction: float, left: int, top: int, right: int, bottom: int
) -> None:
    """Crop takes the largest centred rectangle of the network's aspect ratio, made smaller by the fraction."""
    from labelcam.preprocess import _centre

    part = _centre(coordinates(width, height), size, fraction)
    assert (*part[0, 0, :2], *part[-1, -1, :2]) == (left, top, right, bottom)


def test_crop_at_the_networks_own_size_changes_no_byte() -> None:
    """A picture that already has the network's size comes through untouched, whatever the fit."""
    pixels = np.random.default_rng(0).integers(0, 256, (24, 32, 3), np.uint8)
    for fit in Fit:
        assert np.array_equal(fit_image(pixels, Size(32, 24), Preprocess(fit=fit)), pixels)


def test_squeeze_shows_the_whole_picture() -> None:
    """Squeeze keeps all four corners and gives up the aspect ratio."""
    pixels = np.zeros((100, 300, 3), np.uint8)
    pixels[:, :150], pixels[:, 150:] = (200, 0, 0), (0, 0, 200)
    small = fit_image(pixels, Size(10, 10), Preprocess(fit=Fit.SQUEEZE))
    assert (small[:, :4] == (200, 0, 0)).all()
    assert (small[:, 6:] == (0, 0, 200)).all()


@pytest.mark.parametrize(("width", "height", "bars"), [(40, 20, np.s_[[0, 1, 2, 3, 4, 15, 19]]), (20, 20, np.s_[[]])])
def test_letterbox_fills_up_with_grey(width: int, height: int, bars: object) -> None:
    """Letterbox shows the whole picture between mid-grey bars of equal height."""
    white = np.full((height, width, 3), 255, np.uint8)
    boxed = fit_image(white, Size(20, 20), Preprocess(fit=Fit.LETTERBOX))
    assert (boxed[bars] == 128).all()
    assert (boxed == 255).all(axis=(1, 2)).sum() == 20 * height / width


@given(
    width=st.integers(1, 60),
    height=st.integers(1, 60),
    size=st.builds(Size, st.integers(1, 40), st.integers(1, 40)),
    how=st.builds(Preprocess, fit=st.sampled_from(Fit), fraction=st.floats(0.01, 1)),
    colour=st.tuples(*[st.integers(0, 255)] * 3),
)
@settings(deadline=None, max_examples=200)
def test_a_plain_colour_stays_that_colour(
    width: int, height: int, size: Size, how: Preprocess, colour: tuple[int, int, int]
) -> None:
    """No size, fit or fraction changes a plain colour or swaps its channels; only letterbox adds its grey."""
    picture = np.full((height, width, 3), colour, np.uint8)
    fitted = fit_image(picture, size, how)
    assert fitted.shape == (size.height, size.width, 3)
    plain = (fitted == colour).all(axis=2)
    if how.fit is Fit.LETTERBOX:
        assert plain.any()
        plain |= (fitted == 128).all(axis=2)
    assert plain.all()


@given(
    width=st.integers(1, 50),
    height=st.integers(1, 50),
    fit=st.sampled_from(Fit),
    seed=st.integers(0, 99),
)
@settings(deadline=None, max_examples=60)
def test_a_given_array_is_filled_in_place(width: int, height: int, fit: Fit, seed: int) -> None:
    """Writing into the caller's array gives the very bytes that a new array would get."""
    picture = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    how, size = Preprocess(fit=fit), Size(12, 9)
    out = np.full((9, 12, 3), 77, np.uint8)
    assert fit_image(picture, size, how, out) is out
    assert np.array_equal(out, fit_image(picture, size, how))


@pytest.mark.parametrize("shape", [(96, 96), (960, 960), (481, 641)])
def test_a_checkerboard_becomes_mid_grey(shape: tuple[int, int]) -> None:
    """Shrinking takes means: no single pixel of a fine pattern wins."""
    board = (np.indices(shape).sum(axis=0) % 2 * 255).astype(np.uint8)[..., None].repeat(3, axis=2)
    small = fit_image(board, Size(24, 24), Preprocess())
    assert np.abs(small.astype(int) - 127.5).max() <= 8


@pytest.mark.parametrize("side", [225, 300, 480, 961, 1080, 1439])
def test_the_quick_way_to_shrink_is_close_to_the_exact_mean(side: int) -> None:
    """Halving, then bilinear, stays within a few grey levels of OpenCV's one-step area mean."""
    noise = np.random.default_rng(3).integers(0, 256, (side // 160 + 1, side // 160 + 1, 3), np.uint8)
    smooth = cv2.resize(noise, (side, side), interpolation=cv2.INTER_CUBIC)
    exact = cv2.resize(smooth, (224, 224), interpolation=cv2.INTER_AREA).astype(int)
    quick = fit_image(smooth.astype(np.uint8), Size(224, 224), Preprocess())
    assert np.abs(quick - exact).mean() < 2
    assert np.abs(quick - exact).max() <= 8


def test_enlarging_is_bilinear() -> None:
    """A picture smaller than the network's input is enlarged without new colours."""
    two = np.array([[[0, 0, 0], [200, 100, 50]]], np.uint8)
    wide = fit_image(two, Size(8, 4), Preprocess(fit=Fit.SQUEEZE))
    assert (np.diff(wide[0, :, 0].astype(int)) >= 0).all()
    assert tuple(wide[0, 0]) == (0, 0, 0)
    assert tuple(wide[0, -1]) == (200, 100, 50)


@pytest.mark.parametrize("how", [None, Preprocess(mean=0.0, std=1.0)])
def test_a_uint8_input_takes_the_cameras_bytes(how: Preprocess | None) -> None:
    """uint8 with scale 1 and zero point 0 is the identity for a network that was trained on raw bytes."""
    kind, values = coded("uint8", 1.0, 0, how)
    assert (kind, list(values)) == ("identity", list(range(256)))


@pytest.mark.parametrize("zero_point", [127, 128])
def test_minus_one_to_one_is_still_the_identity(zero_point: int) -> None:
    """A span of -1 to 1 puts each byte half a step from its code, which is as near as a byte can be."""
    kind, values = coded("uint8", 2 / 255, zero_point, Preprocess())
    assert (kind, list(values)) == ("identity", list(range(256)))


@pytest.mark.parametrize(
    ("scale", "zero_point", "how"),
    [
        (1.0, -128, Preprocess(mean=0, std=1)),
        (1 / 255, -128, Preprocess(mean=0, std=255)),
        (1 / 127.5, 0, Preprocess()),
        (1 / 127.5, -1, Preprocess()),
        (0.1, 5, None),
    ],
)
def test_an_int8_input_is_one_xor(scale: float, zero_point: int, how: Preprocess | None) -> None:
    """The usual int8 inputs are the bytes with their top bit turned over."""
    kind, values = coded("int8", scale, zero_point, how)
    assert (kind, list(values)) == ("xor", list(range(-128, 128)))


@given(
    dtype=st.sampled_from(["uint8", "int8", "int16"]),
    scale=st.floats(0.004, 0.1),
    zero_point=st.integers(-40, 40),
    mean=st.floats(0, 255),
    std=st.floats(1, 255),
)
@settings(deadline=None)
def test_any_other_affine_input_is_a_table(dtype: str, scale: float, zero_point: int, mean: float, std: float) -> None:
    """Whatever scale and zero point a tensor has, no byte's code is further than rounding from the affine formula."""
    how = Preprocess(mean=mean, std=std)
    _, values = coded(dtype, scale, zero_point, how)
    exact = (np.arange(256) - mean) / std / scale + zero_point
    span = np.iinfo(dtype)
    assert np.abs(values.astype(float) - np.clip(exact, span.min, span.max)).max() <= 0.511


def test_a_float_input_gets_the_normalised_values() -> None:
    """A float network sees exactly what the manifest says: (byte - mean) / std."""
    kind, values = coded("float32", 0.0, 0, Preprocess(mean=10, std=2))
    assert kind == "table"
    assert values.dtype == np.float32
    assert np.allclose(values, (np.arange(256) - 10) / 2)


def test_a_float_input_without_a_manifest_sees_minus_one_to_one() -> None:
    """A plain float file gets the defaults that MobileNets are trained with."""
    _, values = coded("float32", 0.0, 0, None)
    assert (values[0], values[255]) == (-1.0, 1.0)


@pytest.mark.parametrize(("dtype", "scale", "zero_point"), [("uint8", 0.02, 3), ("int8", 1 / 255, -128)])
def test_bytes_can_be_coded_where_they_lie(dtype: str, scale: float, zero_point: int) -> None:
    """Source and target may be the same memory, which saves the hot path a copy."""
    code = InputCode(np.dtype(dtype), scale, zero_point, Preprocess(mean=0, std=255))
    wanted = np.zeros(BYTES.shape, dtype)
    code.encode(BYTES, wanted)
    memory = np.zeros(BYTES.shape, dtype)
    memory.view(np.uint8)[:] = BYTES
    code.encode(memory.view(np.uint8), memory)
    assert np.array_equal(memory, wanted)


@pytest.mark.parametrize("bad", [{"fraction": 0.0}, {"fraction": 1.1}, {"std": 0.0}, {"fraction": float("nan")}])
def test_impossible_preprocessing_is_refused(bad: dict[str, float]) -> None:
    """A fraction outside 0 to 1 or a std of 0 cannot be written down."""
    with pytest.raises(ValueError, match="out of range"):
        Preprocess(**bad)
