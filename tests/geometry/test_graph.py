"""Points, normals, metric and curvatures of graphs, against arbitrary precision and closed forms."""

import math
import pickle
from functools import cache

import mpmath
import numpy as np
import pytest
from flint import arb, ctx
from hypothesis import given
from hypothesis import strategies as st

from geometry import FunctionGraph, shape_matrix, steepest_tangent, upward_normal
from tests.examples import examples
from tests.geometry import surfaces

SHAPES = [(), (5,), (2, 3)]
EXPONENTS = {"float32": (-37, 38), "float64": (-307, 308)}
SURFACES = [
    (surfaces.plane(0.7), 3),
    (surfaces.paraboloid(2.0), 3),
    (surfaces.sine(), 1),
    (surfaces.cap(9.0), 2),
    (surfaces.well(), 3),
    (surfaces.double_well(), 1),
    (surfaces.monkey_saddle(), 2),
    (surfaces.exponential(), 1),
]
named = pytest.mark.parametrize(("surface", "d"), SURFACES, ids=[s.name for s, _ in SURFACES])


def epsilon(dtype) -> float:
    return float(np.finfo(dtype).eps)


def thetas(shape, d, dtype="float64"):
    return np.random.default_rng(d).normal(size=(*shape, d)).astype(dtype)


# Unit normal and tangent.


@examples(30)  # for each library and dtype
@given(
    st.lists(st.floats(-1, 1).filter(lambda c: c == 0 or abs(c) > 1e-2), min_size=1, max_size=3),
    st.floats(0, 1),
)
def test_normal_and_tangent_for_all_slopes(backend, dtype, values, part):
    low, high = EXPONENTS[dtype]
    g = (np.array(values) * 10 ** (low + part * (high - low))).astype(dtype)
    g[abs(g) < 10.0**low] = 0
    ctx.prec = 200
    exact = [arb(float(c)) for c in g]
    steepness2 = sum((c * c for c in exact), arb(0))
    w = (1 + steepness2).sqrt()
    normal = backend.to_numpy(backend.jit(upward_normal)(backend.asarray(g, dtype))).astype(float)
    # Each component: one scaling, one quotient, and the length with d + 2 roundings. Below the range of normal
    # numbers some devices flush to zero.
    rel, tiny = (len(g) + 6) * epsilon(dtype), float(np.finfo(dtype).tiny)
    np.testing.assert_allclose(normal, [float(-c / w) for c in exact] + [float(1 / w)], rtol=rel, atol=2 * tiny)
    assert math.fsum(c * c for c in normal) == pytest.approx(1, rel=2 * rel)

    tangent = backend.to_numpy(backend.jit(steepest_tangent)(backend.asarray(g, dtype))).astype(float)
    np.testing.assert_array_equal(tangent[:-1], g)
    top = float(steepness2) if float(steepness2) < float(np.finfo(dtype).max) else math.inf
    assert tangent[-1] == pytest.approx(top, rel=rel, abs=len(g) * tiny)
    if tiny / epsilon(dtype) < top < math.inf:
        length = float((steepness2 * w * w).sqrt())
        assert abs(math.fsum(normal * tangent)) <= 2 * rel * length
        assert math.hypot(*tangent) == pytest.approx(length, rel=rel)


@pytest.mark.parametrize("shape", SHAPES)
def test_normals_of_a_batch_are_unit_and_upward(backend, dtype, shape):
    g = np.random.default_rng(0).normal(size=(*shape, 3))
    normal = upward_normal(backend.asarray(g, dtype))
    assert backend.belongs(normal, dtype)
    assert normal.shape == (*shape, 4)
    np.testing.assert_allclose(np.linalg.norm(backend.to_numpy(normal), axis=-1), 1, rtol=8 * epsilon(dtype))
    assert (backend.to_numpy(normal)[..., -1] > 0).all()


# The noun.


@pytest.mark.parametrize("shape", SHAPES)
def test_results_follow_theta(backend, shape):
    surface, d, dtype = surfaces.well(), 3, backend.dtypes[-1]
    theta = backend.asarray(thetas(shape, d), dtype)
    verbs = {
        "value": (),
        "gradient": (d,),
        "hessian": (d, d),
        "point": (d + 1,),
        "normal": (d + 1,),
        "tangent": (d + 1,),
        "metric": (d, d),
        "curvatures": (d,),
    }
    for verb, item in verbs.items():
        result = backend.jit(getattr(surface, verb))(theta)
        assert backend.belongs(result, dtype), verb
        assert result.shape == (*shape, *item), verb


def test_a_batch_equals_its_items(backend, dtype):
    surface, theta = surfaces.well(), thetas((2, 3), 3, dtype)
    for verb in ("point", "normal", "metric", "curvatures"):
        whole = getattr(surface, verb)(backend.asarray(theta, dtype))
        assert backend.belongs(whole, dtype)
        whole = backend.to_numpy(whole)
        for i in np.ndindex(2, 3):
            item = backend.to_numpy(getattr(surface, verb)(backend.asarray(theta[i], dtype)))
            # vectorised and scalar exp may differ by an ulp
            np.testing.assert_allclose(item, whole[i], atol=16 * epsilon(dtype))


def test_integers_become_the_default_float(backend):
    default = {"torch": "float32", "strict-no-float64": "float32"}.get(backend.name, "float64")
    surface = surfaces.paraboloid()
    assert backend.belongs(surface.point(backend.asarray([3, 4])), default)
    assert backend.to_numpy(surface.point(backend.asarray([3, 4]))).tolist() == [3, 4, 12.5]


def test_python_numbers_become_numpy():
    assert surfaces.paraboloid().point([3, 4]).tolist() == [3, 4, 12.5]


def test_the_pair_costs_one_call():
    calls = []

    def pair(t):
        calls.append(t)
        return (t**2).sum(-1), 2 * t

    surface = FunctionGraph.from_value_and_gradient(pair, hessian=lambda t: 2 * np.eye(2) + 0 * t[..., None])
    value, gradient = surface.value_and_gradient([1.0, 2.0])
    assert (value, gradient.tolist(), len(calls)) == (5, [2, 4], 1)
    np.testing.assert_array_equal(surface.hessian([1.0, 2.0]), 2 * np.eye(2))
    assert surface.name == "pair"
    assert repr(surface) == "<FunctionGraph of pair>"


# Metric and curvatures.


@named
def test_metric_is_the_induced_one(surface, d):
    theta = thetas((7,), d)
    columns = np.concatenate([np.broadcast_to(np.eye(d), (7, d, d)), surface.gradient(theta)[:, None, :]], axis=1)
    np.testing.assert_allclose(surface.metric(theta), np.swapaxes(columns, 1, 2) @ columns, rtol=1e-15, atol=1e-15)


def exact_curvatures(gradient, hessian):
    """Eigenvalues of G⁻¹H/W in 60 digits, ascending."""
    return _exact_curvatures(tuple(gradient.tolist()), tuple(map(tuple, hessian.tolist())))


@cache  # the same for every library
def _exact_curvatures(gradient, hessian):
    with mpmath.workdps(60):
        g, h = mpmath.matrix(gradient), mpmath.matrix(hessian)
        metric = mpmath.eye(len(g)) + g * g.T
        eigenvalues = mpmath.eig(mpmath.inverse(metric) * h, left=False, right=False)
        w = mpmath.sqrt(1 + (g.T * g)[0])
        return sorted(float(mpmath.re(e) / w) for e in eigenvalues)


@pytest.mark.parametrize("d", [2, 3])
@pytest.mark.parametrize("steepness", [1e-3, 1, 1e12])
def test_curvatures_of_random_second_order(backend, dtype, d, steepness):
    rng = np.random.default_rng(d)
    g, h = (steepness * rng.normal(size=(4, d))).astype(dtype), rng.normal(size=(4, d, d)).astype(dtype)
    h += np.swapaxes(h, 1, 2)
    surface = FunctionGraph(
        lambda t: t[..., 0], lambda t: backend.asarray(g, dtype), lambda t: backend.asarray(h, dtype)
    )
    theta = backend.asarray(np.zeros((4, d)), dtype)
    found = backend.to_numpy(backend.jit(surface.curvatures)(theta)).astype(float)
    exact = np.array([exact_curvatures(gi.astype(float), hi.astype(float)) for gi, hi in zip(g, h, strict=True)])
    # The eigenvalues of a symmetric matrix move by at most the norm of its error, ε‖H‖ a product; then 1/W.
    w = np.hypot(1, np.linalg.norm(g.astype(float), axis=-1))
    allowed = 32 * epsilon(dtype) * np.linalg.norm(h, axis=(1, 2)) / w
    assert (abs(found - exact) <= allowed[:, None]).all()
    matrix = backend.to_numpy(shape_matrix(backend.asarray(g, dtype), backend.asarray(h, dtype)))
    np.testing.assert_allclose(matrix, np.swapaxes(matrix, 1, 2), atol=8 * epsilon(dtype) * abs(h).max())


def in_one_dimension(first, second):
    """κ = f″/(1 + f′²)^(3/2)."""
    return second / (1 + first**2) ** 1.5


def paraboloid_curvatures(k, theta):
    w = np.sqrt(1 + k**2 * np.sum(theta**2, axis=-1))
    return np.stack([k / w**3] + [k / w] * (theta.shape[-1] - 1), axis=-1)


def well_curvatures(theta):
    """Meridian f″/W³, parallels f′/(rW), of the profile f = −exp(−r²/2)."""
    r = np.linalg.norm(theta, axis=-1)
    first, second = r * np.exp(-(r**2) / 2), (1 - r**2) * np.exp(-(r**2) / 2)
    parallel = first / (r * np.sqrt(1 + first**2))
    return np.sort(np.stack([in_one_dimension(first, second), *[parallel] * (theta.shape[-1] - 1)], axis=-1), axis=-1)


CLOSED_FORMS = {
    "plane": (surfaces.plane(0.7), 2, lambda t: 0 * t),
    "sine": (surfaces.sine(), 1, lambda t: in_one_dimension(np.cos(t), -np.sin(t))),
    "exponential": (surfaces.exponential(), 1, lambda t: in_one_dimension(np.exp(t), np.exp(t))),
    "double well": (
        surfaces.double_well(),
        1,
        lambda t: in_one_dimension(4 * t * (t**2 - 1), 12 * t**2 - 4),
    ),
    "paraboloid 1": (surfaces.paraboloid(3.0), 1, lambda t: paraboloid_curvatures(3.0, t)),
    "paraboloid 2": (surfaces.paraboloid(3.0), 2, lambda t: paraboloid_curvatures(3.0, t)),
    "well": (surfaces.well(), 2, well_curvatures),
    "cap": (surfaces.cap(9.0), 2, lambda t: 0 * t - 1 / 9),
    "bowl": (surfaces.cap(9.0, -1), 2, lambda t: 0 * t + 1 / 9),
}


@pytest.mark.parametrize("name", CLOSED_FORMS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_curvatures_in_closed_form(dtype, name):
    surface, d, formula = CLOSED_FORMS[name]
    theta = thetas((2, 3), d, dtype)
    found = surface.curvatures(theta)
    # f″ of the double well reaches 100; its rounding, and that of exp, are a few ulps of the largest entry
    scale = max(1, abs(surface.hessian(theta.astype(float))).max())
    np.testing.assert_allclose(found, formula(theta.astype(float)), atol=64 * epsilon(dtype) * scale)


@pytest.mark.parametrize("d", [1, 3, 10])
def test_curvatures_in_many_dimensions(d):
    theta = thetas((20,), d)
    for formula, surface in (
        (well_curvatures, surfaces.well()),
        (lambda t: paraboloid_curvatures(3.0, t), surfaces.paraboloid(3.0)),
    ):
        np.testing.assert_allclose(surface.curvatures(theta), formula(theta), atol=64 * epsilon(float))


def test_monkey_saddle_has_its_gaussian_curvature():
    theta = thetas((50,), 2)
    r2 = np.sum(theta**2, axis=-1)
    low, high = surfaces.monkey_saddle().curvatures(theta).T
    np.testing.assert_allclose(low * high, -36 * r2 / (1 + 9 * r2**2) ** 2, rtol=1e-12)
    assert surfaces.monkey_saddle().curvatures([0.0, 0.0]).tolist() == [0, 0]


@pytest.mark.parametrize("surface", [surfaces.monkey_saddle(), surfaces.well(), surfaces.cap(5.0)], ids=str)
def test_curvature_is_the_derivative_of_the_normal(surface):
    """Weingarten: ν(θ+hv) = ν(θ) − h·Dp(Sv) + O(h²), and the eigenvalues of S are the principal curvatures."""
    theta, v = np.array([0.4, -0.7]), np.array([0.8, 0.5])
    g = surface.gradient(theta)
    shape_operator = np.linalg.solve(surface.metric(theta), surface.hessian(theta)) / np.hypot(1, np.linalg.norm(g))
    np.testing.assert_allclose(
        np.sort(np.linalg.eigvals(shape_operator).real), surface.curvatures(theta), rtol=1e-13, atol=1e-15
    )
    turn = shape_operator @ v
    turn = np.append(turn, g @ turn)
    h = 10.0 ** np.linspace(-1.5, -4, 11)
    model = surface.normal(theta) - h[:, None] * turn
    error = np.linalg.norm(surface.normal(theta + h[:, None] * v) - model, axis=-1)
    slope = np.polyfit(np.log(h), np.log(error), 1)[0]
    assert slope == pytest.approx(2, abs=0.05)


# Derivatives of the values: by the array's framework, or of the recorded function.


@pytest.mark.parametrize(
    ("surface", "d"),
    [(surfaces.plane(0.7), 3), (surfaces.sine(), 1), (surfaces.well(), 3), (surfaces.monkey_saddle(), 2)],
    ids=str,
)
def test_derivatives_of_values_are_the_hand_written_ones(backend, surface, d):
    dtype = backend.dtypes[-1]
    theta = backend.asarray(thetas((2, 3), d), dtype)
    vector = backend.asarray(np.random.default_rng(9).normal(size=(2, 3, d)), dtype)
    bare = FunctionGraph(surface.value, name="bare")
    matrix = backend.to_numpy(surface.hessian(theta))
    # either rounds a few times, relative to the largest terms
    atol = 64 * epsilon(dtype) * (1 + abs(matrix).max() + abs(backend.to_numpy(surface.gradient(theta))).max())
    value, gradient = backend.jit(bare.value_and_gradient)(theta)
    assert backend.belongs(value, dtype)
    assert backend.belongs(gradient, dtype)
    np.testing.assert_allclose(backend.to_numpy(value), backend.to_numpy(surface.value(theta)), atol=atol)
    np.testing.assert_allclose(backend.to_numpy(gradient), backend.to_numpy(surface.gradient(theta)), atol=atol)
    np.testing.assert_allclose(backend.to_numpy(backend.jit(bare.hessian)(theta)), matrix, atol=atol)
    product = backend.to_numpy(backend.jit(bare.hessian_vector)(theta, vector))
    expected = np.einsum("...ij,...j", matrix, backend.to_numpy(vector))
    np.testing.assert_allclose(product, expected, atol=4 * d * atol)


def test_products_and_matrix_give_each_other(backend):
    surface, d = surfaces.well(), 3
    theta, vector = (backend.asarray(thetas((2, 3), d)) + i for i in range(2))
    matrix = surface.hessian(theta)
    expected = np.einsum("...ij,...j", backend.to_numpy(matrix), backend.to_numpy(vector))
    atol = 16 * epsilon(backend.dtypes[-1]) * (1 + abs(expected).max())
    product = backend.to_numpy(surface.hessian_vector(theta, vector))
    np.testing.assert_allclose(product, expected, atol=atol)
    bare = FunctionGraph(surface.value, surface.gradient, hessian_vector=surface.hessian_vector)
    np.testing.assert_allclose(backend.to_numpy(bare.hessian(theta)), backend.to_numpy(matrix), atol=atol)
    assert bare.has_second_order(theta)


# Bad input.


def test_constructors_want_functions():
    with pytest.raises(TypeError, match="value must be callable, got 3"):
        FunctionGraph(3)
    with pytest.raises(TypeError, match="value must be callable, got None"):
        FunctionGraph(None)
    for name in ("gradient", "hessian", "hessian_vector"):
        with pytest.raises(TypeError, match=f"{name} must be callable, got 'x'"):
            FunctionGraph(np.sum, **{name: "x"})
    with pytest.raises(TypeError, match="function must be callable, got None"):
        FunctionGraph.from_value_and_gradient(None)


@pytest.mark.parametrize(
    "verb", ["value", "gradient", "hessian", "value_and_gradient", "point", "normal", "curvatures"]
)
def test_theta_must_be_a_batch_of_real_vectors(verb):
    evaluate = getattr(surfaces.paraboloid(), verb)
    for theta in (1.0, np.ones((3, 0))):
        with pytest.raises(ValueError, match=r"theta must have shape \(..., d\) with d >= 1, got"):
            evaluate(theta)
    for theta in ("word", None, [1j], np.ones(2, complex)):
        with pytest.raises(TypeError, match="theta must"):
            evaluate(theta)


def test_formulas_want_vectors():
    for formula in (upward_normal, steepest_tangent):
        with pytest.raises(ValueError, match=r"gradient must have shape \(..., d\) with d >= 1, got \(\)"):
            formula(1.0)
        with pytest.raises(TypeError, match="gradient must be an array of real numbers"):
            formula("word")
    for hessian in (np.ones(2), np.ones((3, 3)), np.ones((2, 3))):
        with pytest.raises(ValueError, match=r"gradient and hessian must have shapes \(..., d\) and \(..., d, d\)"):
            shape_matrix(np.ones(2), hessian)
    with pytest.raises(ValueError, match=r"batch shapes must broadcast, got gradient \(3,\), hessian \(4,\)"):
        shape_matrix(np.ones((3, 2)), np.ones((4, 2, 2)))


@pytest.mark.parametrize("verb", ["value", "gradient", "hessian", "hessian_vector"])
def test_what_the_functions_return_is_checked(backend, verb):
    theta = backend.asarray([[1.0, 2.0]])
    arguments = (theta, theta) if verb == "hessian_vector" else (theta,)
    other = pytest.importorskip("array_api_strict") if backend.name.startswith("numpy") else np

    def returning(result):
        functions = {"value": lambda t: t[..., 0], "gradient": lambda t: t, verb: lambda *a: result}
        return getattr(FunctionGraph(**functions, name="odd"), verb)

    with pytest.raises(
        ValueError, match=rf"odd: {verb} must return shape \(1.*\) for theta of shape \(1, 2\), got \(3,"
    ):
        returning(backend.asarray(np.ones((3, 7))))(*arguments)
    for result in (other.ones(1), 1.0, None, [1.0]):
        with pytest.raises(TypeError, match=rf"odd: {verb} must return an array of theta's library"):
            returning(result)(*arguments)
    shape = {"value": (1,), "hessian": (1, 2, 2)}.get(verb, (1, 2))
    with pytest.raises(TypeError, match=f"odd: {verb} must return real numbers, got .*complex64"):
        returning(backend.asarray(np.ones(shape), "complex64"))(*arguments)
    whole = returning(backend.asarray(np.ones(shape, int)))(*arguments)
    assert backend.belongs(whole, backend.dtypes[-1])


def test_the_pair_is_checked():
    with pytest.raises(ValueError, match=r"odd: expected a pair \(value, gradient\), got ndarray"):
        FunctionGraph.from_value_and_gradient(lambda t: t, name="odd").value_and_gradient([1.0])


def test_hessian_vector_wants_two_alike():
    for vector in ([1.0], [[1.0, 2.0]]):
        with pytest.raises(ValueError, match=r"theta and vector must have one shape, got \(2,\) and"):
            surfaces.well().hessian_vector([1.0, 2.0], vector)


def test_a_pair_has_no_second_derivatives(backend):
    surface = FunctionGraph.from_value_and_gradient(lambda t: (t[..., 0], 0 * t + 1), name="pair")
    theta = backend.asarray([1.0])
    assert not surface.has_second_order(theta)
    with pytest.raises(TypeError, match=r"pair was given .*no hessian.*pass hessian="):
        surface.hessian(theta)


def branching(t):
    return t[..., 0] if np.all(t == t) else 0 * t[..., 0]


def test_what_cannot_be_recorded_keeps_its_values():
    surface = FunctionGraph(branching, name="branching")
    assert surface.value([3.0, 4.0]) == 3
    assert not surface.has_gradient(np.ones(2))
    told = r"branching was given no {}, .*a branch on data cannot be recorded \(test_graph.py.*pass {}=.*or use PyTorch"
    for verb in ("gradient", "hessian"):
        with pytest.raises(TypeError, match=told.format(verb, verb)):
            getattr(surface, verb)([3.0, 4.0])
    with pytest.raises(TypeError, match=told.format("hessian_vector", "hessian_vector")):
        surface.hessian_vector([3.0, 4.0], [1.0, 0.0])


def test_a_function_of_points_is_none_of_batches():
    surface = FunctionGraph(lambda t: t[0] ** 2, name="first")
    with pytest.raises(TypeError, match=r"first was given no gradient, .*it is no function of batches"):
        surface.gradient([3.0, 4.0])


def test_given_functions_are_known_by_name():
    assert FunctionGraph(np.sum, np.cos).given == {"value", "gradient"}


def test_searches_are_compiled_on_demand_or_for_much_work():
    def wave(t):
        return np.sin(t[..., 0])

    few, many = np.zeros((3, 1)), np.broadcast_to(0.0, (2_000_000, 1))
    assert FunctionGraph(wave).to_compile(few) is None
    assert FunctionGraph(wave).to_compile(many) is not None
    assert FunctionGraph(wave, compile=True).to_compile(few) is not None
    assert FunctionGraph(wave, compile=False).to_compile(many) is None
    assert FunctionGraph(wave, np.cos, compile=True).to_compile(few) is not None
    assert FunctionGraph(wave, compile=True).to_compile(few.astype("float32")) is None
    with pytest.raises(TypeError, match="compile must be True, False or None, got 1"):
        FunctionGraph(wave, compile=1)
    with pytest.raises(TypeError, match="branching cannot be compiled: a branch on data"):
        FunctionGraph(branching, compile=True).to_compile(few)
    with pytest.raises(TypeError, match="cannot be compiled: its gradient raised ValueError"):
        FunctionGraph(wave, lambda t: np.ones(5), compile=True).to_compile(few)
    with pytest.raises(TypeError, match=r"long cannot be compiled: it takes \d+ operations, and 2000 at most"):
        FunctionGraph(long, compile=True).to_compile(few)
    assert FunctionGraph(long).to_compile(many) is None


def test_a_long_loop_over_few_items_is_much_work():
    wave, one = FunctionGraph(lambda t: np.sin(t[..., 0])), np.zeros((1, 1))
    assert wave.to_compile(one, evaluations=1000) is None
    assert wave.to_compile(one, evaluations=100_000) is not None


def test_given_derivatives_are_compared_once():
    calls = []

    def slope(t):
        calls.append(t)
        return np.cos(t)

    graph = FunctionGraph(lambda t: np.sin(t[..., 0]), slope, compile=True)
    assert graph.to_compile(np.zeros((3, 1))) is graph.to_compile(np.zeros((3, 1)))
    assert len(calls) == 1


def test_recordings_stay_at_home():
    graph = FunctionGraph(long)
    slope = graph.gradient([0.5])
    again = pickle.loads(pickle.dumps(graph))  # the recording is a chain of 900 operations
    np.testing.assert_array_equal(again.gradient([0.5]), slope)


def long(t):
    for _ in range(300):
        t = np.sin(t) + t / 2
    return t[..., 0]


def test_large_functions_with_a_gradient_are_not_recorded():
    calls = []

    def value(t):
        calls.append(t)
        return np.sum(t**2, axis=-1)

    assert not FunctionGraph(value, lambda t: 2 * t).has_second_order(np.ones(100))
    assert not calls
    assert FunctionGraph(value, lambda t: 2 * t).has_second_order(np.ones(32))
    assert calls


def test_a_given_derivative_that_differs_is_not_passed_over():
    graph = FunctionGraph(lambda t: np.sin(t[..., 0]), lambda t: -np.cos(t), name="slip")
    assert graph.to_compile(np.broadcast_to(0.0, (2_000_000, 1))) is None  # the given one is followed, on arrays
    graph = FunctionGraph(
        lambda t: np.sin(t[..., 0]), np.cos, lambda t: np.sin(t)[..., None], name="slip", compile=True
    )
    with pytest.raises(
        TypeError, match=r"slip cannot be compiled: hessian\[0, 0\] is .* at theta = \[.*\], but the derivative"
    ):
        graph.to_compile(np.zeros((1, 1)))


def test_a_compiled_function_may_return_a_python_float_for_one_point():
    """As numba's functions do; only NumPy's arrays are single numbers."""
    wave = FunctionGraph(lambda t: float(np.sin(t[..., 0])) if t.ndim == 1 else np.sin(t[..., 0]), np.cos)
    assert wave.value([0.3]) == np.sin(0.3)
    assert wave.value(np.float32([0.3])).dtype == np.float32
    assert wave.value_and_gradient([0.3])[0] == np.sin(0.3)
    assert wave.point([0.3]).shape == (2,)
    with pytest.raises(TypeError, match="value must return an array"):
        FunctionGraph(lambda t: 1.0).value([[0.3], [0.4]])
