"""Dilations and searches on a GPU. Dilations are held to their specification in `test_kernels`; the rest is here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

import geometry
from geometry import _dilation
from geometry._ball import Ball
from geometry._kernels import kernel
from geometry._lending import lend
from rbo_ref import RollingBall, trajectory
from tests.conftest import BACKENDS, Backend
from tests.geometry.test_kernels import DTYPES, FAMILIES, landscape

pytestmark = pytest.mark.gpu
VERBS = ["dilate", "erode", "opening", "closing"]


@pytest.fixture
def backend() -> Backend:
    return BACKENDS["cupy"]()


@pytest.fixture
def cupy(backend: Backend):
    import cupy

    return cupy


def same(backend: Backend, found, expected) -> None:
    """Values and contacts of CuPy are those of NumPy, in dtype and bits."""
    for a, b in zip(found, expected, strict=True):
        if b is None:
            assert a is None
        else:
            np.testing.assert_array_equal(backend.to_numpy(a), b, strict=True)


def both(backend: Backend, f: np.ndarray, radius: float, contact: bool = True) -> None:
    """The kernel for CuPy does what the kernel for NumPy does."""
    ball = Ball(radius, (1.0,) * f.ndim)
    where = ball.cap(ball.half_widths(f.shape)), (0,) * f.ndim, f.shape
    expected = kernel("dilation", np)(f, *where, contact=contact)
    same(backend, kernel("dilation", backend.xp)(backend.xp.asarray(f), *where, contact=contact), expected)


# Sizes that no test on the CPU can afford.


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["noise", "steep ramp", "bowls", "ties", "mostly holes"])
def test_large_arrays(backend, name, dtype):
    for shape, radius in [((1_000_003,), 5000.0), ((1021, 770), 60.0), ((70, 65, 90), 9.0), ((9, 8, 40, 33), 6.0)]:
        both(backend, landscape(name, shape, Ball(radius, (1.0,) * len(shape)), dtype), radius)


def test_more_samples_than_32_bits_count(backend, cupy):
    free, _ = cupy.cuda.runtime.memGetInfo()
    n = 2**31 + 200
    if free < 10 * n:
        pytest.skip("too little memory")
    f = cupy.zeros(n, cupy.float16)
    f[-70] = 5
    values, _ = kernel("dilation", backend.xp)(f, np.array([4.0, 3.0, 0.0]), (0,), f.shape)
    assert values[-75:-65].tolist() == [4, 4, 4, 5, 8, 9, 8, 5, 4, 4]
    assert int(cupy.count_nonzero(values != 4)) == 5


@pytest.mark.parametrize("name", FAMILIES)
def test_the_generic_body_on_the_gpu(backend, name):
    """In double precision: CuPy's own conversions flush subnormal numbers of narrower types to zero."""
    for shape, radius in [((90,), 20.0), ((21, 34), 6.0), ((4, 7, 9), 2.5)]:
        ball = Ball(radius, (1.0,) * len(shape))
        f = backend.xp.asarray(landscape(name, shape, ball))
        where = ball.cap(ball.half_widths(shape)), (0,) * len(shape), shape
        values, contacts = kernel("dilation", backend.xp)(f, *where, contact=True)
        expected, touched = _dilation.dilation(f, *where, contact=True)
        same(backend, (values, contacts), map(backend.to_numpy, (expected, touched)))


@pytest.mark.parametrize(("dtype", "unit"), [("float16", 6e-8), ("float32", 1.4e-45), ("float64", 5e-324)])
def test_subnormal_numbers_are_not_flushed_to_zero(backend, dtype, unit):
    f = (unit * np.random.default_rng(0).integers(-99, 99, (40, 50))).astype(dtype)
    cap = np.full((3, 4), 3 * unit)
    expected = kernel("dilation", np)(f, cap, (0, 0), f.shape, contact=True)
    assert 0 < abs(expected[0]).max() < np.finfo(dtype).smallest_normal
    same(backend, kernel("dilation", backend.xp)(backend.xp.asarray(f), cap, (0, 0), f.shape, contact=True), expected)


@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_sums_are_rounded_once(backend, dtype):
    """Just above the middle of two numbers; rounding to another type in between would make it the middle."""
    one, gap = 1.0, float(np.finfo(dtype).eps)
    f = np.full(40, one, dtype)
    cap = np.array([gap / 2 + 2.0**-52])
    values, _ = kernel("dilation", backend.xp)(backend.xp.asarray(f), cap, (0,), f.shape)
    np.testing.assert_array_equal(backend.to_numpy(values), np.full(40, one + gap, dtype), strict=True)


# Where arrays lie.


def test_views(backend, cupy):
    ball = Ball(4.0, (1.0, 1.0))
    whole = landscape("noise", (60, 70), ball)
    on_gpu = cupy.asarray(whole)
    for view in (lambda a: a[::2, ::-3], lambda a: a.T, lambda a: a[7:, 5:-1], lambda a: a[:, :1]):
        f = view(whole)
        where = ball.cap(ball.half_widths(f.shape)), (0, 0), f.shape
        expected = kernel("dilation", np)(f, *where, contact=True)
        same(backend, kernel("dilation", backend.xp)(view(on_gpu), *where, contact=True), expected)
    np.testing.assert_array_equal(on_gpu.get(), whole)


@pytest.fixture
def other_device(cupy) -> Iterator[int]:
    if cupy.cuda.runtime.getDeviceCount() < 2:
        pytest.skip("one GPU only")
    return 1 - cupy.cuda.Device().id


def test_a_device_that_is_not_the_current_one(backend, cupy, other_device):
    ball = Ball(5.0, (1.0, 1.0))
    f = landscape("noise", (50, 60), ball)
    where = ball.cap((5, 5)), (0, 0), f.shape
    with cupy.cuda.Device(other_device):
        there = cupy.asarray(f)
    found = kernel("dilation", backend.xp)(there, *where, contact=True)
    assert [a.device.id for a in found] == [other_device] * 2
    same(backend, found, kernel("dilation", np)(f, *where, contact=True))


def test_the_current_stream(backend, cupy):
    f = landscape("noise", (300, 300), Ball(5.0, (1.0, 1.0)))
    expected = geometry.dilate(f + 1, 5.0)
    stream = cupy.cuda.Stream(non_blocking=True)
    with stream:
        slow = cupy.asarray(f)
        for _ in range(200):
            slow = slow * 1.0
        values = geometry.dilate(slow + 1, 5.0)
    stream.synchronize()
    same(backend, [values], [expected])


@pytest.mark.parametrize("verb", VERBS)
def test_verbs_work_where_the_array_is(backend, cupy, other_device, verb):
    f = landscape("noise", (50, 60), Ball(5.0, (1.0, 1.0)))
    f[3, 4] = np.nan
    with cupy.cuda.Device(other_device):
        there = cupy.asarray(f)
    found = getattr(geometry, verb)(there, 5.0, nan="omit")
    assert found.device.id == other_device
    same(backend, [found], [getattr(geometry, verb)(f, 5.0, nan="omit")])


# Searches.


def saddle(t):
    return (t**2).sum(-1) / 2 - 0.1 * t[..., 0] ** 3 + t[..., 0] * t[..., 1]


QUERIES = np.random.default_rng(1).normal(size=(3000, 3))


def hold_footpoints(backend: Backend, points, solver, compile: bool) -> None:
    """As on the CPU, but for rounding, which decides about the last step of a few."""
    found = geometry.project(geometry.FunctionGraph(saddle, compile=compile), points, solver)
    truth = geometry.project(geometry.FunctionGraph(saddle), QUERIES, solver)
    assert found.theta.device == points.device
    statuses, distances = (backend.to_numpy(a) for a in (found.status, found.distance))
    assert (statuses == truth.status).mean() >= 0.99
    assert (abs(distances - truth.distance) <= 1e-9 * (1 + truth.distance)).mean() >= 0.99


@pytest.mark.parametrize("compile", [True, False])
@pytest.mark.parametrize("solver", [geometry.Newton(), geometry.GaussNewton()], ids=str)
def test_searches(backend, solver, compile):
    hold_footpoints(backend, backend.xp.asarray(QUERIES), solver, compile)


def test_searches_on_a_device_that_is_not_the_current_one(backend, cupy, other_device):
    with cupy.cuda.Device(other_device):
        there = cupy.asarray(QUERIES)
    hold_footpoints(backend, there, geometry.Newton(), True)


@pytest.mark.parametrize("variant", ["footpoint", "distance"])
@pytest.mark.parametrize("solver", [geometry.Descent(0.03, 6), geometry.Newton(), geometry.GaussNewton()], ids=str)
def test_trajectories(backend, solver, variant):
    """Of polynomials, one step: the same but for the rounding of roots and a search's tolerance."""
    ball, theta = RollingBall(0.05, 0.1, solver, variant), QUERIES[:300, :2]
    found = trajectory(ball, geometry.FunctionGraph(saddle, compile=True), backend.xp.asarray(theta), 1)
    for array, expected in zip(found, trajectory(ball, geometry.FunctionGraph(saddle), theta, 1), strict=True):
        np.testing.assert_allclose(backend.to_numpy(array), expected, rtol=1e-10, atol=1e-10)


def test_descents(backend):
    surface = geometry.FunctionGraph(saddle, compile=True)
    found = geometry.project(surface, backend.xp.asarray(QUERIES), geometry.Descent(0.1, 6)).theta
    expected = geometry.project(surface, QUERIES, geometry.Descent(0.1, 6)).theta
    np.testing.assert_allclose(backend.to_numpy(found), expected, rtol=1e-13, atol=1e-13)


# Arrays of PyTorch and JAX in the memory of the GPU.


@pytest.fixture(params=["torch", "jax"])
def lender(request: pytest.FixtureRequest) -> Backend:
    backend = BACKENDS[request.param]()
    device = "cuda"
    if request.param == "torch":
        if not backend.xp.cuda.is_available():
            pytest.skip("PyTorch has no GPU")
    else:
        import jax

        device = next((d for d in jax.devices() if d.platform in ("gpu", "cuda")), None)
        if device is None:
            pytest.skip("JAX has no GPU")
    return replace(backend, device=device)


def test_arrays_are_lent(cupy, lender):
    f = np.random.default_rng(0).normal(size=(40, 50))
    array = lender.asarray(f)
    (lent,), back = lend(array)
    assert isinstance(lent, cupy.ndarray)
    assert back(lent).device == array.device
    for verb in VERBS:
        found = getattr(geometry, verb)(array, 4.0, return_contact=True)
        assert all(a.device == array.device for a in found)
        same(lender, found, getattr(geometry, verb)(f, 4.0, return_contact=True))
    hold_footpoints(lender, lender.asarray(QUERIES), geometry.Newton(), True)


# The public functions answer as they do for NumPy's arrays.


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("boundary", ["none", "periodic"])
@pytest.mark.parametrize("verb", VERBS)
def test_verbs(backend, verb, boundary, dtype):
    for shape, radius, spacing in [((500,), 2.5, 0.1), ((33, 70), 3.0, (0.5, 0.3)), ((6, 9, 20), 2.2, 1.0)]:
        f = np.random.default_rng(0).normal(size=shape).astype(dtype)
        options = {"spacing": spacing, "boundary": boundary, "return_contact": True}
        expected = getattr(geometry, verb)(f, radius, **options)
        same(backend, getattr(geometry, verb)(backend.xp.asarray(f), radius, **options), expected)


@pytest.mark.parametrize("nan", ["omit", "propagate"])
@pytest.mark.parametrize("verb", VERBS)
def test_nan_and_walls(backend, verb, nan):
    rng = np.random.default_rng(1)
    f = rng.normal(size=(40, 50))
    f[rng.random(f.shape) < 0.02] = np.nan
    f[rng.random(f.shape) < 0.01] = np.inf
    f[rng.random(f.shape) < 0.01] = -np.inf
    expected = getattr(geometry, verb)(f, 3.0, nan=nan, return_contact=True)
    same(backend, getattr(geometry, verb)(backend.xp.asarray(f), 3.0, nan=nan, return_contact=True), expected)


def test_nan_is_refused(backend):
    with pytest.raises(ValueError, match="heights must not be NaN"):
        geometry.dilate(backend.xp.asarray([0.0, np.nan]), 1.0)


def test_out_and_integers(backend, cupy):
    out = cupy.empty(5)
    assert geometry.dilate(cupy.asarray([0, 0, 9, 0, 0]), 1.0, out=out) is out
    assert out.tolist() == [1, 9, 10, 9, 1]


@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32", "float64"])
def test_rolling_ball(backend, dtype):
    image = np.random.default_rng(2).integers(0, 200, (60, 70)).astype(dtype)
    expected = geometry.rolling_ball(image, radius=12)
    same(backend, [geometry.rolling_ball(backend.xp.asarray(image), radius=12)], [expected])
