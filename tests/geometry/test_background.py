"""The rolling-ball background, against its definition and scikit-image."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geometry import erode, rolling_ball


def test_a_constant_image_is_its_own_background():
    for dtype in (np.uint8, np.uint16, np.float32, np.float64):
        image = np.full((30, 40), 23, dtype)
        found = rolling_ball(image, radius=10)
        assert found.dtype == dtype
        np.testing.assert_array_equal(found, image)


def test_an_image_that_is_a_ball():
    """A bowl of the ball's radius carries the ball everywhere at once: its apex is the background in the middle."""
    y, x = np.mgrid[-30:31, -30:31]
    image = 100 - np.sqrt(np.maximum(900.0 - x**2 - y**2, 0))
    assert rolling_ball(-image, radius=30)[30, 30] == pytest.approx(-100 + 30)


def test_a_ramp_keeps_its_slope():
    ramp = np.tile(2.0 * np.arange(200), (20, 1))
    middle = rolling_ball(ramp, radius=10.0)[:, 50:150]
    np.testing.assert_allclose(np.diff(middle, axis=1), 2.0, atol=1e-12)
    # closed form 2x + ρ − ρ√(1 + 2²), up to the grid's h² in the contact
    np.testing.assert_allclose(middle, ramp[:, 50:150] + 10 - 10 * np.sqrt(5), atol=0.3)


def test_narrow_peaks_are_left_out():
    image = np.full((50, 50), 10, np.uint8)
    image[20:22, 20:22] = 200
    np.testing.assert_array_equal(image - rolling_ball(image, radius=20), image - 10)


def test_it_is_the_erosion_and_the_radius():
    image = np.random.default_rng(0).normal(size=(20, 30))
    np.testing.assert_allclose(rolling_ball(image, 5.0), erode(image, 5.0) + 5.0, rtol=0, atol=1e-14)


@settings(max_examples=40)
@given(data=st.data(), radius=st.floats(1.0, 12.0), seed=st.integers(0, 99))
def test_against_scikit_image(data, radius, seed):
    peer = pytest.importorskip("skimage.restoration").rolling_ball
    shape = data.draw(st.lists(st.integers(1, 12), min_size=1, max_size=3))
    dtype = data.draw(st.sampled_from(["uint8", "uint16", "int32", "float32", "float64"]))
    image = (100 * np.random.default_rng(seed).random(shape)).astype(dtype)
    found, expected = rolling_ball(image, radius=radius), peer(image, radius=radius)
    assert found.dtype == expected.dtype
    # One rounding against three; where an integer result is cut off, it may decide about one.
    tolerance = 1 if image.dtype.kind in "iu" else 4 * np.finfo(dtype).eps * (100 + radius)
    np.testing.assert_allclose(found.astype(float), expected.astype(float), rtol=0, atol=tolerance)
    if image.dtype.kind in "iu":
        assert (found != expected).mean() <= 0.2


def test_nan():
    image = np.ones((21, 21))
    image[10, 10] = np.nan
    assert not np.isnan(rolling_ball(image, radius=3)).any()
    lost = np.isnan(rolling_ball(image, radius=3, nansafe=True))
    expected = np.zeros_like(lost)
    expected[7:14, 7:14] = True
    np.testing.assert_array_equal(lost, expected)


def test_a_kernel_is_answered():
    with pytest.raises(ValueError, match="spacing"):
        rolling_ball(np.zeros((4, 4)), kernel=np.ones((3, 3)))
