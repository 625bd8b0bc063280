"""The landscapes against arbitrary precision, automatic differentiation and closed forms, on every array library.

The first truth: each formula is written here a second time, in power series of Arb balls. The series of f(θ + tv) is
f + t·gᵀv + ½t²·vᵀHv, so nobody's hand makes the derivatives. The same formula in balls of 53 (or 24) bits gives the
tolerance: the radius of such a ball is a running bound of the rounding errors of a floating-point evaluation.
"""

from __future__ import annotations

import contextlib
import math
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache, partial
from itertools import pairwise
from typing import Any, NamedTuple

import array_api_strict
import flint
import numpy as np
import pytest
import scipy.optimize
from array_api_compat import array_namespace, device
from flint import arb, arb_series
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose, assert_array_equal

from geometry import FunctionGraph
from rbo_ref import landscapes

EPS = float(np.finfo(float).eps)
CENTERS = np.random.default_rng(1).uniform(-3, 3, (50, 2)).astype(np.float32)


# The truth.


def sine(x):
    return x[0].sin()


def wrinkled(x, terms=100):
    return sum((k * k * x[0]).sin() / (k * k) for k in range(1, terms + 1))


def gaussians(x, denominator):
    dents = (sum((t - arb(float(c))) ** 2 for t, c in zip(x, center, strict=True)) for center in CENTERS)
    return sum(t**2 for t in x) - sum((-r / arb(denominator)).exp() for r in dents)


def weierstrass(x, a, b, terms):
    return sum(arb(a) ** n * (arb(b) ** n * arb.pi() * t).cos() for t in x for n in range(terms))


def plane(x, slope, height):
    return sum((s * t for s, t in zip(slope, x, strict=True)), arb(height))


def quadratic(x, matrix):
    return sum(matrix[i][j] * x[i] * x[j] for i in range(len(x)) for j in range(len(x))) / 2


def gaussian_well(x, width, depth):
    return -arb(depth) * (-sum((t / width) ** 2 for t in x) / 2).exp()


def beale(x):
    x, y = x
    return sum((arb(c) - x * (1 - y**i)) ** 2 for i, c in enumerate([1.5, 2.25, 2.625], start=1))


def rosenbrock(x, a, b):
    return sum(b * (y - x * x) ** 2 + (a - x) ** 2 for x, y in pairwise(x))


def himmelblau(x):
    x, y = x
    return (x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2


def ackley(x, a=20.0, b=0.2, c=2 * math.pi):
    cone = (-arb(b) * (sum(t**2 for t in x) / len(x)).sqrt()).exp()
    bumps = (sum((arb(c) * t).cos() for t in x) / len(x)).exp()
    return arb(a) + arb.const_e() - arb(a) * cone - bumps


def rastrigin(x, amplitude):
    return amplitude * len(x) + sum(t**2 - amplitude * (2 * arb.pi() * t).cos() for t in x)


class Case(NamedTuple):
    surface: FunctionGraph
    formula: Callable[[list[arb_series]], arb_series]
    d: int
    size: float  # points are drawn from [-size, size]ᵈ


MATRIX = [[2.0, -0.5], [-0.5, -3.0]]
CASES = {
    "sine": Case(landscapes.sine(), sine, 1, 9),
    "wrinkled": Case(landscapes.wrinkled(), wrinkled, 1, 3),
    "gaussians": Case(landscapes.gaussians(0.5, centers=CENTERS), lambda x: gaussians(x, 0.25), 2, 3),
    "gaussians, authors": Case(
        landscapes.gaussians(0.5, centers=CENTERS, convention="authors"), lambda x: gaussians(x, 0.5), 2, 3
    ),
    "weierstrass": Case(landscapes.weierstrass(terms=8), lambda x: weierstrass(x, 0.5, 3, 8), 2, 2),
    "weierstrass, even": Case(landscapes.weierstrass(0.75, 2, 5), lambda x: weierstrass(x, 0.75, 2, 5), 1, 2),
    "plane": Case(landscapes.plane([3.0, -0.25], 0.5), lambda x: plane(x, [3.0, -0.25], 0.5), 2, 3),
    "paraboloid": Case(landscapes.paraboloid(2.5), lambda x: sum(t**2 for t in x) * 5 / 4, 3, 3),
    "paraboloid, matrix": Case(landscapes.paraboloid(MATRIX), lambda x: quadratic(x, MATRIX), 2, 3),
    "gaussian well": Case(landscapes.gaussian_well(0.75, 2.5), lambda x: gaussian_well(x, 0.75, 2.5), 2, 2),
    "beale": Case(landscapes.beale(), beale, 2, 4.5),
    "rosenbrock": Case(landscapes.rosenbrock(), lambda x: rosenbrock(x, 1, 100), 2, 2),
    "rosenbrock, chained": Case(landscapes.rosenbrock(-0.5, 10), lambda x: rosenbrock(x, -0.5, 10), 4, 2),
    "himmelblau": Case(landscapes.himmelblau(), himmelblau, 2, 5),
    "ackley": Case(landscapes.ackley(), ackley, 3, 4),
    "ackley, line": Case(landscapes.ackley(5.0, 1.0, 4.0), lambda x: ackley(x, 5.0, 1.0, 4.0), 1, 4),
    "rastrigin": Case(landscapes.rastrigin(), lambda x: rastrigin(x, 10), 2, 5),
}


class Jet(NamedTuple):
    """Value (...), gradient (..., d) and Hessian (..., d, d)."""

    value: Any
    gradient: Any
    hessian: Any


def jet(surface: FunctionGraph, theta: Any) -> Jet:
    return Jet(surface.value(theta), surface.gradient(theta), surface.hessian(theta))


def balls(case: Case, theta: np.ndarray, bits: int) -> tuple[Jet, Jet]:
    """Midpoints and radii of the jet at one point, in Arb balls of `bits` bits; the Hessian by polarisation."""

    def along(direction: np.ndarray) -> list[arb]:
        line = [arb_series([arb(float(t)), arb(float(v))], 3) for t, v in zip(theta, direction, strict=True)]
        series = case.formula(line)
        return [series[order] for order in range(3)]

    with flint.ctx.workprec(bits):
        e = np.eye(case.d)
        axes = [along(v) for v in e]
        hessian = [[along(u + v)[2] - axes[i][2] - axes[j][2] for j, v in enumerate(e)] for i, u in enumerate(e)]
        whole = Jet(axes[0][0], [a[1] for a in axes], hessian)
        return (
            Jet(*(np.vectorize(lambda x: float(x.mid()), otypes=[float])(part) for part in whole)),
            Jet(*(np.vectorize(lambda x: float(x.rad()), otypes=[float])(part) for part in whole)),
        )


def truth(case: Case, theta: np.ndarray, dtype: str) -> tuple[Jet, Jet]:
    """The exact jets at all points (..., d), rounded to float64, and the tolerances for an evaluation in `dtype`.

    A ball of 53 bits bounds the rounding errors of Arb's order of operations. Another order, functions good to a few
    ulp instead of half a one, and constants rounded to the dtype cost a small factor: 4. One ulp of the result is its
    own rounding; finfo.tiny stands for underflow, which Arb does not have.
    """
    info = np.finfo(dtype)
    points = theta.reshape(-1, case.d)

    def collect(jets: list[Jet]) -> Jet:
        parts = (np.stack(part) for part in zip(*jets, strict=True))
        return Jet(*(part.reshape(theta.shape[:-1] + part.shape[1:]) for part in parts))

    exact = collect([balls(case, point, 600)[0] for point in points])
    radii = collect([balls(case, point, info.nmant + 1)[1] for point in points])
    return exact, Jet(*(4 * r + info.eps * np.abs(x) + info.tiny for x, r in zip(exact, radii, strict=True)))


def assert_jet(actual: Jet, exact: Jet, tolerance: Jet) -> None:
    for name, a, x, allowed in zip(Jet._fields, actual, exact, tolerance, strict=True):
        error = np.abs(np.asarray(a, dtype=float) - x)
        assert error.shape == x.shape
        assert (error <= allowed).all(), f"{name}: error/tolerance {np.max(error / allowed):.3g}, {a} against {x}"


@cache
def sample(name: str) -> np.ndarray:
    """Points (2, 3, d) that float32 holds exactly."""
    case = CASES[name]
    points = np.random.default_rng(len(name)).uniform(-case.size, case.size, (2, 3, case.d))
    return points.astype(np.float32).astype(float)


@cache
def sample_truth(name: str, dtype: str) -> tuple[Jet, Jet]:
    return truth(CASES[name], sample(name), dtype)


# The array libraries: how to make an array, how to compile a function, and how to read a result.


class Library(NamedTuple):
    asarray: Callable[[np.ndarray], Any]
    jit: Callable[[Callable], Callable] = lambda function: function
    to_numpy: Callable[[Any], np.ndarray] = np.asarray


def read_only(values: np.ndarray) -> np.ndarray:
    values = values.copy()
    values.flags.writeable = False
    return values


def strict(place: str) -> Library:
    return Library(
        lambda values: array_api_strict.asarray(values, device=array_api_strict.Device(place)), to_numpy=np.from_dlpack
    )


@contextlib.contextmanager
def library(name: str) -> Iterator[Library]:
    if name == "numpy":
        yield Library(np.asarray)
    elif name == "numpy-readonly":
        yield Library(read_only)
    elif name.startswith("strict"):
        with array_api_strict.ArrayAPIStrictFlags(boolean_indexing=False, data_dependent_shapes=False):
            yield strict({"strict": "CPU_DEVICE", "strict-device1": "device1", "strict-no-float64": "no_float64"}[name])
    elif name == "torch":
        yield Library(pytest.importorskip("torch", reason="PyTorch is not installed").asarray)
    elif name.startswith("jax"):
        jax = pytest.importorskip("jax", reason="JAX is not installed")
        jax.config.update("jax_enable_x64", True)
        yield Library(jax.numpy.asarray, jax.jit) if name == "jax-jit" else Library(jax.numpy.asarray)
    elif name == "dask":
        yield Library(pytest.importorskip("dask.array", reason="dask is not installed").from_array)
    else:
        cupy = pytest.importorskip("cupy", reason="CuPy is not installed", exc_type=ImportError)
        if not cupy.cuda.is_available():
            pytest.skip("no CUDA device")
        yield Library(cupy.asarray, to_numpy=cupy.asnumpy)


LIBRARIES = ["numpy", "numpy-readonly", "strict", "strict-device1", "torch", "jax-jit", "dask"]
LIBRARIES += [pytest.param("cupy", marks=pytest.mark.gpu)]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("where", LIBRARIES)
@pytest.mark.parametrize("name", CASES)
def test_every_library_agrees_with_arbitrary_precision(name: str, where: str, dtype: str) -> None:
    with library(where) as lib:
        theta = lib.asarray(sample(name).astype(dtype))
        results = lib.jit(partial(jet, CASES[name].surface))(theta)
        for result in results:
            assert array_namespace(result) is array_namespace(theta)
            assert result.dtype == theta.dtype
            assert device(result) == device(theta)
        assert_jet(Jet(*map(lib.to_numpy, results)), *sample_truth(name, dtype))


@pytest.mark.parametrize("name", CASES)
def test_a_device_without_float64(name: str) -> None:
    test_every_library_agrees_with_arbitrary_precision(name, "strict-no-float64", "float32")


# Eager JAX compiles each operation by itself, so it is slow; these have all the operations.
@pytest.mark.parametrize(
    ("name", "dtype"),
    [("gaussians", "float64"), ("weierstrass", "float32"), ("ackley", "float32"), ("rosenbrock", "float64")],
)
def test_jax_without_jit(name: str, dtype: str) -> None:
    test_every_library_agrees_with_arbitrary_precision(name, "jax", dtype)


@pytest.mark.parametrize("index", [(0, 0), (1,), (slice(0),)], ids=["()", "(3,)", "(0, 3)"])
@pytest.mark.parametrize("name", CASES)
def test_leading_dimensions_are_a_batch(name: str, index: tuple) -> None:
    expected = (Jet(*(part[index] for part in parts)) for parts in sample_truth(name, "float64"))
    assert_jet(jet(CASES[name].surface, sample(name)[index]), *expected)


@pytest.mark.parametrize("name", CASES)
@given(data=st.data())
@settings(deadline=None, max_examples=10)
def test_any_point_agrees_with_arbitrary_precision(name: str, data: st.DataObject) -> None:
    case = CASES[name]
    theta = data.draw(arrays(np.float64, (case.d,), elements=st.floats(-case.size, case.size, width=32)))
    assume(theta.any() or not name.startswith("ackley"))  # the tip of its cone
    assert_jet(jet(case.surface, theta), *truth(case, theta, "float64"))


@pytest.mark.parametrize("part", range(3), ids=Jet._fields)
@pytest.mark.parametrize("name", CASES)
def test_the_comparison_notices_a_change_of_1e_12(name: str, part: int) -> None:
    exact, tolerance = sample_truth(name, "float64")
    wrong = list(exact)
    wrong[part] = wrong[part] + 1e-12 * np.max(np.abs(wrong[part])) + 1e-300
    with pytest.raises(AssertionError, match=Jet._fields[part]):
        assert_jet(Jet(*wrong), exact, tolerance)


@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning")  # by torch.func.jvp itself
@pytest.mark.parametrize("where", ["torch", "jax-jit"])
@pytest.mark.parametrize("name", CASES)
def test_derivatives_agree_with_automatic_differentiation(name: str, where: str) -> None:
    surface = CASES[name].surface
    with library(where) as lib:
        automatic = lib.jit(partial(jet, FunctionGraph(surface.value)))(lib.asarray(sample(name)))
        expected = Jet(*map(lib.to_numpy, automatic))
    # The framework's order of operations is not ours: each side may use up the tolerance.
    tolerance = Jet(*(2 * part for part in sample_truth(name, "float64")[1]))
    assert_jet(jet(surface, sample(name)), expected, tolerance)


# Peers and closed forms.


@pytest.mark.parametrize("d", [2, 3, 5])
@given(data=st.data())
@settings(deadline=None, max_examples=20)
def test_rosenbrock_is_that_of_scipy(d: int, data: st.DataObject) -> None:
    theta = data.draw(arrays(np.float64, (d,), elements=st.floats(-2, 2)))
    surface = landscapes.rosenbrock()
    # On [-2, 2] no intermediate term exceeds 1e4 times d.
    close = partial(assert_allclose, rtol=0, atol=1e4 * d * 8 * EPS)
    close(surface.value(theta), scipy.optimize.rosen(theta))
    close(surface.gradient(theta), scipy.optimize.rosen_der(theta))
    close(surface.hessian(theta), scipy.optimize.rosen_hess(theta))


MINIMA = [
    (landscapes.sine(), [-math.pi / 2], -1),
    (landscapes.gaussian_well(0.5, 3), [0, 0, 0], -3),
    (landscapes.weierstrass(0.5, 3, 6), [1, -3], -2 * (1 - 0.5**6) / (1 - 0.5)),
    (landscapes.paraboloid([[2.0, 1.0], [1.0, 2.0]]), [0, 0], 0),
    (landscapes.beale(), [3, 0.5], 0),
    (landscapes.rosenbrock(), [1, 1, 1, 1], 0),
    (landscapes.rosenbrock(a=1.5, b=7), [1.5, 2.25], 0),
    (landscapes.himmelblau(), [3, 2], 0),
    (landscapes.himmelblau(), [-2.805118086952745, 3.131312518250573], 0),
    (landscapes.himmelblau(), [-3.779310253377747, -3.283185991286170], 0),
    (landscapes.himmelblau(), [3.584428340330492, -1.848126526964404], 0),
    (landscapes.rastrigin(), [0, 0, 0], 0),
]


@pytest.mark.parametrize(("surface", "theta", "height"), MINIMA)
def test_minima(surface: FunctionGraph, theta: list[float], height: float) -> None:
    eigenvalues = np.linalg.eigvalsh(surface.hessian(theta))
    assert eigenvalues[0] > 0
    assert_allclose(surface.value(theta), height, rtol=4 * EPS, atol=1e-26)
    # A minimiser that is rounded to 4 ulp leaves a gradient of |H| times as much.
    assert np.max(np.abs(surface.gradient(theta))) <= eigenvalues[-1] * 4 * EPS * max(1, np.max(np.abs(theta)))


def test_defaults() -> None:
    assert landscapes.weierstrass().value([0.0]) == 2 - 2.0**-19
    assert landscapes.paraboloid().value([1.0, 2.0]) == 2.5
    assert landscapes.plane(2.0).value([3.0]) == 6
    assert_allclose(landscapes.gaussian_well().value([1.0]), -math.exp(-0.5), rtol=2 * EPS)


def test_himmelblau_has_one_local_maximum() -> None:
    surface, theta = landscapes.himmelblau(), [-0.270845, -0.923039]
    assert_allclose(surface.value(theta), 181.617, atol=5e-4)
    assert np.max(np.linalg.eigvalsh(surface.hessian(theta))) < 0
    assert_allclose(surface.gradient(theta), 0, atol=50 * 5e-7)  # |H| < 50, six printed digits


STEEPEST = [  # where the curvature is largest, and the critical radius
    (landscapes.sine(), [-math.pi / 2], 1),
    (landscapes.weierstrass(0.5, 3, 4), [1, 1], 1 / (math.pi**2 * (1 + 4.5 + 4.5**2 + 4.5**3))),
    (landscapes.plane([1, 2]), [0, 0], math.inf),
    (landscapes.paraboloid(4), [0, 0], 1 / 4),
    (landscapes.paraboloid([[1, 2], [2, 1]]), [0, 0], 1 / 3),
    (landscapes.paraboloid([[-1, 0], [0, 0]]), [0, 0], math.inf),
    (landscapes.gaussian_well(3, 2), [0, 0], 9 / 2),
    (landscapes.rastrigin(2), [0, 0], 1 / (2 + 8 * math.pi**2)),
]


@pytest.mark.parametrize(("surface", "theta", "radius"), STEEPEST)
@given(data=st.data())
@settings(deadline=None, max_examples=20)
def test_critical_radius(surface: FunctionGraph, theta: list[float], radius: float, data: st.DataObject) -> None:
    largest = 1 / radius
    assert_allclose(surface.curvatures(theta)[-1], largest, rtol=16 * EPS, atol=EPS)
    elsewhere = data.draw(arrays(np.float64, (len(theta),), elements=st.floats(-4, 4)))
    size = np.max(np.abs(surface.hessian(elsewhere)))  # eigenvalues are good to its rounding
    assert surface.curvatures(elsewhere)[-1] <= largest + 16 * EPS * (largest + size)


def test_wrinkled_at_multiples_of_pi() -> None:
    # k² has the parity of k, so f(π) = 0, f′(π) = Σ (−1)ᵏ, and f″ vanishes at 0 and π. π is off by half an ulp.
    for terms, slope in (1, -1), (6, 0), (7, -1):
        surface = landscapes.wrinkled(terms)
        result = jet(surface, np.array([0, math.pi])[:, None])
        amplified = EPS * math.pi * np.sum(np.arange(1.0, terms + 1) ** 4)
        assert_allclose(result.value, 0, atol=EPS * math.pi * terms)
        assert_allclose(result.gradient[:, 0], [terms, slope], atol=amplified)
        assert_allclose(result.hessian[:, 0, 0], 0, atol=amplified)


@given(theta=arrays(np.float64, (2,), elements=st.integers(-64, 64).map(lambda n: n / 32)))
@settings(deadline=None, max_examples=20)
def test_weierstrass_is_even_and_has_period_2(theta: np.ndarray) -> None:
    surface = landscapes.weierstrass()
    # 3ⁿθ is exact for these θ, and so is the reduction of the phase.
    assert_array_equal(surface.value(theta + 2), surface.value(theta))
    assert_array_equal(surface.value(-theta), surface.value(theta))


def test_weierstrass_gradient_of_100_terms_is_noise() -> None:
    theta = np.random.default_rng(0).uniform(-1, 1, (20, 1))

    def error(terms: int) -> np.ndarray:
        exact = [balls(Case(None, lambda x: weierstrass(x, 0.5, 3, terms), 1, 1), t, 600)[0].gradient for t in theta]
        return np.abs(landscapes.weierstrass(terms=terms).gradient(theta) / exact - 1)

    assert np.median(error(20)) < 1e-6
    assert np.median(error(100)) > 0.9


def test_weierstrass_goes_as_far_as_float64() -> None:
    # π²·9³²¹ < 2¹⁰²⁴ < π²·9³²²
    assert np.isfinite(landscapes.weierstrass(terms=322).hessian([0.3]))
    with pytest.raises(ValueError, match="overflows float64"):
        landscapes.weierstrass(terms=323).value([0.3])


def test_gaussians_of_seed_0_are_those_of_the_authors() -> None:
    state = np.random.get_state()  # noqa: NPY002
    np.random.seed(0)  # noqa: NPY002
    centers = np.random.uniform(-3, 3, (1000, 2))  # noqa: NPY002
    np.random.set_state(state)  # noqa: NPY002
    assert_allclose(centers[0], 6 * np.array([0.5488135, 0.71518937]) - 3, rtol=1e-7)

    theta = np.array([[2.0, 0.0], [2.0, 0.1]])  # their starts
    expected = np.sum(theta**2, axis=-1) - [sum(math.exp(-sum((t - c) ** 2) / 0.02) for c in centers) for t in theta]
    # The largest exponent that matters is about 40, with 40 times its rounding error.
    assert_allclose(landscapes.by_name("gaussians").value(theta), expected, rtol=100 * EPS)


@given(theta=arrays(np.float64, (2,), elements=st.floats(-3, 3)))
@settings(deadline=None, max_examples=20)
def test_conventions_differ_by_the_square_root_of_two(theta: np.ndarray) -> None:
    paper = landscapes.gaussians(math.sqrt(2) * 0.5, 20, 3)
    authors = landscapes.gaussians(0.5, 20, 3, convention="authors")
    # Exponents up to 36/0.25 shift by a few ulp; 20 dents of height 1 on a bowl of height 18.
    for a, b, scale in zip(jet(paper, theta), jet(authors, theta), (1, 4, 16), strict=True):
        assert_allclose(a, b, rtol=8 * EPS, atol=scale * 40 * 8 * EPS)


def test_dents_in_the_cube_that_was_asked_for() -> None:
    narrow = landscapes.gaussians(0.01, 5, low=1, high=1.25, d=3)
    theta = np.array([[1.1, 1.2, 1.1], [0.9, 0.9, 0.9]])
    assert_allclose(narrow.value([[0, 0, 0]]), 0, atol=0)
    centers = np.random.RandomState(0).uniform(1, 1.25, (5, 3))
    assert_array_equal(narrow.value(theta), landscapes.gaussians(0.01, centers=centers).value(theta))


def test_ackley_at_its_tip() -> None:
    surface = landscapes.ackley()
    result = jet(surface, np.zeros((2, 3)))
    assert_array_equal(result.value, np.zeros(2))
    assert_array_equal(result.gradient, np.zeros((2, 3)))
    smooth = math.e * (2 * math.pi) ** 2 / 3
    assert_allclose(result.hessian, np.broadcast_to(smooth * np.eye(3), (2, 3, 3)), rtol=4 * EPS)
    beside = surface.value([1e-9, 0, 0]) / 1e-9
    assert_allclose(beside, 20 * 0.2 / math.sqrt(3), rtol=1e-7)  # slope of the cone; the bowl adds 1e-9 times |H|


@pytest.mark.parametrize("where", ["numpy", "torch", "jax-jit"])
def test_ackley_on_axes_and_diagonals(where: str) -> None:
    theta = np.array([[0, 0, 1], [0, 2, 0], [-1.5, 0, 0], [1, 1, 0], [1, -1, 1], [0, 0.5, 0.5], [1e-160, 0, -1e-170]])
    theta = theta[:-1] if where == "jax-jit" else theta  # where JAX's squares overflow
    exact, tolerance = truth(CASES["ackley"], theta, "float64")
    with library(where) as lib:
        found = Jet(*map(lib.to_numpy, lib.jit(partial(jet, landscapes.ackley()))(lib.asarray(theta))))
    assert_jet(found, exact, Jet(*(2 * part for part in tolerance)))


@pytest.mark.parametrize("name", ["ackley", "ackley, line", "rastrigin"])
@pytest.mark.parametrize("size", [1e-3, 1e-9, 1e-30])
def test_relative_precision_near_the_minimum(name: str, size: float) -> None:
    theta = size * np.linspace(0.3, 1, CASES[name].d)
    exact, _ = balls(CASES[name], theta, 600)
    assert_allclose(CASES[name].surface.value(theta), exact.value, rtol=16 * EPS)


# The border.


@pytest.mark.parametrize(
    ("surface", "d", "message"),
    [
        (landscapes.sine(), 2, r"sine: theta must have shape \(\.\.\., d\) with d = 1, got \(4, 2\)"),
        (landscapes.wrinkled(), 2, "wrinkled: .* d = 1"),
        (landscapes.gaussians(1.0), 3, "gaussians: .* d = 2"),
        (landscapes.plane(3.0), 2, "plane: .* d = 1"),
        (landscapes.paraboloid(np.eye(3)), 2, "paraboloid: .* d = 3"),
        (landscapes.beale(), 3, "beale: .* d = 2"),
        (landscapes.rosenbrock(), 1, "rosenbrock: .* d >= 2"),
        (landscapes.himmelblau(), 3, "himmelblau: .* d = 2"),
    ],
)
@pytest.mark.parametrize("verb", ["value", "gradient", "hessian"])
def test_wrong_dimension(surface: FunctionGraph, d: int, message: str, verb: str) -> None:
    with pytest.raises(ValueError, match=message):
        getattr(surface, verb)(np.zeros((4, d)))


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: landscapes.wrinkled(0), ValueError, "terms must be at least 1, got 0"),
        (lambda: landscapes.wrinkled(2.5), TypeError, "terms must be an integer, got 2.5"),
        (lambda: landscapes.gaussians(), TypeError, "sigma"),
        (lambda: landscapes.gaussians(-1.0), ValueError, "sigma must be finite and above 0, got -1.0"),
        (lambda: landscapes.gaussians("a"), TypeError, "sigma must be a real number, got 'a'"),
        (lambda: landscapes.gaussians(1.0, 0), ValueError, "count must be at least 1"),
        (lambda: landscapes.gaussians(1.0, d=0), ValueError, "d must be at least 1"),
        (lambda: landscapes.gaussians(1.0, low=2, high=1), ValueError, "high must be finite and above 2, got 1"),
        (lambda: landscapes.gaussians(1.0, convention="code"), ValueError, "convention must be 'paper' or 'authors'"),
        (lambda: landscapes.gaussians(1.0, centers=[1.0, 2.0]), ValueError, r"centers must be .* \(count, d\)"),
        (lambda: landscapes.gaussians(1.0, centers=[[math.nan]]), ValueError, "centers must be an array of finite"),
        (lambda: landscapes.weierstrass(a=1.0), ValueError, "a must be below 1"),
        (lambda: landscapes.weierstrass(b=0), ValueError, "b must be finite and above 0"),
        (lambda: landscapes.weierstrass(terms=400).value([0.0]), ValueError, "overflows float64 for b = 3"),
        (lambda: landscapes.weierstrass(terms=100).value(np.zeros(1, np.float32)), ValueError, "overflows float32"),
        (lambda: landscapes.plane([[1.0]]), ValueError, "slope must be a finite number or a sequence"),
        (lambda: landscapes.plane([]), ValueError, "slope must be a finite number or a sequence"),
        (lambda: landscapes.plane(1.0, math.inf), ValueError, "height must be finite"),
        (lambda: landscapes.paraboloid([1.0, 2.0]), ValueError, "curvature must be a finite number or a symmetric"),
        (lambda: landscapes.paraboloid([[0.0, 1.0], [2.0, 0.0]]), ValueError, "curvature must be a symmetric matrix"),
        (lambda: landscapes.paraboloid([[1.0, 2.0]]), ValueError, "curvature must be a symmetric matrix"),
        (lambda: landscapes.gaussian_well(0), ValueError, "width must be finite and above 0, got 0"),
        (lambda: landscapes.gaussian_well(depth=None), TypeError, "depth must be a real number, got None"),
        (lambda: landscapes.rosenbrock(b=-1), ValueError, "b must be finite and above 0"),
        (lambda: landscapes.ackley(c=math.nan), ValueError, "c must be finite and above 0"),
        (lambda: landscapes.rastrigin(True), TypeError, "amplitude must be a real number, got True"),
        (lambda: landscapes.by_name("sinus"), ValueError, "no landscape is called 'sinus'; there are sine, wrinkled"),
    ],
)
def test_bad_parameters(make: Callable[[], Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()


def test_every_landscape_but_the_plane_has_a_name() -> None:
    functions = {name for name in landscapes.__all__ if name.islower()} - {"by_name", "plane"}
    assert set(landscapes.LANDSCAPES) == functions
    for name in functions:
        surface = landscapes.by_name(name)
        assert surface.name == name
        d = 1 if name in ("sine", "wrinkled") else 2
        assert surface.value(np.zeros((5, d))).shape == (5,)


def test_import_brings_no_framework() -> None:
    frameworks = "torch", "jax", "cupy", "dask", "numba", "matplotlib", "flint"
    code = f"import sys, rbo_ref.landscapes; print([m for m in {frameworks} if m in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
