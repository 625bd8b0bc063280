"""Arrays of PyTorch and JAX are served by the kernels of the memory they live in: verb by verb, library by library.

The truth is what the same verb answers for NumPy's arrays.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

import geometry
from geometry import Descent, FunctionGraph, GaussNewton, MultiStart, Newton
from geometry._kernels import kernel
from geometry._lending import lend
from rbo_ref import RollingBall, trajectory
from tests.conftest import BACKENDS, Backend

HEIGHTS = np.random.default_rng(3).normal(size=(17, 23))
IMAGE = np.random.default_rng(4).integers(0, 200, (17, 23)).astype("uint8")
POINTS = np.random.default_rng(5).normal(size=(40, 3))
compiles = pytest.mark.skipif(kernel("search", np) is None, reason="numba cannot compile here")


def saddle(t):
    return (t**2).sum(-1) / 2 - 0.1 * t[..., 0] ** 3 + t[..., 0] * t[..., 1]


def search(solver: Any, points: Any) -> tuple[Any, ...]:
    found = geometry.project(FunctionGraph(saddle, compile=True), points, solver)
    return found.theta, found.contact.value, found.contact.gradient, found.steps, found.status


def on_heights(name: str, heights: Any, **options: Any) -> Any:
    return getattr(geometry, name)(heights, 4.3, **options)


def roll(solver: Any, points: Any) -> tuple[Any, ...]:
    ball = RollingBall(np.linspace(0.05, 0.1, len(points)), 0.1, solver)
    return tuple(trajectory(ball, FunctionGraph(saddle, compile=True), points[:, :-1], 5))


def descend(points: Any) -> tuple[Any, ...]:
    found = geometry.project(FunctionGraph(saddle, compile=True), points, Descent(0.1, 6))
    return found.theta, found.steps


VERBS: dict[str, tuple[Callable[[Any], Any], np.ndarray]] = {
    **{name: (partial(on_heights, name, return_contact=True), HEIGHTS) for name in ("dilate", "erode")},
    **{name: (partial(on_heights, name, return_contact=True), HEIGHTS) for name in ("opening", "closing")},
    "periodic": (partial(on_heights, "dilate", boundary="periodic", spacing=0.7), HEIGHTS),
    "with holes": (partial(on_heights, "closing", nan="omit"), np.where(HEIGHTS > 1.5, np.nan, HEIGHTS)),
    "nothing": (partial(on_heights, "closing", return_contact=True), HEIGHTS[:0]),
    "rolling_ball": (partial(geometry.rolling_ball, radius=6.0), HEIGHTS),
    "rolling_ball of bytes": (partial(geometry.rolling_ball, radius=6.0), IMAGE),
    "project": (partial(search, Newton()), POINTS),
    "project by Gauss and Newton": (partial(search, GaussNewton()), POINTS),
    "project by the paper's inner loop": (descend, POINTS),
    "trajectory": (partial(roll, Newton()), POINTS),
    "trajectory of the paper": (partial(roll, Descent(0.03, 6)), POINTS),
}
LAYOUTS = {
    "contiguous": lambda a: a,
    "turned": lambda a: a.T if a.shape[-1] != 3 else a,
    "every second, backwards where the library can": lambda a: a[::2],
    "single precision": lambda a: a,
}


@pytest.fixture(params=["torch", "jax"])
def lender(request: pytest.FixtureRequest) -> Backend:
    return BACKENDS[request.param]()


def answers(result: Any) -> tuple[Any, ...]:
    return result if isinstance(result, tuple) else (result,)


@compiles
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("verb", VERBS)
def test_the_bits_of_numpy_in_the_library_of_the_caller(lender, verb, layout):
    run, values = VERBS[verb]
    if layout == "single precision" and values.dtype.kind == "f":
        if verb.startswith(("project", "trajectory")):
            return  # searches in single precision run on arrays
        values = values.astype("float32")
    array, plain = LAYOUTS[layout](lender.asarray(values, values.dtype.name)), LAYOUTS[layout](values)
    before = lender.to_numpy(array).copy()
    for found, truth in zip(answers(run(array)), answers(run(plain)), strict=True):
        assert lender.belongs(found, truth.dtype.name)
        np.testing.assert_array_equal(lender.to_numpy(found), truth, strict=True)
    np.testing.assert_array_equal(lender.to_numpy(array), before)  # nobody wrote into it


@compiles
def test_what_the_library_computes_by_itself(lender):
    """The norm that is a distance, and the places of further starts."""
    surface, points = FunctionGraph(saddle, compile=True), lender.asarray(POINTS)
    for solver in (None, MultiStart(starts=3)) if lender.name == "torch" else (None,):
        found = geometry.distance(surface, points, solver)
        assert lender.belongs(found, "float64")
        np.testing.assert_allclose(lender.to_numpy(found), geometry.distance(surface, POINTS, solver), rtol=1e-13)


def test_nothing_is_copied(lender):
    """A view of the array, in whatever layout."""
    array = lender.asarray(HEIGHTS)
    (lent,), back = lend(array)
    assert type(lent) is np.ndarray
    assert lent.ctypes.data == address(array)
    returned = back(np.ones(5))
    assert lender.belongs(returned, "float64")
    if lender.name == "torch":
        (turned,), _ = lend(array.T)
        assert (turned.ctypes.data, turned.strides) == (address(array), HEIGHTS.T.strides)
        result = np.ones(5)
        assert back(result).data_ptr() == result.ctypes.data


def address(array: Any) -> int:
    return array.data_ptr() if hasattr(array, "data_ptr") else array.unsafe_buffer_pointer()


@pytest.mark.parametrize("name", ["numpy", "numpy-readonly", "strict"])
def test_other_libraries_lend_nothing(name):
    array = BACKENDS[name]().asarray(HEIGHTS)
    lent, back = lend(array)
    assert lent[0] is array
    assert back(array) is array


# What may not be lent.


def stays(array: Any) -> None:
    (lent,), back = lend(array)
    assert lent is array
    assert back(array) is array


def test_what_pytorch_differentiates_stays():
    torch = pytest.importorskip("torch")
    array = torch.asarray(HEIGHTS).requires_grad_()
    stays(array)
    with torch.no_grad():
        (lent,), _ = lend(array)
    assert lent.ctypes.data == array.data_ptr()
    for transform in (torch.func.grad, torch.func.vmap, torch.func.functionalize):
        transform(lambda a: stays(a) or a.sum())(array.detach())


@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated")
def test_what_pytorch_differentiates_forward_stays():
    torch = pytest.importorskip("torch")
    array = torch.asarray(HEIGHTS)
    torch.func.jvp(lambda a: stays(a) or a.sum(), (array,), (array,))


def test_what_has_no_memory_stays():
    torch = pytest.importorskip("torch")
    from torch._subclasses import FakeTensorMode

    with FakeTensorMode():
        stays(torch.ones(3))
    stays(torch.ones(3, device="meta"))
    stays(torch.ones(3, dtype=torch.bfloat16))


def test_what_jax_traces_stays():
    jax = pytest.importorskip("jax")
    for transform in (jax.jit, jax.grad, jax.vmap):
        transform(lambda a: stays(a) or a.sum())(jax.numpy.ones((3,)))


def test_signs_that_pytorch_has_put_off():
    """The imaginary part of a conjugate is a view with the wrong sign in memory."""
    torch = pytest.importorskip("torch")
    put_off = torch.asarray(HEIGHTS + 1j * HEIGHTS).conj().imag
    assert put_off.is_neg()
    (lent,), _ = lend(put_off)
    np.testing.assert_array_equal(lent, -HEIGHTS)


def test_derivatives_of_a_dilation():
    """One sample carries each ball."""
    torch = pytest.importorskip("torch")
    heights = torch.asarray(HEIGHTS).requires_grad_()
    values, contact = geometry.dilate(heights, 2.0, return_contact=True)
    values.sum().backward()
    expected = np.bincount(contact.reshape(-1).numpy(), minlength=HEIGHTS.size).reshape(HEIGHTS.shape)
    np.testing.assert_array_equal(heights.grad.numpy(), expected)
    np.testing.assert_array_equal(values.detach().numpy(), geometry.dilate(HEIGHTS, 2.0))


# Searches are compiled with what the function is, and only while it is that.


def plane_distances(w: float) -> np.ndarray:
    """To the plane y = w."""
    return np.abs(POINTS[:, -1] - w)


def test_derivatives_reach_parameters_of_the_surface():
    torch = pytest.importorskip("torch")
    w = torch.tensor(0.25, dtype=torch.float64, requires_grad=True)
    surface = FunctionGraph(lambda t: 0 * t[..., 0] + w, compile=True)
    found = geometry.distance(surface, torch.asarray(POINTS))
    np.testing.assert_allclose(found.detach().numpy(), plane_distances(0.25), rtol=1e-14)
    found.sum().backward()
    np.testing.assert_allclose(float(w.grad), -np.sign(POINTS[:, -1] - 0.25).sum())
    points = torch.asarray(POINTS).requires_grad_()
    geometry.distance(FunctionGraph(lambda t: 0 * t[..., 0] + 0.25, compile=True), points).sum().backward()
    np.testing.assert_allclose(points.grad[:, -1].numpy(), np.sign(POINTS[:, -1] - 0.25))


def test_derivatives_reach_hyper_parameters_of_a_trajectory():
    """How contacts fall with the learning rate, as the quotient of differences says."""
    torch = pytest.importorskip("torch")
    theta, surface = torch.asarray(POINTS[:, :-1]), FunctionGraph(saddle, compile=True)

    def heights(rate):
        return trajectory(RollingBall(0.05, rate, Descent(0.1, 6)), surface, theta, 2).height[-1].sum()

    rate = torch.tensor(0.1, dtype=torch.float64, requires_grad=True)
    heights(rate).backward()
    quotient = (heights(0.1 + 1e-5) - heights(0.1 - 1e-5)) / 2e-5
    assert float(rate.grad) == pytest.approx(float(quotient), rel=1e-6)


def test_parameters_that_jax_traces():
    jax = pytest.importorskip("jax")
    points = BACKENDS["jax"]().asarray(POINTS)

    def stays(w):
        assert FunctionGraph(lambda t: 0 * t[..., 0] + w, compile=True).to_compile(points[:, :-1]) is None
        return w

    jax.grad(stays)(0.25)


@compiles
def test_a_parameter_that_has_changed_since():
    torch = pytest.importorskip("torch")
    parameters = {"w": 0.25}
    surface = FunctionGraph(lambda t: 0 * t[..., 0] + parameters["w"], compile=True)
    points = torch.asarray(POINTS)
    for w, compiled in ((0.25, True), (4.0, False)):
        parameters["w"] = w
        assert (surface.to_compile(points[:, :-1]) is not None) == compiled
        np.testing.assert_allclose(geometry.distance(surface, points).numpy(), plane_distances(w), rtol=1e-14)


def test_functions_in_words_of_a_library_are_not_recorded(lender):
    """They run on arrays, and whoever asks for compiled code is told so."""
    points = lender.asarray(POINTS[:, 1:])
    wave = FunctionGraph(lambda t: lender.xp.sin(t[..., 0]), compile=True, name="wave")
    with pytest.raises(TypeError, match=r"wave cannot be compiled: the function cannot be recorded"):
        geometry.project(wave, points)
    if lender.name == "torch":
        wave.compile = None
        truth = geometry.project(FunctionGraph(lambda t: np.sin(t[..., 0])), POINTS[:, 1:])
        np.testing.assert_allclose(geometry.project(wave, points).theta.numpy(), truth.theta, rtol=1e-7, atol=1e-9)
