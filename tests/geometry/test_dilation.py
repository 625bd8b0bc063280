"""The engines of the dilation, against plain loops and against each other, bit for bit."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import grey_dilation

from geometry import closing, dilate, erode, opening
from geometry._ball import ball_on_grid
from geometry._dilation import dilation, extend
from geometry._kernels import KERNELS, kernel

FAMILIES = ("noise", "ramp", "bowl", "spikes", "constant", "integers", "holes", "huge", "tiny")


def landscape(family: str, shape: tuple[int, ...], radius: float, seed: int = 0) -> np.ndarray:
    """Heights that are hard in one way or another."""
    rng = np.random.default_rng(seed)
    noise = rng.normal(size=shape)
    away = sum((axis - n // 2) ** 2 for axis, n in zip(np.indices(shape), shape, strict=True)).astype(float)
    ramp = np.tensordot(rng.integers(-3, 4, len(shape)) / 2, np.indices(shape).astype(float), axes=1)
    return {
        "noise": lambda: 10 * noise,
        "ramp": lambda: ramp,
        "bowl": lambda: -np.sqrt(np.maximum(radius**2 - away, 0)) + 1e-15 * noise,  # all samples touch one ball
        "spikes": lambda: np.where(rng.random(shape) < 0.02, 100.0, noise),
        "constant": lambda: np.full(shape, 0.1),
        "integers": lambda: rng.integers(0, 3, shape).astype(float),
        "holes": lambda: np.where(rng.random(shape) < 0.7, -np.inf, noise),
        "huge": lambda: 1e300 * noise,
        "tiny": lambda: 1e-300 * noise,
    }[family]()


def by_loops(heights: np.ndarray, radius: float, spacing: float, periodic: bool) -> tuple[np.ndarray, np.ndarray]:
    """The definition, in Python's own numbers."""
    values, contacts = np.full(heights.shape, -np.inf), np.full(heights.shape, -1)
    flat = heights.reshape(-1)
    for place in np.ndindex(heights.shape):
        for index, sample in enumerate(np.ndindex(heights.shape)):
            steps = [abs(a - b) for a, b in zip(place, sample, strict=True)]
            if periodic:
                steps = [min(s, n - s) for s, n in zip(steps, heights.shape, strict=True)]
            left = radius**2 - sum((s * spacing) ** 2 for s in steps)
            if left >= 0 and flat[index] + math.sqrt(left) > values[place]:
                values[place], contacts[place] = flat[index] + math.sqrt(left), index
    return values, contacts


@pytest.mark.parametrize("boundary", ["none", "periodic"])
@pytest.mark.parametrize("shape", [(1,), (2,), (13,), (40,), (1, 1), (5, 7), (9, 17), (3, 4, 5), (2, 3, 2, 3)])
@pytest.mark.parametrize("radius", [0.5, 1.0, 2.5, 5.0, 100.0])
def test_against_the_definition(shape, radius, boundary):
    for family in ("noise", "integers", "holes", "ramp"):
        heights = landscape(family, shape, radius)
        expected = by_loops(heights, radius, 1.0, boundary == "periodic")
        found = dilate(heights, radius, boundary=boundary, return_contact=True)
        np.testing.assert_array_equal(found[0], expected[0])
        np.testing.assert_array_equal(found[1], expected[1])
        np.testing.assert_array_equal(dilate(heights, radius, boundary=boundary), expected[0])


SHAPES = [(1,), (17,), (300,), (2000,), (1, 70), (37, 65), (66, 9), (130, 140), (9, 20, 33), (4, 5, 6, 7)]


@pytest.mark.parametrize("name", [name for name, library in KERNELS if library == "numpy"])
@pytest.mark.parametrize("family", FAMILIES)
def test_the_kernel_repeats_the_generic_body(name, family):
    fast = kernel(name, np)
    for shape, radius, periodic in itertools.product(SHAPES, (0.4, 2.5, 9.0, 40.0, 1e9), (False, True)):
        ball = ball_on_grid(radius, 1.0, len(shape))
        half = ball.half_widths(shape, periodic)
        if math.prod(2 * k + 1 for k in half) * math.prod(shape) > 4e6:
            continue  # the generic body takes every offset
        heights = landscape(family, shape, min(radius, 100.0))
        origin = half if periodic else (0,) * len(shape)
        task = extend(np, heights, origin, None), ball.cap(half), origin, shape
        values, contacts = dilation(*task, contact=True)
        for workers in (1, 2):
            np.testing.assert_array_equal(fast(*task, workers=workers)[0], values)
            again = fast(*task, contact=True, workers=workers)
            np.testing.assert_array_equal(again[0], values)
            np.testing.assert_array_equal(again[1], contacts)


def structure(radius: float, ndim: int) -> np.ndarray:
    half = int(radius)
    squares = sum(axis**2 for axis in np.ogrid[(slice(-half, half + 1),) * ndim])
    return np.where(squares <= radius**2, np.sqrt(np.maximum(radius**2 - squares, 0)), -np.inf)


@pytest.mark.parametrize(("shape", "radius"), [((4000,), 60), ((4000,), 700), ((150, 200), 12), ((150, 200), 31)])
@pytest.mark.parametrize("family", ["noise", "ramp", "spikes", "bowl"])
def test_against_scipy(shape, radius, family):
    heights = landscape(family, shape, radius)
    options = {"structure": structure(radius, len(shape)), "mode": "constant", "cval": -np.inf}
    np.testing.assert_array_equal(dilate(heights, float(radius)), grey_dilation(heights, **options))


@settings(max_examples=60)
@given(data=st.data(), radius=st.floats(0.3, 60), spacing=st.sampled_from([1.0, 0.1, (0.5, 2.0), (1.0, 0.01)]))
def test_anisotropic_planes_against_the_generic_body(data, radius, spacing):
    shape = data.draw(st.tuples(st.integers(1, 50), st.integers(1, 50)))
    slopes = data.draw(st.tuples(st.floats(-9, 9), st.floats(-9, 9)))
    y, x = np.indices(shape)
    heights = slopes[0] * y + slopes[1] * x + data.draw(st.sampled_from([0.0, 1e-14, 1.0])) * np.sin(7.0 * x * y)
    half = (ball := ball_on_grid(radius, spacing, 2)).half_widths(shape)
    if math.prod(half) > 1500:
        return
    expected = dilation(heights, ball.cap(half), (0, 0), shape, contact=True)
    found = dilate(heights, radius, spacing=spacing, return_contact=True)
    np.testing.assert_array_equal(found[0], expected[0])
    np.testing.assert_array_equal(found[1], expected[1])
    np.testing.assert_array_equal(dilate(heights, radius, spacing=spacing), expected[0])


@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_narrow_floats_are_rounded_once(dtype):
    heights = landscape("noise", (60, 70), 9.0).astype(dtype)
    wide = dilate(heights.astype(np.float64), 9.3)
    assert dilate(heights, 9.3).dtype == dtype
    np.testing.assert_array_equal(dilate(heights, 9.3), wide.astype(dtype))


@pytest.mark.parametrize("steps", range(1, 200))
def test_a_sample_on_the_rim_is_inside(steps):
    heights = np.full(steps + 1, -np.inf)
    heights[-1] = 1.0
    assert dilate(heights, 0.1 * steps, spacing=0.1)[0] == pytest.approx(1.0, abs=1e-6)
    assert dilate(heights, 0.1 * (steps - 0.01), spacing=0.1)[0] == -np.inf


def test_verbs_on_every_backend(backend, dtype):
    heights = np.round(landscape("noise", (6, 7), 2.0), 2).astype(dtype)
    array = backend.asarray(heights, dtype)
    for verb in (dilate, erode, opening, closing):
        found = backend.jit(lambda a, verb=verb: verb(a, 2.5, spacing=(1.0, 0.5)))(array)
        assert backend.belongs(found, dtype)
        # sums in the device's widest dtype: a device without float64 rounds each of them
        tolerance = 4 * float(np.finfo(dtype).eps) * 20
        np.testing.assert_allclose(
            backend.to_numpy(found), verb(heights, 2.5, spacing=(1.0, 0.5)), rtol=0, atol=tolerance
        )


def test_plane_cone_and_cap():
    """Closed forms. On a grid the maximum falls short by O(h²) where the contact lies between samples."""
    h = 0.01
    x = np.arange(-400, 401) * h
    inner = np.abs(x) < 1.5
    plane = dilate(0.75 * x, 2.0, spacing=h)
    np.testing.assert_allclose(plane[inner], 0.75 * x[inner] + 2 * 1.25, atol=h**2)
    assert (plane[inner] <= 0.75 * x[inner] + 2 * 1.25 + 1e-12).all()
    cone = dilate(0.75 * np.abs(x), 2.0, spacing=h)
    np.testing.assert_allclose(cone[inner], 0.75 * np.abs(x[inner]) + 2 * 1.25, atol=h**2)
    top = dilate(np.sqrt(np.maximum(1 - x**2, 0)), 2.0, spacing=h)  # the union of the cap and a plane
    near = np.abs(x) < 1
    np.testing.assert_allclose(top[near], np.sqrt(9 - x[near] ** 2), atol=h**2)


def test_tube_formula():
    """Up to the critical radius 1 the mean of f_ρ grows by ρ times the mean length of the sine, then by less."""
    n = 20000
    wave, h = np.sin(2 * np.pi * np.arange(n) / n), 2 * np.pi / n
    for radius, exact in ((0.5, True), (1.0, True), (1.5, False)):
        growth = dilate(wave, radius, spacing=h, boundary="periodic").mean() / radius
        assert (abs(growth - 1.216006723424979780) < 1e-7) == exact


def test_nan_and_walls():
    heights = np.array([0.0, np.nan, 1.0, np.inf, 2.0, -np.inf, 0.0, 0.0])
    with pytest.raises(ValueError, match="heights must not be NaN"):
        dilate(heights, 1.0)
    omitted = dilate(heights, 1.0, nan="omit")
    np.testing.assert_array_equal(omitted, [1.0, 1.0, np.inf, np.inf, np.inf, 2.0, 1.0, 1.0])
    spread = dilate(heights, 1.0, nan="propagate")
    np.testing.assert_array_equal(spread, [np.nan, np.nan, np.nan, np.inf, np.inf, 2.0, 1.0, 1.0])
    assert np.isnan(dilate(np.full(3, np.nan), 1.0, nan="omit")).all()
    np.testing.assert_array_equal(dilate(np.full(3, -np.inf), 1.0, return_contact=True)[1], [-1, -1, -1])


@settings(max_examples=40)
@given(seed=st.integers(0, 999), radius=st.floats(0.5, 20), dims=st.integers(1, 3))
def test_laws(seed, radius, dims):
    heights = landscape("noise", (40, 11, 6)[:dims], radius, seed)
    rounding = 4 * np.finfo(float).eps * (np.abs(heights).max() + radius)
    closed, opened = closing(heights, radius), opening(heights, radius)
    assert (closed >= heights - rounding).all()
    assert (opened <= heights + rounding).all()
    np.testing.assert_allclose(closing(closed, radius), closed, rtol=0, atol=2 * rounding)
    np.testing.assert_allclose(opening(opened, radius), opened, rtol=0, atol=2 * rounding)
    np.testing.assert_array_equal(erode(heights, radius), -dilate(-heights, radius))
    np.testing.assert_array_equal(dilate(heights[::-1], radius), dilate(heights, radius)[::-1])
    np.testing.assert_array_equal(dilate(heights.T, radius), dilate(heights, radius).T)
    assert (dilate(heights, 1.5 * radius) >= dilate(heights, radius)).all()
    # (f_ρ)_σ ≤ f_{ρ+σ} at samples: two balls in a row are one of the sum
    assert (dilate(dilate(heights, radius), 3.0) <= dilate(heights, radius + 3.0) + rounding).all()


def test_contacts_of_a_closing_carry_the_ball():
    heights = landscape("noise", (30, 40), 5.0)
    closed, contact = closing(heights, 5.0, return_contact=True)
    flat = heights.reshape(-1)
    assert (flat[contact] <= closed + 10 + 1e-12).all()  # the ball that shapes the envelope rests on it
    touched = np.isclose(closed, heights, rtol=0, atol=1e-12)
    assert 0 < touched.sum() < heights.size
    assert touched.reshape(-1)[np.unique(contact)].all()  # what carries a ball is reachable


def test_out():
    heights = landscape("noise", (30, 40), 5.0)
    expected, out = dilate(heights, 5.0), np.empty_like(heights)
    assert dilate(heights, 5.0, out=out) is out
    np.testing.assert_array_equal(out, expected)
    np.testing.assert_array_equal(dilate(heights, 5.0, out=heights), expected)
    with pytest.raises(ValueError, match="out must have shape"):
        dilate(heights, 5.0, out=np.empty((3, 4)))


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"radius": 0.0}, ValueError, "radius"),
        ({"radius": -1.0}, ValueError, "radius"),
        ({"radius": math.nan}, ValueError, "radius"),
        ({"radius": "big"}, TypeError, "radius"),
        ({"radius": [1.0, 2.0]}, ValueError, "radius must be one number or 3 semi-axes"),
        ({"spacing": 0.0}, ValueError, "spacing"),
        ({"spacing": (1.0, 1.0, 1.0)}, ValueError, "spacing must be one number or one per axis"),
        ({"boundary": "reflect"}, ValueError, "boundary must be one of"),
        ({"nan": "ignore"}, ValueError, "nan must be one of"),
        ({"workers": 0}, ValueError, "workers"),
        ({"workers": 1.5}, TypeError, "workers"),
        ({"heights": 3.0}, ValueError, "at least one dimension"),
        ({"heights": "abc"}, TypeError, "heights"),
        ({"heights": [[1.0], [1.0, 2.0]]}, ValueError, "heights"),
    ],
)
def test_wrong_arguments(options, error, message):
    with pytest.raises(error, match=message):
        dilate(**{"heights": np.zeros((3, 4)), "radius": 1.0} | options)


def test_empty_and_integers():
    assert dilate(np.zeros((0, 3)), 1.0).shape == (0, 3)
    assert dilate(np.array([1, 2, 3]), 1.0).dtype == np.float64
    np.testing.assert_array_equal(dilate([True, False, False], 1.0), [2.0, 1.0, 1.0])


def test_an_ellipsoid_is_a_ball_of_another_spacing():
    heights = landscape("noise", (30, 40), 5.0)
    stretched = dilate(heights, (3.0, 6.0, 12.0))
    np.testing.assert_allclose(stretched, dilate(heights, 12.0, spacing=(4.0, 2.0)), rtol=1e-14)
