"""Dask arrays: the same bits as in memory, whatever the chunks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import geometry

da = pytest.importorskip("dask.array")

VERBS = ("dilate", "erode", "opening", "closing")


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("boundary", ["none", "periodic"])
@settings(max_examples=15)
@given(data=st.data(), radius=st.floats(0.5, 4.0), seed=st.integers(0, 99))
def test_the_same_bits_as_in_memory(verb, boundary, data, radius, seed):
    heights = np.random.default_rng(seed).integers(0, 9, (40, 26)).astype(data.draw(st.sampled_from(["f4", "f8"])))
    chunks = data.draw(st.sampled_from([(40, 26), (20, 13), (10, 26), ((9, 31), (16, 10)), (8, 9)]))
    function, options = getattr(geometry, verb), {"boundary": boundary, "return_contact": True}
    found = function(da.from_array(heights, chunks=chunks), radius, **options)
    assert all(isinstance(part, da.Array) for part in found)
    expected = function(heights, radius, **options)
    for part, whole in zip(found, expected, strict=True):
        assert part.dtype == whole.dtype
        np.testing.assert_array_equal(part.compute(scheduler="threads"), whole)


def test_volumes_and_lines():
    rng = np.random.default_rng(0)
    for heights, chunks in ((rng.normal(size=200), 40), (rng.normal(size=(12, 14, 16)), (6, 7, 8))):
        found = geometry.dilate(da.from_array(heights, chunks=chunks), 3.5)
        np.testing.assert_array_equal(found.compute(), geometry.dilate(heights, 3.5))


def test_rolling_ball():
    image = np.random.default_rng(0).integers(0, 255, (60, 50)).astype(np.uint8)
    found = geometry.rolling_ball(da.from_array(image, chunks=(30, 25)), radius=7)
    np.testing.assert_array_equal(found.compute(), geometry.rolling_ball(image, radius=7))


def test_nan_raises_when_it_is_computed():
    heights = np.zeros((20, 20))
    heights[3, 4] = np.nan
    lazy = geometry.dilate(da.from_array(heights, chunks=10), 2.0)
    with pytest.raises(ValueError, match="heights must not be NaN"):
        lazy.compute()
    omitted = geometry.dilate(da.from_array(heights, chunks=10), 2.0, nan="omit")
    np.testing.assert_array_equal(omitted.compute(), geometry.dilate(heights, 2.0, nan="omit"))


def test_errors():
    lazy = da.zeros((20, 20), chunks=5)
    with pytest.raises(ValueError, match=r"axis 0 has a chunk of 5 but needs 8.*rechunk"):
        geometry.dilate(lazy, 8.0)
    with pytest.raises(ValueError, match="out must be None"):
        geometry.dilate(lazy, 2.0, out=np.zeros((20, 20)))
    with pytest.raises(ValueError, match="unknown size"):
        geometry.dilate(lazy[lazy > 0], 2.0)
    with pytest.raises(ValueError, match="radius"):
        geometry.dilate(lazy, -2.0)


def test_a_zarr_store(tmp_path):
    pytest.importorskip("zarr")
    heights = np.random.default_rng(0).normal(size=(60, 50))
    da.from_array(heights, chunks=(20, 25)).to_zarr(str(tmp_path / "heights.zarr"))
    stored = da.from_zarr(str(tmp_path / "heights.zarr"))
    geometry.dilate(stored, 5.0).to_zarr(str(tmp_path / "dilated.zarr"))
    found = da.from_zarr(str(tmp_path / "dilated.zarr")).compute()
    np.testing.assert_array_equal(found, geometry.dilate(heights, 5.0))
